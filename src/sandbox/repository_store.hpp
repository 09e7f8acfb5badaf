#pragma once

#include <tektii/oci/digest.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tektii::sandbox {

// The grammars of the distribution spec ("Pulling manifests"); a valid name is safe as a relative path.
bool is_repository_name(std::string_view name);
bool is_tag(std::string_view tag);

// Which blobs, manifests and tags belong to which repository; the bytes are in the blob store. On disk, below the root:
//   <name>/_blobs/<hex>       empty: the blob may be pulled from here
//   <name>/_manifests/<hex>   its media type
//   <name>/_tags/<tag>        the digest of its manifest
// No component of a name starts with '_', so repositories may be nested. Thread-safe: every change is one rename.
class RepositoryStore {
 public:
  explicit RepositoryStore(std::filesystem::path root) : root_(std::move(root)) {}

  bool exists(std::string_view name) const;
  bool has_blob(std::string_view name, const oci::Digest& digest) const;
  void link_blob(std::string_view name, const oci::Digest& digest);

  // The media type of a manifest; nullopt when the repository does not have it.
  std::optional<std::string> manifest_type(std::string_view name, const oci::Digest& digest) const;
  void link_manifest(std::string_view name, const oci::Digest& digest, std::string_view media_type);

  std::optional<oci::Digest> find_tag(std::string_view name, std::string_view tag) const;
  void set_tag(std::string_view name, std::string_view tag, const oci::Digest& digest);
  std::vector<std::string> tags(std::string_view name) const;  // in lexical order
  std::vector<std::string> names() const;                      // in lexical order

 private:
  std::filesystem::path path(std::string_view name, std::string_view kind, std::string_view entry) const;

  std::filesystem::path root_;
};

}  // namespace tektii::sandbox
