#include <tektii/util/error.hpp>
#include <tektii/util/fd.hpp>
#include <tektii/util/file.hpp>

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <system_error>
#include <utility>

namespace tektii {

namespace {

// Unlinks a temporary file unless it was renamed to its place.
class TempFileGuard {
 public:
  explicit TempFileGuard(std::string path) : path_(std::move(path)) {}
  TempFileGuard(const TempFileGuard&) = delete;
  TempFileGuard& operator=(const TempFileGuard&) = delete;
  ~TempFileGuard() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  void dismiss() { path_.clear(); }

 private:
  std::string path_;
};

}  // namespace

std::string read_file(const std::filesystem::path& path, std::size_t limit) {
  const auto fd = open_file(path, O_RDONLY);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) throw_errno("stat " + path.string());
  std::string content;
  // One byte more than the size lets the usual file end with a read of 0 without growing; st_size is 0 for /proc files.
  content.resize(std::min(limit, static_cast<std::size_t>(std::max<off_t>(info.st_size, 4095))) + 1);
  std::size_t filled = 0;
  for (;;) {
    const auto count = ::read(fd.get(), content.data() + filled, content.size() - filled);
    if (count < 0) {
      if (errno == EINTR) continue;
      throw_errno("read " + path.string());
    }
    if (count == 0) break;
    filled += static_cast<std::size_t>(count);
    if (filled > limit)
      throw Error(ErrorKind::failure, fmt::format("read {}: larger than the allowed {} bytes", path.string(), limit));
    if (filled == content.size()) content.resize(content.size() * 2);
  }
  content.resize(filled);
  return content;
}

std::unique_ptr<ByteSource> open_source(const std::filesystem::path& path) {
  return std::make_unique<FdSource>(open_file(path, O_RDONLY), path.string());
}

void write_file_atomic(const std::filesystem::path& path, std::string_view content, unsigned mode) {
  auto temporary = (path.parent_path() / ("." + path.filename().string() + ".XXXXXX")).string();
  const UniqueFd fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd) throw_errno("create " + path.string());
  TempFileGuard guard(temporary);
  write_fully(fd.get(), as_byte_span(content), path.string());
  if (::fchmod(fd.get(), static_cast<mode_t>(mode)) != 0) throw_errno("chmod " + temporary);
  if (::rename(temporary.c_str(), path.c_str()) != 0) throw_errno("rename to " + path.string());
  guard.dismiss();
}

void make_directories(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) throw_errno("create directory " + path.string(), error.value());
}

}  // namespace tektii
