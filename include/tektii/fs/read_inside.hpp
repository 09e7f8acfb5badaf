#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace tektii::fs {

// The bytes of a regular file in a directory that somebody else made: its symlinks resolve as if the directory were "/"
// (RootedDir). nullopt when nothing is there, or something else than a regular file. Throws Error when the file can't
// be read or is longer than `limit` bytes.
std::optional<std::string> read_inside(const std::filesystem::path& root, std::string_view path, std::size_t limit);

}  // namespace tektii::fs
