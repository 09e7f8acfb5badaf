#include "store/blob_file.hpp"
#include "store/file_times.hpp"
#include "store/layout_files.hpp"
#include <tektii/oci/media_type.hpp>
#include <tektii/store/layout.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/file_lock.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <optional>
#include <utility>

namespace tektii::store {

namespace fs = std::filesystem;

namespace {

using Json = nlohmann::ordered_json;

// What containerd and docker load call the image; ref.name holds the tag alone, as skopeo and umoci look it up.
constexpr std::string_view k_image_name = "io.containerd.image.name";

// Of files that are being written beside the others; a directory of somebody else is on another file system than ours.
constexpr std::string_view k_temporary_prefix = ".tektii-";

struct EntryName {
  std::string tag;
  std::string image_name;
};

Json write_entry(const oci::Descriptor& manifest, const EntryName& name) {
  Json entry;
  entry["mediaType"] = manifest.media_type;
  entry["digest"] = manifest.digest.str();
  entry["size"] = manifest.size;
  auto annotations = manifest.annotations;
  if (!name.image_name.empty()) annotations[std::string(k_image_name)] = name.image_name;
  if (!name.tag.empty()) annotations[std::string(k_ref_name)] = name.tag;
  if (!annotations.empty()) entry["annotations"] = annotations;
  if (manifest.platform) {
    entry["platform"]["architecture"] = manifest.platform->architecture;
    entry["platform"]["os"] = manifest.platform->os;
    if (!manifest.platform->variant.empty()) entry["platform"]["variant"] = manifest.platform->variant;
  }
  return entry;
}

// Whether `existing` is the entry that an image of that tag replaces. There is one without a tag at most: readers could
// not tell two of them apart.
bool is_replaced_by(const oci::Descriptor& existing, const std::string& tag) {
  return ref_name_of(existing) == tag;
}

// index.json with the entry put in. Works on the raw JSON, so that members of other entries that we don't know stay.
std::string updated_index(const std::string& text, const oci::Descriptor& manifest, const EntryName& name) {
  const auto parsed = oci::Index::parse(text);
  auto json = Json::parse(text);
  auto entries = Json::array();
  bool placed = false;
  for (std::size_t i = 0; i < parsed.manifests.size(); ++i) {
    if (!is_replaced_by(parsed.manifests[i], name.tag)) {
      entries.push_back(json["manifests"][i]);
    } else if (!std::exchange(placed, true)) {
      entries.push_back(write_entry(manifest, name));
    }
  }
  if (!placed) entries.push_back(write_entry(manifest, name));
  json["manifests"] = std::move(entries);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// What a killed process was writing, once nobody can be writing it any more.
void remove_strays(const fs::path& root) {
  constexpr std::chrono::hours k_abandoned{24};
  for (const auto& entry : fs::directory_iterator(root)) {
    if (!entry.path().filename().string().starts_with(k_temporary_prefix)) continue;
    const auto status = file_status(entry.path());
    if (!status || std::chrono::system_clock::now() - mtime_of(*status) < k_abandoned) continue;
    if (::unlink(entry.path().c_str()) != 0 && errno != ENOENT) throw_errno("remove " + entry.path().string());
  }
}

class LayoutTarget : public oci::ImageTarget {
 public:
  LayoutTarget(fs::path root, EntryName name, ExistingBlobs existing, const std::stop_token& stop)
      : root_(std::move(root)), name_(std::move(name)), existing_(existing) {
    refuse_foreign_directory(root_);
    ensure_layout(root_, stop);
    writing_.emplace(FileLock::acquire(root_ / "blobs", LockMode::shared, stop));
    remove_strays(root_);
  }

  bool has_manifest(const oci::Descriptor& manifest, std::stop_token stop) override {
    throw_if_stopped(stop);
    const auto index = oci::Index::parse(read_index_text(root_));
    const bool is_listed = std::any_of(index.manifests.begin(), index.manifests.end(), [&](const auto& entry) {
      return entry.digest == manifest.digest && ref_name_of(entry) == name_.tag;
    });
    return is_listed && is_complete(manifest, stop);
  }

  void put_blob(const oci::BlobUpload& upload, std::stop_token stop) override {
    throw_if_stopped(stop);
    if (has_blob(upload.blob, stop)) return;
    BlobFile file(root_, next_temporary());
    const auto source = upload.open();
    copy_stream(*source, file, stop);
    file.commit(BlobInfo{upload.blob.digest, upload.blob.size});
  }

  void put_manifest(const oci::Descriptor& manifest, const std::string& bytes, std::stop_token stop) override {
    throw_if_stopped(stop);
    if (!has_blob(manifest, stop)) {
      BlobFile file(root_, next_temporary());
      file.write(as_byte_span(bytes));
      file.commit(BlobInfo{manifest.digest, manifest.size});
    }
    // The directory itself is locked: index.json is replaced, so a lock on it would be a lock on the old file.
    const auto lock = FileLock::acquire(root_, LockMode::exclusive, stop);
    const auto text = read_index_text(root_);
    const auto updated = updated_index(text, manifest, name_);
    if (updated != text) write_document(root_ / "index.json", updated);
  }

 private:
  bool has_blob(const oci::Descriptor& blob, const std::stop_token& stop) const {
    if (existing_ == ExistingBlobs::of_right_size) return blob_size_in(root_, blob.digest) == blob.size;
    return is_blob_intact(root_, blob, stop);
  }

  bool is_complete(const oci::Descriptor& manifest, const std::stop_token& stop) const {
    if (!has_blob(manifest, stop)) return false;
    if (oci::is_index(manifest.media_type)) {
      const auto entries = oci::Index::parse(read_blob(root_, manifest)).manifests;
      return std::all_of(entries.begin(), entries.end(), [&](const auto& entry) { return has_blob(entry, stop); });
    }
    const auto parsed = oci::Manifest::parse(read_blob(root_, manifest));
    return has_blob(parsed.config, stop) && std::all_of(parsed.layers.begin(), parsed.layers.end(),
                                                        [&](const auto& layer) { return has_blob(layer, stop); });
  }

  fs::path next_temporary() {
    return root_ /
           fmt::format("{}{}-{}-{}", k_temporary_prefix, ::getpid(), static_cast<const void*>(this), counter_++);
  }

  fs::path root_;
  EntryName name_;
  ExistingBlobs existing_;
  std::optional<FileLock> writing_;  // keeps prune_layout away from blobs that no manifest names yet
  std::atomic<unsigned> counter_ = 0;
};

}  // namespace

std::unique_ptr<oci::ImageTarget> open_layout_target(const fs::path& directory, const std::string& tag,
                                                     const std::string& image_name, ExistingBlobs existing,
                                                     const std::stop_token& stop) {
  return std::make_unique<LayoutTarget>(directory, EntryName{tag, image_name}, existing, stop);
}

}  // namespace tektii::store
