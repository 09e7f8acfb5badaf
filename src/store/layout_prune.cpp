#include "store/blob_file.hpp"
#include "store/layout_files.hpp"
#include <tektii/oci/media_type.hpp>
#include <tektii/store/layout.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/file_lock.hpp>

#include <spdlog/spdlog.h>

#include <unistd.h>

#include <cerrno>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace tektii::store {

namespace fs = std::filesystem;

namespace {

constexpr int k_max_nesting = 8;

// nullopt for what is damaged; somebody else's damage is no reason to fail.
std::optional<std::string> read_or_nothing(const fs::path& root, const oci::Descriptor& entry) {
  try {
    return read_blob(root, entry);
  } catch (const Error& error) {
    spdlog::debug("{} can't be read: {}", entry.digest.str(), error.what());
    return std::nullopt;
  }
}

// The digests that an entry of index.json needs, itself included. False when something in it can't be read, so that
// what it needs is not known.
bool add_needed(const fs::path& root, const oci::Descriptor& entry, std::set<std::string, std::less<>>& needed,
                int depth) {
  needed.emplace(entry.digest.hex());
  if (depth > k_max_nesting) return false;
  const bool is_index = oci::is_index(entry.media_type);
  if (!is_index && !oci::is_manifest(entry.media_type)) return false;
  // A whole image may be missing in a layout; then nothing of it is there to be kept.
  if (!blob_size_in(root, entry.digest)) return true;
  const auto text = read_or_nothing(root, entry);
  if (!text) return false;
  if (is_index) {
    for (const auto& manifest : oci::Index::parse(*text).manifests) {
      if (!add_needed(root, manifest, needed, depth + 1)) return false;
    }
    return true;
  }
  const auto manifest = oci::Manifest::parse(*text);
  needed.emplace(manifest.config.digest.hex());
  for (const auto& layer : manifest.layers) needed.emplace(layer.digest.hex());
  return true;
}

std::uint64_t remove_file(const fs::path& path) {
  std::error_code failure;
  const auto size = fs::file_size(path, failure);
  if (failure) return 0;
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) throw_errno("remove " + path.string());
  return size;
}

}  // namespace

std::uint64_t prune_layout(const fs::path& root) {
  check_layout(root);
  const auto nobody_writes = FileLock::try_acquire(root / "blobs", LockMode::exclusive);
  if (!nobody_writes) return 0;
  std::set<std::string, std::less<>> needed;
  for (const auto& entry : oci::Index::parse(read_index_text(root)).manifests) {
    if (!add_needed(root, entry, needed, 0)) return 0;
  }
  std::vector<fs::path> unneeded;
  for (const auto& blob : fs::directory_iterator(root / "blobs" / "sha256")) {
    if (!needed.contains(blob.path().filename().string())) unneeded.push_back(blob.path());
  }
  // What a killed writer left.
  for (const auto& file : fs::directory_iterator(root)) {
    if (file.path().filename().string().starts_with(k_temporary_prefix)) unneeded.push_back(file.path());
  }
  std::uint64_t freed = 0;
  for (const auto& path : unneeded) freed += remove_file(path);
  return freed;
}

}  // namespace tektii::store
