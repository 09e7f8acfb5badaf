#pragma once

#include <tektii/attest/provenance.hpp>

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace tektii::builder {

struct ProvenanceRequest {
  attest::Provenance::Version version = attest::Provenance::Version::slsa_1;
  attest::Provenance::Mode mode = attest::Provenance::Mode::max;
  std::string builder_id;
  bool reproducible = false;
  // When the build began, in seconds: told with the time of its end. Without it the same build gives the same bytes.
  std::optional<std::int64_t> started = std::nullopt;
};

// What is to be said of an image, and how it is attached; see docs/attestations.md.
struct AttestationRequest {
  std::optional<ProvenanceRequest> provenance = std::nullopt;
  bool sbom = false;
  bool as_artifact = true;
  std::map<std::string, std::string> index_annotations = {};
  std::map<std::string, std::string> index_descriptor_annotations = {};  // of what names the index: a layout
  // Where the context is from, without credentials; empty for a directory of the user's own.
  std::string context_uri = {};
  std::string context_commit = {};  // of a context that is a commit
  std::string revision = {};        // the commit that a directory of the user's own is checked out at

  bool any() const { return provenance.has_value() || sbom; }
};

// What steps took from other machines, told by them as they find out what it is. Thread-safe.
class MaterialLog {
 public:
  void add(attest::Material material) {
    const std::lock_guard lock(mutex_);
    materials_.insert(std::move(material));
  }
  std::set<attest::Material> materials() const {
    const std::lock_guard lock(mutex_);
    return materials_;
  }

 private:
  mutable std::mutex mutex_;
  std::set<attest::Material> materials_;
};

}  // namespace tektii::builder
