#include "store/image_roots.hpp"

#include "store/layout_files.hpp"
#include <tektii/oci/media_type.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/file_lock.hpp>

#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include <unistd.h>

#include <algorithm>

namespace tektii::store {

namespace fs = std::filesystem;

namespace {

constexpr int k_max_nesting = 8;

void add_blobs(const fs::path& root, const oci::Descriptor& entry, int depth, std::set<oci::Digest>& blobs) {
  // An image that several names have is read once.
  if (depth > k_max_nesting || !blobs.insert(entry.digest).second) return;
  try {
    if (oci::is_manifest(entry.media_type)) {
      const auto manifest = oci::Manifest::parse(read_blob(root, entry));
      blobs.insert(manifest.config.digest);
      for (const auto& layer : manifest.layers) blobs.insert(layer.digest);
    } else if (oci::is_index(entry.media_type)) {
      for (const auto& inner : oci::Index::parse(read_blob(root, entry)).manifests) {
        add_blobs(root, inner, depth + 1, blobs);
      }
    }
  } catch (const Error& error) {
    spdlog::debug("an image of the store can't be read: {}", error.what());
  }
}

}  // namespace

std::set<oci::Digest> blobs_of_images(const fs::path& root) {
  std::set<oci::Digest> blobs;
  for (const auto& entry : oci::Index::parse(read_index_text(root)).manifests) add_blobs(root, entry, 0, blobs);
  return blobs;
}

std::vector<std::string> drop_images(const fs::path& root, const std::function<bool(const oci::Digest&)>& is_removed,
                                     bool dry_run, const std::stop_token& stop) {
  const auto lock = FileLock::acquire(root, LockMode::exclusive, stop);
  const auto text = read_index_text(root);
  const auto index = oci::Index::parse(text);
  auto json = nlohmann::ordered_json::parse(text);
  auto left = nlohmann::ordered_json::array();
  std::vector<std::string> dropped;
  for (std::size_t i = 0; i < index.manifests.size(); ++i) {
    const auto& entry = index.manifests[i];
    std::set<oci::Digest> blobs;
    add_blobs(root, entry, 0, blobs);
    if (std::none_of(blobs.begin(), blobs.end(), is_removed)) {
      left.push_back(json["manifests"][i]);
    } else {
      const auto name = ref_name_of(entry);
      dropped.push_back(name.empty() ? entry.digest.str() : name);
    }
  }
  if (dropped.empty() || dry_run) return dropped;
  const bool is_empty = left.empty();
  json["manifests"] = std::move(left);
  const auto path = root / "index.json";
  try {
    write_document(path, json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
  } catch (const Error& error) {
    if (!is_empty) throw;
    spdlog::debug("{} is removed: {}", path.string(), error.what());
    if (::unlink(path.c_str()) != 0) throw_errno("remove " + path.string());
  }
  return dropped;
}

}  // namespace tektii::store
