#pragma once

#include <filesystem>
#include <string>

namespace tektii::cli {

// A file that could only be written in vain after the whole build is found out before it: throws Error{usage} when its
// directory is not there.
void require_directory_of(const std::string& option, const std::filesystem::path& file);

}  // namespace tektii::cli
