#include "cli/results/result_file.hpp"

#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace tektii::cli {

namespace {

constexpr std::chrono::milliseconds k_redraw{100};
constexpr std::chrono::milliseconds k_first_draw{500};  // what is quicker needs no line

}  // namespace

ResultFile::ResultFile(const std::string& path) : path_(path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path_, ignored)) {
    throw Error(ErrorKind::usage, fmt::format("{} is a directory", path)).add_hint("-o names a file");
  }
  partial_ = path_;
  partial_ += fmt::format(".part{}", ::getpid());
  fd_ = UniqueFd(::open(partial_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (!fd_) {
    throw Error(ErrorKind::usage, fmt::format("can't write {}: {}", path, std::generic_category().message(errno)));
  }
}

ResultFile::~ResultFile() {
  if (fd_) ::unlink(partial_.c_str());
}

void ResultFile::write(ByteSpan data) {
  while (!data.empty()) {
    const ssize_t written = ::write(fd_.get(), data.data(), data.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      throw Error(ErrorKind::failure,
                  fmt::format("can't write {}: {}", path_.string(), std::generic_category().message(errno)));
    }
    size_ += static_cast<std::uint64_t>(written);
    data = data.subspan(static_cast<std::size_t>(written));
  }
}

void ResultFile::commit() {
  std::error_code error;
  std::filesystem::rename(partial_, path_, error);
  if (error) throw Error(ErrorKind::failure, fmt::format("can't write {}: {}", path_.string(), error.message()));
  fd_ = UniqueFd();
}

DownloadLine::~DownloadLine() {
  if (shown_) context_.terminal.error_text("\r\x1b[K");
}

void DownloadLine::show(std::uint64_t received, std::optional<std::uint64_t> total) {
  const TerminalTraits& traits = context_.terminal.traits();
  // Over results on the same terminal the line would only be in the way.
  if (!traits.err_is_tty || traits.out_is_tty || context_.terminal.quiet()) return;
  const auto now = context_.clock.now();
  if (now - begin_ < k_first_draw || now - drawn_ < k_redraw) return;
  drawn_ = now;
  shown_ = true;
  std::string text = format_bytes(received);
  if (total && *total > 0) {
    constexpr std::size_t k_width = 24;
    const auto filled = static_cast<std::size_t>(std::min(received, *total) * k_width / *total);
    text = fmt::format("[{}{}] {} of {}", std::string(filled, '#'), std::string(k_width - filled, '.'), text,
                       format_bytes(*total));
  }
  context_.terminal.error_text(fmt::format("\r\x1b[KDownloading {}", text));
}

}  // namespace tektii::cli
