#include <tektii/fs/xattrs.hpp>
#include <tektii/util/error.hpp>

#include <fmt/format.h>

#include <sys/types.h>
#include <sys/xattr.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string_view>
#include <utility>

namespace tektii::fs {

namespace {

// Calls a function that fills a buffer until the buffer is large enough; nullopt where the file system has no extended
// attributes or the attribute is gone.
template <typename Fill>
std::optional<std::string> read_growing(const std::string& shown, const Fill& fill) {
  constexpr std::size_t k_longest = std::size_t{1} << 20;
  std::string buffer(256, '\0');
  while (true) {
    const ssize_t length = fill(buffer.data(), buffer.size());
    if (length >= 0) {
      buffer.resize(static_cast<std::size_t>(length));
      return buffer;
    }
    if (errno == EOPNOTSUPP || errno == ENODATA) return std::nullopt;
    if (errno != ERANGE || buffer.size() > k_longest) throw_errno("can't read the extended attributes of " + shown);
    buffer.resize(buffer.size() * 4);
  }
}

}  // namespace

// There is no lgetxattrat() before Linux 6.13; the magic link gives the directory, and the last component is not
// followed, so this never leaves the directory.
std::map<std::string, std::string> read_xattrs_at(int directory, const std::string& name, const std::string& shown) {
  const std::string path = fmt::format("/proc/self/fd/{}/{}", directory, name);
  const auto names =
      read_growing(shown, [&](char* buffer, std::size_t size) { return ::llistxattr(path.c_str(), buffer, size); });
  std::map<std::string, std::string> xattrs;
  std::string_view rest = names ? std::string_view(*names) : std::string_view();
  while (!rest.empty()) {
    const std::string key(rest.substr(0, rest.find('\0')));
    rest.remove_prefix(std::min(key.size() + 1, rest.size()));
    auto value = read_growing(
        shown, [&](char* buffer, std::size_t size) { return ::lgetxattr(path.c_str(), key.c_str(), buffer, size); });
    if (value) xattrs.emplace(key, std::move(*value));
  }
  return xattrs;
}

}  // namespace tektii::fs
