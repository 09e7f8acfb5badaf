#include "layer/tar_file.hpp"

#include "layer/member_name.hpp"
#include <tektii/util/compress.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/fd.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/text.hpp>

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>
#include <utility>

namespace tektii::layer {

namespace {

constexpr std::size_t k_max_members = 100'000;
constexpr std::uint64_t k_block = 512;
constexpr int k_max_links = 16;

std::string text_or_empty(const char* text) {
  return text == nullptr ? std::string() : std::string(text);
}

}  // namespace

// A file that is read at any place by any thread.
class TarFile::Bytes {
 public:
  Bytes(UniqueFd fd, std::string shown) : fd_(std::move(fd)), shown_(std::move(shown)) {
    struct stat status {};
    if (::fstat(fd_.get(), &status) != 0) throw_errno("stat " + shown_);
    size_ = static_cast<std::uint64_t>(status.st_size);
  }

  std::uint64_t size() const { return size_; }
  const std::string& shown() const { return shown_; }
  std::size_t read(std::uint64_t offset, std::span<std::byte> out) const {
    while (true) {
      const ssize_t n = ::pread(fd_.get(), out.data(), out.size(), static_cast<off_t>(offset));
      if (n >= 0) return static_cast<std::size_t>(n);
      if (errno != EINTR) throw_errno("read " + shown_);
    }
  }

 private:
  UniqueFd fd_;
  std::string shown_;
  std::uint64_t size_ = 0;
};

namespace {

// One part of the file; ends early where the file does.
template <typename Bytes>
class Part : public ByteSource {
 public:
  Part(std::shared_ptr<const Bytes> bytes, std::uint64_t offset, std::uint64_t size)
      : bytes_(std::move(bytes)), offset_(offset), left_(size) {}

  std::size_t read(std::span<std::byte> out) override {
    out = out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), left_)));
    if (out.empty()) return 0;
    const std::size_t n = bytes_->read(offset_, out);
    if (n == 0) throw Error(ErrorKind::failure, bytes_->shown() + ": the archive is cut short");
    offset_ += n;
    left_ -= n;
    return n;
  }

 private:
  std::shared_ptr<const Bytes> bytes_;
  std::uint64_t offset_;
  std::uint64_t left_;
};

// libarchive's view of the bytes, which skips what it does not need.
template <typename Bytes>
class Walk {
 public:
  explicit Walk(const Bytes& bytes)
      : bytes_(bytes), buffer_(64 * 1024), handle_(archive_read_new(), &archive_read_free) {
    if (!handle_) throw std::bad_alloc();
    auto* const handle = handle_.get();
    const bool ready = archive_read_support_format_tar(handle) == ARCHIVE_OK &&
                       archive_read_set_read_callback(handle, &Walk::read) == ARCHIVE_OK &&
                       archive_read_set_skip_callback(handle, &Walk::skip) == ARCHIVE_OK &&
                       archive_read_set_callback_data(handle, this) == ARCHIVE_OK &&
                       archive_read_open1(handle) == ARCHIVE_OK;
    if (!ready) fail();
  }
  Walk(const Walk&) = delete;
  Walk& operator=(const Walk&) = delete;
  ~Walk() = default;

  archive_entry* next() {
    archive_entry* entry = nullptr;
    const int result = archive_read_next_header(handle_.get(), &entry);
    if (result == ARCHIVE_EOF && !error_) return nullptr;
    // A warning is a name that the locale can't express; the bytes are there all the same.
    if (result != ARCHIVE_OK && result != ARCHIVE_WARN) fail();
    return entry;
  }
  std::uint64_t header_position() const {
    return static_cast<std::uint64_t>(archive_read_header_position(handle_.get()));
  }

 private:
  static la_ssize_t read(archive* handle, void* self, const void** data) {
    auto& walk = *static_cast<Walk*>(self);
    try {
      *data = walk.buffer_.data();
      const std::size_t n = walk.bytes_.read(walk.position_, walk.buffer_);
      walk.position_ += n;
      return static_cast<la_ssize_t>(n);
    } catch (...) {
      walk.error_ = std::current_exception();  // no exception may cross the C frames
      archive_set_error(handle, EIO, "reading failed");
      return -1;
    }
  }
  static la_int64_t skip(archive* /*handle*/, void* self, la_int64_t request) {
    auto& walk = *static_cast<Walk*>(self);
    const auto left = walk.bytes_.size() - std::min(walk.position_, walk.bytes_.size());
    const auto count = std::min<std::uint64_t>(left, request < 0 ? 0 : static_cast<std::uint64_t>(request));
    walk.position_ += count;
    return static_cast<la_int64_t>(count);
  }
  [[noreturn]] void fail() const {
    if (error_) std::rethrow_exception(error_);
    throw Error(ErrorKind::failure, fmt::format("{} is no tar archive: {}", bytes_.shown(),
                                                escape_control(text_or_empty(archive_error_string(handle_.get())))));
  }

  const Bytes& bytes_;
  std::vector<std::byte> buffer_;
  std::uint64_t position_ = 0;
  std::exception_ptr error_;
  std::unique_ptr<archive, int (*)(archive*)> handle_;
};

