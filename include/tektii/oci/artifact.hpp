#pragma once

#include <tektii/oci/descriptor.hpp>
#include <tektii/util/stream.hpp>

#include <optional>
#include <stop_token>
#include <string>

namespace tektii::oci {

// A manifest and the config that it names, both verified against their descriptors, whatever they are of.
struct Artifact {
  Descriptor manifest;
  std::string manifest_bytes;
  std::string config_bytes;  // empty when `manifest` is an index
};

// Port: what one name stands for in a registry or an OCI layout, be it an image or something else that is kept like one
// (a build cache). Thread-safe.
class ArtifactSource {
 public:
  virtual ~ArtifactSource() = default;
  // nullopt when nothing has the name. Of an index it is the manifest for the platform, and the index itself when it
  // has none for it.
  virtual std::optional<Artifact> read(const Platform& platform, std::stop_token stop) = 0;
  // Asked without reading the blob: false when it is known to be gone or to have another size.
  virtual bool has_blob(const Descriptor& blob, std::stop_token stop) = 0;
  // Streams one blob to the sink. Size and digest are verified before this returns; on a mismatch it throws and the
  // caller must discard what the sink took. Does not call sink.finish().
  virtual void fetch(const Descriptor& blob, ByteSink& sink, std::stop_token stop) = 0;
};

}  // namespace tektii::oci
