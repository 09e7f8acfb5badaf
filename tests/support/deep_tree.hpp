#pragma once

#include <tektii/util/error.hpp>
#include <tektii/util/fd.hpp>
#include <tektii/util/file.hpp>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <filesystem>

namespace tektii::testing {

// Directories with long names within each other, with a file of one byte in each.
inline void make_deep_tree(const std::filesystem::path& path, int depth) {
  constexpr const char* k_name = "a-directory-with-a-long-name";
  make_directories(path);
  auto at = open_file(path, O_RDONLY | O_DIRECTORY);
  for (int i = 0; i < depth; ++i) {
    const UniqueFd file(::openat(at.get(), "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
    if (!file) throw_errno("create a file");
    write_fully(file.get(), as_byte_span("x"), "file");
    if (::mkdirat(at.get(), k_name, 0755) != 0) throw_errno("create a directory");
    at.reset(::openat(at.get(), k_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }
}

// Limits how many files the process may open, for as long as it lives.
class FewFiles {
 public:
  explicit FewFiles(rlim_t count) {
    if (::getrlimit(RLIMIT_NOFILE, &before_) != 0) throw_errno("getrlimit");
    const rlimit few{count, before_.rlim_max};
    if (::setrlimit(RLIMIT_NOFILE, &few) != 0) throw_errno("setrlimit");
  }
  FewFiles(const FewFiles&) = delete;
  FewFiles& operator=(const FewFiles&) = delete;
  ~FewFiles() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

}  // namespace tektii::testing