// The number in a field of a header: octal, or big-endian behind a set top bit (GNU).
std::uint64_t number_in(std::span<const std::byte> field) {
  std::uint64_t value = 0;
  if ((field[0] & std::byte{0x80}) != std::byte{0}) {
    for (std::size_t i = 1; i < field.size(); ++i) value = value << 8U | std::to_integer<std::uint64_t>(field[i]);
    return value;
  }
  for (const std::byte byte : field) {
    const char c = static_cast<char>(byte);
    if (c >= '0' && c <= '7') value = value << 3U | static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

// Where the content of the member begins whose first header is at `position`: behind the extended headers (PAX and GNU)
// that come before its own, which libarchive counts to it.
template <typename Bytes>
std::uint64_t content_offset(const Bytes& bytes, std::uint64_t position) {
  std::array<std::byte, k_block> header{};
  while (true) {
    if (bytes.read(position, header) != k_block) {
      throw Error(ErrorKind::failure, bytes.shown() + ": the archive is cut short");
    }
    const char type = static_cast<char>(header[156]);
    position += k_block;
    if (type != 'x' && type != 'g' && type != 'L' && type != 'K') return position;
    const auto size = number_in(std::span(header).subspan(124, 12));
    if (size > bytes.size()) throw Error(ErrorKind::failure, bytes.shown() + ": the archive is cut short");
    position += (size + k_block - 1) / k_block * k_block;
  }
}

// "a/x/layer.tar" for a link "../x/layer.tar" at "a/y/layer.tar"; empty when it leads out of the archive.
std::string resolved(const std::string& from, const std::string& target) {
  const auto path = (std::filesystem::path(from).parent_path() / target).lexically_normal().string();
  return path.starts_with('/') || path.starts_with("..") ? std::string() : path;
}

// The file as it is, or decompressed.
UniqueFd open_plain(const std::filesystem::path& file, const std::filesystem::path& scratch,
                    const std::stop_token& stop) {
  std::error_code failure;
  const auto status = std::filesystem::status(file, failure);
  if (!std::filesystem::is_regular_file(status)) {
    throw Error(ErrorKind::usage, file.string() + (std::filesystem::exists(status) ? " is no file" : ": no such file"));
  }
  auto fd = open_file(file, O_RDONLY);
  std::array<std::byte, 6> head{};
  const ssize_t n = ::pread(fd.get(), head.data(), head.size(), 0);
  if (n < 0) throw_errno("read " + file.string());
  const auto compression = detect_compression(ByteSpan(head).first(static_cast<std::size_t>(n)));
  if (compression == Compression::none) return fd;
  const auto source = make_decompressor(compression, std::make_unique<FdSource>(std::move(fd), file.string()));
  std::string name = (scratch / ".tar-XXXXXX").string();
  UniqueFd plain(::mkostemp(name.data(), O_CLOEXEC));
  if (!plain) throw_errno("can't make a temporary file in " + scratch.string());
  if (::unlink(name.c_str()) != 0) throw_errno("remove " + name);
  FdSink sink(UniqueFd(::fcntl(plain.get(), F_DUPFD_CLOEXEC, 0)), name);
  copy_stream(*source, sink, stop);
  return plain;
}

}  // namespace

TarFile::TarFile(const std::filesystem::path& file, const std::filesystem::path& scratch, const std::stop_token& stop)
    : shown_(file.string()), bytes_(std::make_shared<Bytes>(open_plain(file, scratch, stop), shown_)) {
  read_members(stop);
}

void TarFile::read_members(const std::stop_token& stop) {
  Walk<Bytes> walk(*bytes_);
  std::size_t count = 0;
  while (auto* entry = walk.next()) {
    throw_if_stopped(stop);
    if (++count > k_max_members) {
      throw Error(ErrorKind::failure, fmt::format("{} has more than {} members", shown_, k_max_members));
    }
    const auto name = normalise_member_name(text_or_empty(archive_entry_pathname(entry)));
    Member member;
    if (const auto target = text_or_empty(archive_entry_hardlink(entry)); !target.empty()) {
      member.link = normalise_member_name(target);
    } else if (archive_entry_filetype(entry) == AE_IFLNK) {
      member.link = resolved(name, text_or_empty(archive_entry_symlink(entry)));
      if (member.link.empty()) continue;
    } else if (archive_entry_filetype(entry) == AE_IFREG) {
      if (archive_entry_sparse_count(entry) > 0 || archive_entry_size(entry) < 0) {
        throw Error(ErrorKind::failure, fmt::format("{}: {} is a sparse file", shown_, escape_control(name)));
      }
      member.size = static_cast<std::uint64_t>(archive_entry_size(entry));
      member.offset = content_offset(*bytes_, walk.header_position());
      if (member.size > bytes_->size() - std::min(member.offset, bytes_->size())) {
        throw Error(ErrorKind::failure,
                    fmt::format("{}: the archive is cut short in {}", shown_, escape_control(name)));
      }
    } else {
      continue;
    }
    members_.insert_or_assign(name, std::move(member));
  }
}

const TarFile::Member* TarFile::find(const std::string& name) const {
  auto found = members_.find(name);
  for (int links = 0; found != members_.end() && links < k_max_links; ++links) {
    if (found->second.link.empty()) return &found->second;
    found = members_.find(found->second.link);
  }
  return nullptr;
}

std::optional<std::uint64_t> TarFile::size_of(const std::string& name) const {
  const auto* member = find(name);
  return member == nullptr ? std::nullopt : std::optional(member->size);
}

std::unique_ptr<ByteSource> TarFile::open(const std::string& name) const {
  const auto* member = find(name);
  if (member == nullptr)
    throw Error(ErrorKind::failure, fmt::format("{} has no file {}", shown_, escape_control(name)));
  return std::make_unique<Part<Bytes>>(bytes_, member->offset, member->size);
}

}  // namespace tektii::layer
