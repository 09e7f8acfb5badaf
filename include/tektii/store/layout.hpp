#pragma once

#include <tektii/oci/artifact.hpp>
#include <tektii/oci/ports.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>

namespace tektii::store {

// An image in an OCI layout directory. `tag` selects by org.opencontainers.image.ref.name, or is the digest of a
// manifest or index; empty takes the only manifest of index.json, or "latest", and otherwise throws Error{usage} that
// lists the tags.
std::unique_ptr<oci::ImageSource> open_layout_image(const std::filesystem::path& directory, const std::string& tag);

// What is in an OCI layout directory under a tag or digest, which need not be an image. There is nothing under the name
// when the directory does not exist or is empty.
std::unique_ptr<oci::ArtifactSource> open_layout_artifact(const std::filesystem::path& directory,
                                                          const std::string& tag_or_digest);

// When a blob that is already in a layout is taken as it is: when its bytes have its digest, which takes reading them,
// or when its file has the right size, for a layout whose readers compare the bytes themselves (a Store does).
enum class ExistingBlobs { verified, of_right_size };

// Writes an image into an OCI layout directory (created if missing; other images in it stay; blobs that are already
// there are not written again, those that were altered are replaced). `tag` becomes org.opencontainers.image.ref.name
// and replaces the image that had it; it may be empty. `image_name` (the full reference) becomes
// io.containerd.image.name. Where other
// processes work on the directory this may have to wait; `stop` ends that.
std::unique_ptr<oci::ImageTarget> open_layout_target(const std::filesystem::path& directory, const std::string& tag,
                                                     const std::string& image_name = {},
                                                     ExistingBlobs existing = ExistingBlobs::verified,
                                                     const std::stop_token& stop = {});

// Removes the blobs of an OCI layout directory that nothing in its index.json needs any more, and returns how many
// bytes they had. Does nothing while a target of any process is open on it, and when the index names something of an
// unknown kind.
std::uint64_t prune_layout(const std::filesystem::path& directory);

}  // namespace tektii::store
