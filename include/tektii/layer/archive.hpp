#pragma once

#include <tektii/oci/content.hpp>
#include <tektii/oci/image.hpp>

#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace tektii::layer {

// Images in one tar, as other tools read and write them.
enum class ArchiveFormat {
  oci,     // an OCI layout; of one image there is docker's manifest.json beside, so that `docker load` takes it too
  docker,  // what `docker save` writes: manifest.json, a config and the layers. One image, with gzip or plain layers:
           // others are decompressed, because Docker reads no zstd before version 23.
};

struct ArchiveOptions {
  ArchiveFormat format = ArchiveFormat::oci;
  std::vector<std::string> names;  // full references that the image gets; may be empty
  std::string tag;                 // of oci: org.opencontainers.image.ref.name where there are no names
};

// A file that takes one content. Its bytes depend on the content and the options alone. It is written to a temporary
// name beside and renamed by finish(); an object that is destroyed before leaves nothing. The blobs may come in any
// order and side by side: each has its place.
std::unique_ptr<oci::ContentTarget> open_archive_target(const std::filesystem::path& file,
                                                        const ArchiveOptions& options);
// The same bytes into a stream (which it does not finish): blobs must come one by one, in the order of the content.
// `scratch` is a directory for what has to be written before its size is known.
std::unique_ptr<oci::ContentTarget> open_archive_stream(ByteSink& sink, const ArchiveOptions& options,
                                                        const std::filesystem::path& scratch);

// An image in an oci-archive, by tag or digest as in open_layout_content(). `scratch` is a directory for temporary
// files, used when the archive is compressed as a whole.
std::unique_ptr<oci::ContentSource> open_oci_archive(const std::filesystem::path& file, const std::string& name,
                                                     const std::filesystem::path& scratch, const std::stop_token& stop);

// An image in a docker-archive: by reference, or the only one. Such a file has no manifest and no digests, so these are
// made when it is first read: an OCI manifest over the config as it is and the layers, of which the plain ones are
// compressed with gzip (the same bytes on any machine). Layers are held against the config's diff_ids.
std::unique_ptr<oci::ContentSource> open_docker_archive(const std::filesystem::path& file,
                                                        const std::optional<std::string>& reference,
                                                        const std::filesystem::path& scratch,
                                                        const std::stop_token& stop);

// What a tar is: nullopt when it is none of the two.
std::optional<ArchiveFormat> detect_archive(const std::filesystem::path& file, const std::filesystem::path& scratch,
                                            const std::stop_token& stop);

}  // namespace tektii::layer
