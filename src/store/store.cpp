#include "store/blob_file.hpp"
#include "store/file_times.hpp"
#include "store/layout_files.hpp"
#include "store/temp_area.hpp"
#include "store/verified_blob.hpp"
#include <tektii/store/store.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/hash.hpp>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>

namespace tektii::store {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t k_max_record = 16U << 20;
constexpr std::size_t k_checksum_line = 65;  // 64 hex characters and '\n'

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

fs::path action_path(const fs::path& root, std::string_view key) {
  const bool is_key = key.size() == 64 && std::all_of(key.begin(), key.end(), [](char c) {
                        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
                      });
  // The key becomes part of a path.
  if (!is_key) throw Error(ErrorKind::failure, "an action key must be 64 lower-case hex characters");
  return root / "actions" / "v1" / key.substr(0, 2) / key.substr(2);
}

}  // namespace

// Remembers what was written, which need not be verified when it is read again.
class Store::FreshBlob : public BlobFile {
 public:
  explicit FreshBlob(Store& store) : BlobFile(store.root_, store.temp_->next_name("blob")), store_(store) {}
  BlobInfo commit(const std::optional<BlobInfo>& expected) override {
    auto info = BlobFile::commit(expected);
    const std::lock_guard lock(store_.mutex_);
    store_.fresh_.insert(info.digest);
    return info;
  }

 protected:
  std::optional<FileLock> guard(const fs::path& target) override { return store_.marks_->guard_replacement(target); }

 private:
  Store& store_;
};

Store::Store(fs::path root) : root_(std::move(root)) {
  try {
    make_directories(root_);
    // Relative paths would change their meaning with the working directory.
    root_ = fs::canonical(root_);
    mend_layout(root_);
    ensure_layout(root_);
    make_directories(root_ / "actions" / "v1");
    make_directories(root_ / "gc" / "v1");
    temp_ = std::make_unique<TempArea>(root_ / "tmp");
    marks_.emplace(root_ / "gc" / "v1" / "gate", temp_->started());
  } catch (Error& error) {
    error.add_context("open the store at " + root_.string());
    error.add_hint("TEKTII_CACHE_DIR names the directory; point it at one that you can write to");
    throw;
  } catch (const fs::filesystem_error& error) {
    throw_errno("open the store at " + root_.string(), error.code().value());
  }
}

Store::~Store() = default;

fs::path Store::default_root() {
  if (const auto configured = environment("TEKTII_CACHE_DIR"); !configured.empty()) return configured;
  // A relative XDG directory is to be ignored (XDG base directory specification).
  if (const fs::path cache = environment("XDG_CACHE_HOME"); cache.is_absolute()) return cache / "tektii";
  if (const auto home = environment("HOME"); !home.empty()) return fs::path(home) / ".cache" / "tektii";
  Error error(ErrorKind::usage, "no directory for the store: neither TEKTII_CACHE_DIR nor HOME is set");
  error.add_hint("set TEKTII_CACHE_DIR to a directory that you can write to");
  throw error;
}

fs::path Store::blob_path(const oci::Digest& digest) const {
  return blob_path_in(root_, digest);
}

const fs::path& Store::temp_directory() const {
  return temp_->path();
}

fs::path Store::next_temp_name(std::string_view prefix) {
  return temp_->next_name(prefix);
}

std::optional<std::uint64_t> Store::size_of(const oci::Digest& digest) {
  // Without the mark it might be gone by the time that the caller uses it.
  if (!marks_->mark(blob_path(digest))) return std::nullopt;
  return blob_size_in(root_, digest);
}

std::unique_ptr<ByteSource> Store::open(const oci::Digest& digest) {
  // Of that kind too when it is another reader who has just removed it: making it again is what helps.
  if (!size_of(digest))
    throw Error(ErrorKind::damaged, fmt::format("blob {} is not in the store at {}", digest.str(), root_.string()));
  {
    const std::lock_guard lock(mutex_);
    if (fresh_.contains(digest)) return open_source(blob_path(digest));
  }
  const auto path = blob_path(digest);
  return std::make_unique<VerifiedBlob>(open_file(path, O_RDONLY), path.string(), digest,
                                        [this, digest](int fd) { remove_damaged(digest, fd); });
}

void Store::discard(const oci::Digest& digest) {
  {
    const std::lock_guard lock(mutex_);
    fresh_.erase(digest);
  }
  const UniqueFd fd(::open(blob_path(digest).c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd && errno == ENOENT) return;
  if (!fd) throw_errno("open " + blob_path(digest).string());
  if (!has_digest(fd.get(), digest)) remove_damaged(digest, fd.get());
}

// What has the name by now may be another file than the one that was found damaged: another process has healed it.
// While that one is open, no other file has its inode.
void Store::remove_damaged(const oci::Digest& digest, int fd) {
  {
    const std::lock_guard lock(mutex_);
    fresh_.erase(digest);
  }
  const auto path = blob_path(digest);
  struct stat damaged {};
  if (::fstat(fd, &damaged) != 0) throw_errno("stat " + path.string());
  const auto gate = marks_->guard_removal();
  const auto present = file_status(path);
  if (!present || present->st_ino != damaged.st_ino || present->st_dev != damaged.st_dev) return;
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) throw_errno("remove " + path.string());
}

std::unique_ptr<BlobWriter> Store::create() {
  return std::make_unique<FreshBlob>(*this);
}

std::optional<std::string> Store::get(std::string_view key) {
  const auto path = action_path(root_, key);
  if (!marks_->mark(path)) return std::nullopt;
  std::string content;
  try {
    content = read_file(path, k_max_record);
  } catch (const Error& error) {
    spdlog::debug("an action record counts as missing: {}", error.what());
    return std::nullopt;
  }
  const auto checksum = std::string_view(content).substr(0, k_checksum_line - 1);
  if (content.size() < k_checksum_line || content[k_checksum_line - 1] != '\n' ||
      Sha256::hex_of(std::string_view(content).substr(k_checksum_line)) != checksum) {
    spdlog::debug("the action record {} is damaged and counts as missing", path.string());
    return std::nullopt;
  }
  return content.substr(k_checksum_line);
}

// Records are not synced: one that a power cut damages fails its checksum, and the step runs again.
void Store::put(std::string_view key, std::string_view record) {
  const auto path = action_path(root_, key);
  make_directories(path.parent_path());
  const auto temporary = temp_->next_name("action");
  write_file_atomic(temporary, fmt::format("{}\n{}", Sha256::hex_of(record), record));
  const auto held = marks_->guard_replacement(path);
  if (::rename(temporary.c_str(), path.c_str()) != 0) throw_errno("rename to " + path.string());
}

}  // namespace tektii::store
