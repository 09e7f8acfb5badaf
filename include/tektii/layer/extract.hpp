#pragma once

#include <tektii/util/stream.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <stop_token>

namespace tektii::layer {

// How much of the beginning of a file looks_like_archive() wants to see.
inline constexpr std::size_t k_archive_head = 512;

// Whether a file that begins so is a tar, plain or compressed by gzip, bzip2, xz or zstd (docker's rule: the magic of a
// compression is enough, and a plain tar is one whose first header has the right checksum).
bool looks_like_archive(ByteSpan head);

struct ExtractReport {
  std::uint64_t entries = 0;
  std::uint64_t left_out = 0;    // devices, fifos: nothing that a build context could use
  std::int64_t newest_file = 0;  // the latest mtime of a regular file, seconds since 1970
};

// Unpacks a tar of any of these compressions into an empty directory that nobody else writes to. Nothing is ever made
// outside of it: names are made relative, ".." is an Error, no symlink is followed (a member below a symlink of the
// same archive is an Error), hard links lead to files of the archive only. A later member replaces an earlier one of
// its name. Symlinks stay as they are, whatever they point to. Owners and extended attributes are ignored; modes are
// those of the archive, but what we make can be read (files) and searched and removed (directories) by us; directories
// that the archive leaves out are 0755 with time 0, whatever umask and clock say. Throws Error{failure}, which names
// the member, also for more than 10 million entries and 1 GiB of names of directories.
ExtractReport extract_archive(ByteSource& source, const std::filesystem::path& directory,
                              const std::stop_token& stop = {});

}  // namespace tektii::layer
