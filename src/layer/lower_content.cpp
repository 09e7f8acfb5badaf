#include "layer/lower_content.hpp"

#include "layer/member_name.hpp"
#include <tektii/util/error.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace tektii::layer {

namespace {

constexpr std::size_t k_compare_size = 128 * 1024;

std::size_t read_at(int fd, std::vector<std::byte>& buffer, std::uint64_t offset, const std::string& shown) {
  std::size_t filled = 0;
  while (filled < buffer.size()) {
    const ssize_t n = ::pread(fd, buffer.data() + filled, buffer.size() - filled, static_cast<off_t>(offset + filled));
    if (n == 0) break;
    if (n < 0 && errno != EINTR) throw_errno("read " + shown);
    if (n > 0) filled += static_cast<std::size_t>(n);
  }
  return filled;
}

}  // namespace

LowerContent::LowerContent(const std::vector<std::filesystem::path>& directories) {
  directories_.reserve(directories.size());
  for (const auto& directory : directories) directories_.push_back(std::make_unique<DirStack>(directory));
}

UniqueFd LowerContent::open(const std::string& path) {
  const std::string name(base_name(path));
  for (const auto& directory : directories_) {
    const std::optional<int> parent = directory->enter(parent_path(path));
    if (!parent) {
      if (errno == ENOENT) continue;
      return UniqueFd();  // hidden by something that is no directory
    }
    struct stat status {};
    if (::fstatat(*parent, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) continue;
      throw_errno("stat " + (directory->root() / path).string());
    }
    if (!S_ISREG(status.st_mode)) return UniqueFd();
    UniqueFd fd(::openat(*parent, name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!fd) throw_errno("open " + (directory->root() / path).string());
    return fd;
  }
  return UniqueFd();
}

bool LowerContent::has_same_content(const std::string& path, int fd, const std::stop_token& stop) {
  const UniqueFd old = open(path);
  return old && have_same_bytes(old.get(), fd, path, stop);
}

bool have_same_bytes(int first, int second, const std::string& shown, const std::stop_token& stop) {
  std::vector<std::byte> a(k_compare_size);
  std::vector<std::byte> b(k_compare_size);
  for (std::uint64_t offset = 0;; offset += k_compare_size) {
    throw_if_stopped(stop);
    const std::size_t size_a = read_at(first, a, offset, shown);
    const std::size_t size_b = read_at(second, b, offset, shown);
    if (size_a != size_b || !std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(size_a), b.begin())) {
      return false;
    }
    if (size_a < k_compare_size) return true;
  }
}

}  // namespace tektii::layer
