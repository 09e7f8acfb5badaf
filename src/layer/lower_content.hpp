#pragma once

#include "layer/dir_stack.hpp"

#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

namespace tektii::layer {

// The content of files in a stack of overlay lower directories.
class LowerContent {
 public:
  // Topmost first.
  explicit LowerContent(const std::vector<std::filesystem::path>& directories);

  // True when the merged file at `path` has the bytes of the open file `fd`. False when there is none.
  bool has_same_content(const std::string& path, int fd, const std::stop_token& stop);

 private:
  UniqueFd open(const std::string& path);

  std::vector<std::unique_ptr<DirStack>> directories_;
};

// Compares two open files from their beginning. Throws Error{interrupted} on stop.
bool have_same_bytes(int first, int second, const std::string& shown, const std::stop_token& stop);

}  // namespace tektii::layer
