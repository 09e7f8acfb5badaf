#pragma once

#include <tektii/fs/file_metadata.hpp>
#include <tektii/util/stream.hpp>

#include <cstddef>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace tektii::layer {

// One member of a tar that ADD unpacks.
struct ArchiveMember {
  std::string path;  // relative and clean; never empty (the root of the archive is left out)
  fs::FileMetadata metadata;
  std::optional<std::size_t> hard_link_of;  // position of the regular file that it is another name of
  BlobOpener open;                          // regular files; holes read as zeros
};

// True when the bytes are a tar with at least one member, plain or compressed with gzip, bzip2, xz or zstd; the name of
// the file plays no part. Anything else is an ordinary file for ADD, damaged compression included. Throws only what
// reading `source` throws.
bool is_tar_archive(ByteSource& source);

// Reads an archive once and puts the contents of its files into a nameless file in `directory`, which the members keep
// open: memory is bounded by the names and attributes (at most 10 million members and 1 GiB). The members come in the
// order of the archive; one that replaces an earlier one comes later. Throws Error{failure} with the name of the
// member for damaged input, for names that leave the archive, that no layer can hold (".wh.*"), and for hard links to
// nothing.
std::vector<ArchiveMember> spool_tar_archive(ByteSource& source, const std::filesystem::path& directory,
                                             const std::stop_token& stop);

}  // namespace tektii::layer
