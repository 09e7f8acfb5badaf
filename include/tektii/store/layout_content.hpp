#pragma once

#include <tektii/oci/content.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace tektii::store {

// The files of an OCI layout, wherever they are. Thread-safe.
class LayoutFiles {
 public:
  virtual ~LayoutFiles() = default;
  // `name` is "index.json" or "blobs/sha256/<hex>"; nullopt when there is no such file.
  virtual std::optional<std::uint64_t> size_of(const std::string& name) = 0;
  virtual std::unique_ptr<ByteSource> open(const std::string& name) = 0;
};

// What is in a layout under a tag or digest, byte for byte; with an empty `name` the only entry of index.json, or
// "latest". Throws Error{usage}, when it is read, that lists the tags. `shown` names the layout in errors.
std::unique_ptr<oci::ContentSource> open_layout_content(std::shared_ptr<LayoutFiles> files, const std::string& name,
                                                        const std::string& shown);
// The same of a directory; throws Error{usage} when it is no layout.
std::unique_ptr<oci::ContentSource> open_layout_content(const std::filesystem::path& directory,
                                                        const std::string& name);

// Takes content into a layout directory as open_layout_target() does an image; indexes too. Each of the names becomes
// an entry of index.json.
struct LayoutName {
  std::string tag;         // org.opencontainers.image.ref.name
  std::string image_name;  // io.containerd.image.name, a full reference; may be empty
};
std::unique_ptr<oci::ContentTarget> open_layout_content_target(const std::filesystem::path& directory,
                                                               const std::vector<LayoutName>& names);

}  // namespace tektii::store
