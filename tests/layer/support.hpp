#pragma once

#include <tektii/fs/file_metadata.hpp>
#include <tektii/layer/layer_index.hpp>
#include <tektii/layer/layer_writer.hpp>
#include <tektii/oci/descriptor.hpp>
#include <tektii/store/blob_store.hpp>
#include <tektii/util/stream.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tektii::layer::testing {

// A blob store in memory.
class MemoryStore : public store::BlobStore {
 public:
  std::optional<std::uint64_t> size_of(const oci::Digest& digest) override;
  std::unique_ptr<ByteSource> open(const oci::Digest& digest) override;
  std::unique_ptr<store::BlobWriter> create() override;
  void discard(const oci::Digest& digest) override { blobs_.erase(digest); }

  oci::Digest add(const std::string& bytes);
  const std::string& bytes(const oci::Digest& digest) const { return blobs_.at(digest); }
  void corrupt(const oci::Digest& digest, const std::function<void(std::string&)>& change) {
    change(blobs_.at(digest));
  }
  std::size_t opened() const { return opened_; }

 private:
  std::mutex mutex_;
  std::map<oci::Digest, std::string> blobs_;
  std::size_t opened_ = 0;
};

fs::FileMetadata file_metadata(std::uint64_t size, std::uint32_t mode = 0644, std::int64_t mtime = 1000);
fs::FileMetadata directory_metadata(std::uint32_t mode = 0755, std::int64_t mtime = 1000);
fs::FileMetadata symlink_metadata(const std::string& target);
BlobOpener content(const std::string& text);

// One member of a tar made by hand, valid or not.
struct RawMember {
  std::string name;
  char type = '0';
  std::string body = {};
  std::string link = {};
  std::uint32_t mode = 0644;
  std::map<std::string, std::string> pax = {};
};
// A tar of them, written without TarEncoder so that hostile names are possible.
std::string raw_tar(const std::vector<RawMember>& members);

// Puts an uncompressed tar into the store as a layer.
oci::Layer add_layer(MemoryStore& store, const std::string& tar);
// The whole tar of a layer that was written to the store.
std::string uncompressed(MemoryStore& store, const oci::Layer& layer);

// "d 755 0:0 usr", "f 644 0:0 3 usr/a", "l usr/b -> a", "h usr/c => usr/a", "w usr/d", "o usr": one line per entry.
std::vector<std::string> describe(const LayerIndex& index);

LayerEntry entry_of(const std::string& path, const fs::FileMetadata& metadata);
LayerEntry whiteout_of(const std::string& path);

std::string error_of(const std::function<void()>& action);

}  // namespace tektii::layer::testing
