#pragma once

#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <optional>

namespace tektii::store {

using FileTime = std::chrono::system_clock::time_point;

// lstat(2); nullopt when nothing is there.
std::optional<struct stat> file_status(const std::filesystem::path& path);

FileTime mtime_of(const struct stat& status);
timespec to_timespec(FileTime time);

// The present as the file system of `path` has it: touches the file, which is created when missing.
FileTime file_system_now(const std::filesystem::path& path);

}  // namespace tektii::store
