#pragma once

#include <optional>
#include <string>

namespace tektii::fs {

// The extended attribute that capabilities(7) of a file are in. Setting it changes the file's change time.
inline constexpr const char* k_capability = "security.capability";

// Its bytes; nullopt when there is none or the file system has no extended attributes. `shown` is the path for errors.
// By an open file it costs a fifth of what it costs by name.
std::optional<std::string> read_capability(int fd, const std::string& shown);
// Of a name in an open directory (O_PATH will do), which need not be readable. A symlink is not followed.
std::optional<std::string> read_capability_at(int directory, const std::string& name, const std::string& shown);

}  // namespace tektii::fs
