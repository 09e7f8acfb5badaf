#include "layer/tar_reader.hpp"

#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <locale.h>

#include <limits>
#include <new>
#include <type_traits>

namespace tektii::layer {

namespace {

constexpr std::size_t k_read_size = 256 * 1024;
constexpr int k_max_xattrs = 1000;

// Gives this thread the C locale while libarchive parses a header. PAX names are UTF-8 by definition; libarchive
// converts them to the charset of the locale (and to NFC on the way), and keeps the raw bytes when that can't be done.
// In the C locale it can be done for ASCII alone, where it changes nothing.
class CLocale {
 public:
  CLocale() : c_(newlocale(LC_ALL_MASK, "C", nullptr)), saved_(uselocale(c_)) {}
  CLocale(const CLocale&) = delete;
  CLocale& operator=(const CLocale&) = delete;
  ~CLocale() {
    uselocale(saved_);
    if (c_ != nullptr) freelocale(c_);
  }

 private:
  locale_t c_;
  locale_t saved_;
};

std::string text_or_empty(const char* text) {
  return text == nullptr ? std::string() : std::string(text);
}

fs::FileType type_of(unsigned mode, const std::string& name) {
  switch (mode) {
    case AE_IFREG:
      return fs::FileType::regular;
    case AE_IFDIR:
      return fs::FileType::directory;
    case AE_IFLNK:
      return fs::FileType::symlink;
    case AE_IFCHR:
      return fs::FileType::char_device;
    case AE_IFBLK:
      return fs::FileType::block_device;
    case AE_IFIFO:
      return fs::FileType::fifo;
    default:
      throw Error(ErrorKind::failure, fmt::format("entry \"{}\" has an unknown type", escape_control(name)));
  }
}

std::uint32_t id_of(std::int64_t id, const std::string& name) {
  // (uid_t)-1 means "leave it" to chown(2), so it is no id.
  if (id < 0 || id >= std::numeric_limits<std::uint32_t>::max()) {
    throw Error(ErrorKind::failure, fmt::format("entry \"{}\" has the impossible owner {}", escape_control(name), id));
  }
  return static_cast<std::uint32_t>(id);
}

}  // namespace

TarReader::TarReader(ByteSource& source, Filters filters)
    : source_(source), buffer_(k_read_size), handle_(archive_read_new(), &archive_read_free) {
  if (!handle_) throw std::bad_alloc();
  static_assert(std::is_same_v<std::ptrdiff_t, la_ssize_t>);
  bool ready = archive_read_support_format_tar(handle_.get()) == ARCHIVE_OK;
  if (filters == Filters::compressed) {
    ready = ready && archive_read_support_filter_gzip(handle_.get()) == ARCHIVE_OK &&
            archive_read_support_filter_bzip2(handle_.get()) == ARCHIVE_OK &&
            archive_read_support_filter_xz(handle_.get()) == ARCHIVE_OK &&
            archive_read_support_filter_zstd(handle_.get()) == ARCHIVE_OK;
  } else {
    // "empty" is a tar of no bytes at all, which some tools write for a layer without files.
    ready = ready && archive_read_support_format_empty(handle_.get()) == ARCHIVE_OK;
  }
  if (!ready || archive_read_open(handle_.get(), this, nullptr, &TarReader::read_callback, nullptr) != ARCHIVE_OK) {
    fail();
  }
}

TarReader::~TarReader() = default;

std::ptrdiff_t TarReader::read_callback(archive* handle, void* self, const void** data) {
  auto& reader = *static_cast<TarReader*>(self);
  try {
    *data = reader.buffer_.data();
    return static_cast<std::ptrdiff_t>(reader.source_.read(reader.buffer_));
  } catch (...) {
    // No exception may cross the C frames; fail() throws it again on this side.
    reader.source_error_ = std::current_exception();
    archive_set_error(handle, EIO, "reading failed");
    return -1;
  }
}

void TarReader::fail() {
  if (source_error_) std::rethrow_exception(source_error_);
  const std::string reason = text_or_empty(archive_error_string(handle_.get()));
  std::string message = "not a valid tar: " + escape_control(reason.empty() ? "unknown format" : reason);
  if (!name_.empty()) message += fmt::format(" (at or after entry \"{}\")", escape_control(name_));
  throw Error(ErrorKind::failure, std::move(message));
}

bool TarReader::next(TarMember& member) {
  archive_entry* entry = nullptr;
  int result = ARCHIVE_OK;
  {
    const CLocale c_locale;
    result = archive_read_next_header(handle_.get(), &entry);
  }
  if (result == ARCHIVE_EOF) {
    if (source_error_) fail();
    return false;
  }
  // A warning is a name that the C locale can't express; that is expected. ARCHIVE_RETRY would go on behind a damaged
  // header.
  if (result != ARCHIVE_OK && result != ARCHIVE_WARN) fail();
  name_ = text_or_empty(archive_entry_pathname(entry));
  if (name_.empty()) throw Error(ErrorKind::failure, "not a valid tar: an entry has no name");
  member = TarMember();
  member.name = name_;
  member.hard_link_target = text_or_empty(archive_entry_hardlink(entry));
  member.is_hard_link = !member.hard_link_target.empty();
  size_ = 0;
  if (!member.is_hard_link) read_metadata(entry, member);
  return true;
}

void TarReader::read_metadata(archive_entry* entry, TarMember& member) {
  fs::FileMetadata& metadata = member.metadata;
  metadata.type = type_of(archive_entry_filetype(entry), name_);
  metadata.mode = static_cast<std::uint32_t>(archive_entry_perm(entry)) & 07777U;
  metadata.uid = id_of(archive_entry_uid(entry), name_);
  metadata.gid = id_of(archive_entry_gid(entry), name_);
  metadata.mtime = archive_entry_mtime(entry);
  if (metadata.type == fs::FileType::regular) {
    const std::int64_t size = archive_entry_size(entry);
    if (size < 0) throw Error(ErrorKind::failure, fmt::format("entry \"{}\" has a negative size", name_));
    metadata.size = size_ = static_cast<std::uint64_t>(size);
  } else if (metadata.type == fs::FileType::symlink) {
    // Linux gives every symlink this mode, whatever the tar says.
    metadata.mode = 0777;
    metadata.link_target = text_or_empty(archive_entry_symlink(entry));
    if (metadata.link_target.empty() || metadata.link_target.size() >= 4096) {
      throw Error(ErrorKind::failure,
                  fmt::format("symlink \"{}\" has an empty or too long target", escape_control(name_)));
    }
  } else if (metadata.type == fs::FileType::char_device || metadata.type == fs::FileType::block_device) {
    metadata.device_major = static_cast<std::uint32_t>(archive_entry_rdevmajor(entry));
    metadata.device_minor = static_cast<std::uint32_t>(archive_entry_rdevminor(entry));
  }
  read_xattrs(entry, member);
}

void TarReader::read_xattrs(archive_entry* entry, TarMember& member) {
  if (archive_entry_xattr_reset(entry) > k_max_xattrs) {
    throw Error(ErrorKind::failure,
                fmt::format("entry \"{}\" has too many extended attributes", escape_control(name_)));
  }
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  while (archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK) {
    if (name == nullptr || *name == '\0') continue;
    member.metadata.xattrs[name] = size == 0 ? "" : std::string(static_cast<const char*>(value), size);
  }
}

void TarReader::read_content(const std::function<void(std::uint64_t offset, ByteSpan data)>& sink) {
  while (true) {
    const void* data = nullptr;
    std::size_t size = 0;
    std::int64_t offset = 0;
    const int result = archive_read_data_block(handle_.get(), &data, &size, &offset);
    if (result == ARCHIVE_EOF) return;
    if (result != ARCHIVE_OK && result != ARCHIVE_WARN) fail();
    if (size == 0) continue;
    const auto begin = static_cast<std::uint64_t>(offset);
    if (offset < 0 || begin > size_ || size > size_ - begin) {
      throw Error(ErrorKind::failure, fmt::format("entry \"{}\" has more content than its size", name_));
    }
    sink(begin, ByteSpan(static_cast<const std::byte*>(data), size));
  }
}

}  // namespace tektii::layer
