#include "layer/archive_output.hpp"

#include <tektii/util/error.hpp>

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <utility>

namespace tektii::layer {

namespace {

std::filesystem::path temporary_beside(const std::filesystem::path& file) {
  static std::atomic<unsigned> counter{0};
  return file.parent_path() / fmt::format(".{}.{}-{}.tmp", file.filename().string(), ::getpid(), counter++);
}

}  // namespace

FileOutput::FileOutput(std::filesystem::path file)
    : file_(std::move(file)),
      temporary_(temporary_beside(file_)),
      fd_(open_file(temporary_, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0644)) {}

FileOutput::~FileOutput() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void FileOutput::write(std::uint64_t offset, ByteSpan data) {
  while (!data.empty()) {
    const ssize_t n = ::pwrite(fd_.get(), data.data(), data.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw_errno("write " + file_.string());
    data = data.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
}

void FileOutput::finish() {
  if (::rename(temporary_.c_str(), file_.c_str()) != 0) throw_errno("rename to " + file_.string());
  temporary_.clear();
}

void StreamOutput::write(std::uint64_t offset, ByteSpan data) {
  if (offset != position_) {
    throw Error(ErrorKind::failure, fmt::format("an archive that is streamed was written out of order: at {} instead "
                                                "of {}",
                                                offset, position_));
  }
  sink_.write(data);
  position_ += data.size();
}

}  // namespace tektii::layer
