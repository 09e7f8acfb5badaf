#include <tektii/fs/read_inside.hpp>
#include <tektii/fs/rooted_dir.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/fd.hpp>

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

namespace tektii::fs {
namespace {

// What opening says about a path that names no regular file; ENXIO is a socket.
bool means_none(int error_number) {
  return error_number == ENOENT || error_number == ENOTDIR || error_number == ELOOP || error_number == ENXIO;
}

}  // namespace

std::optional<std::string> read_inside(const std::filesystem::path& root, std::string_view path, std::size_t limit) {
  const std::string shown(path);
  // O_NONBLOCK: opening a fifo must not wait for a writer.
  auto opened = RootedDir(root).try_open(path, O_RDONLY | O_NONBLOCK);
  if (!opened.fd && means_none(opened.error_number)) return std::nullopt;
  if (!opened.fd) throw_errno("can't open " + shown, opened.error_number);
  struct stat status {};
  if (::fstat(opened.fd.get(), &status) != 0) throw_errno("stat " + shown);
  if (!S_ISREG(status.st_mode)) return std::nullopt;
  FdSource source(std::move(opened.fd), shown);
  return read_all(source, limit);
}

}  // namespace tektii::fs
