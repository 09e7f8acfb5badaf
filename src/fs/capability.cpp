#include <tektii/fs/capability.hpp>
#include <tektii/util/error.hpp>

#include <fmt/format.h>

#include <sys/xattr.h>

#include <array>
#include <cerrno>

namespace tektii::fs {

namespace {

// The kernel's largest form of it has 24 bytes.
using Buffer = std::array<char, 256>;

std::optional<std::string> value_of(const Buffer& buffer, ssize_t length, const std::string& shown) {
  if (length >= 0) return std::string(buffer.data(), static_cast<std::size_t>(length));
  if (errno == EOPNOTSUPP || errno == ENODATA) return std::nullopt;
  throw_errno("can't read the capability of " + shown);
}

}  // namespace

std::optional<std::string> read_capability(int fd, const std::string& shown) {
  Buffer buffer;
  return value_of(buffer, ::fgetxattr(fd, k_capability, buffer.data(), buffer.size()), shown);
}

// There is no lgetxattrat before Linux 6.13; the magic link gives the directory, and the last component of the path is
// not followed.
std::optional<std::string> read_capability_at(int directory, const std::string& name, const std::string& shown) {
  Buffer buffer;
  const std::string path = fmt::format("/proc/self/fd/{}/{}", directory, name);
  return value_of(buffer, ::lgetxattr(path.c_str(), k_capability, buffer.data(), buffer.size()), shown);
}

}  // namespace tektii::fs
