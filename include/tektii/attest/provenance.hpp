#pragma once

#include <tektii/oci/digest.hpp>
#include <tektii/oci/platform.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tektii::attest {

// Something that an image was made of, by its URI and what it was.
struct Material {
  std::string uri;
  std::string algorithm;                              // "sha256", or "sha1" for a commit
  std::string digest;                                 // hex
  auto operator<=>(const Material&) const = default;  // NOLINT(modernize-use-nullptr): the 0 it is compared with
};

// "pkg:docker/python@3.12?platform=linux%2Famd64" for a fully qualified name of an image.
Material image_material(std::string_view name, const oci::Platform& platform, const oci::Digest& digest);
Material file_material(std::string url, const oci::Digest& digest);
// `commit` is an id of SHA-1 or SHA-256.
Material commit_material(std::string remote_and_ref, std::string commit);

struct Times {
  std::int64_t started = 0;  // seconds since 1970
  std::int64_t finished = 0;
};

// What a build was asked for and what it took.
struct Provenance {
  enum class Version { slsa_1, slsa_02 };
  // `min` leaves out what may tell of the one who builds: values of build arguments and labels, ids of secrets and
  // agents, and the Dockerfile.
  enum class Mode { min, max };

  Version version = Version::slsa_1;
  Mode mode = Mode::max;
  std::string builder_id;
  bool reproducible = false;    // the user says that it is
  std::string dockerfile_name;  // as it was named
  std::string dockerfile_text;  // mode max only
  std::string context_uri;      // of a remote context; empty for a local one
  std::string context_commit;   // when it is of git
  std::map<std::string, std::string> build_args;
  std::map<std::string, std::string> labels;
  std::string target;
  std::vector<std::string> secrets;  // ids
  std::vector<std::string> ssh;      // ids
  std::vector<std::string> locals;   // names of local directories that were read
  oci::Platform platform;
  std::vector<Material> materials;
  bool used_network = false;               // a RUN could reach it
  std::optional<Times> times;              // without them the bytes do not depend on when it was built
  std::map<std::string, std::string> vcs;  // "source", "revision": of a local context
};

// The predicate as JSON, with the fields and the build type that BuildKit defines for it
// (docs/attestations/slsa-definitions.md there), so that its readers understand it. There is no invocation id and no
// definition of the steps in BuildKit's own language.
std::string make_provenance(const Provenance& provenance);
std::string_view predicate_type_of(Provenance::Version version);

}  // namespace tektii::attest
