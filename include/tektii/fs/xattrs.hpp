#pragma once

#include <map>
#include <string>

namespace tektii::fs {

// Every extended attribute of an entry of an open directory, by its full name; a symlink is not followed. None where
// the file system has no such attributes. `shown` is the path for errors; throws Error.
std::map<std::string, std::string> read_xattrs_at(int directory, const std::string& name, const std::string& shown);

}  // namespace tektii::fs
