#pragma once

#include <tektii/oci/image.hpp>
#include <tektii/util/stream.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

namespace tektii::oci {

// Port: one image in a registry or an OCI layout that can serve as a base. Thread-safe.
class ImageSource {
 public:
  virtual ~ImageSource() = default;
  // Looks the image up for one platform and reads its manifest and config (both verified). Throws
  // Error{platform_mismatch} when the image does not exist for the platform.
  virtual ResolvedImage resolve(const Platform& platform, std::stop_token stop) = 0;
  // Streams one blob to the sink. Size and digest are verified before this returns; on a mismatch it throws and the
  // caller must discard what the sink took. Does not call sink.finish().
  virtual void fetch(const Descriptor& blob, ByteSink& sink, std::stop_token stop) = 0;
};

struct BlobUpload {
  Descriptor blob;
  BlobOpener open;                                  // called once per attempt
  std::optional<BlobOrigin> origin = std::nullopt;  // a mount is tried first when the registry is the same
  // The same bytes, for a target that turns out to have lost the blob: may be called until put_manifest() has returned.
  // Empty when they can't be had any more once put_blob() has.
  BlobOpener again = {};
};

// Port: a place that a sealed image goes to (one repository, or one layout). Thread-safe.
class ImageTarget {
 public:
  virtual ~ImageTarget() = default;
  // True when the manifest is already there under the target's tag, so that nothing needs to be sent.
  virtual bool has_manifest(const Descriptor& manifest, std::stop_token stop) = 0;
  virtual void put_blob(const BlobUpload& upload, std::stop_token stop) = 0;
  // Last, after every blob; sets the target's tag.
  virtual void put_manifest(const Descriptor& manifest, const std::string& bytes, std::stop_token stop) = 0;
};

// Opens the image that a FROM or --from names ("python:3.12-slim", "oci-layout://dir:tag"); wired by the cli.
using ImageOpener = std::function<std::unique_ptr<ImageSource>(const std::string& name)>;

}  // namespace tektii::oci
