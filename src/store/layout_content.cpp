#include "store/blob_file.hpp"
#include "store/layout_files.hpp"
#include <tektii/oci/media_type.hpp>
#include <tektii/store/layout.hpp>
#include <tektii/store/layout_content.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/hash.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tektii::store {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t k_max_document = 4U << 20;

std::string blob_name(const oci::Digest& digest) {
  return "blobs/sha256/" + std::string(digest.hex());
}

class DirectoryFiles : public LayoutFiles {
 public:
  explicit DirectoryFiles(fs::path root) : root_(std::move(root)) {}

  std::optional<std::uint64_t> size_of(const std::string& name) override {
    std::error_code failure;
    const auto path = root_ / name;
    if (!fs::is_regular_file(path, failure)) return std::nullopt;
    const auto size = fs::file_size(path, failure);
    if (failure) throw_errno("stat " + path.string(), failure.value());
    return size;
  }
  std::unique_ptr<ByteSource> open(const std::string& name) override { return open_source(root_ / name); }

 private:
  fs::path root_;
};

class LayoutContent : public oci::ContentSource {
 public:
  LayoutContent(std::shared_ptr<LayoutFiles> files, std::string name, std::string shown)
      : files_(std::move(files)), name_(std::move(name)), shown_(std::move(shown)) {}

  oci::Document read_top(std::stop_token stop) override {
    throw_if_stopped(stop);
    if (!files_->size_of("index.json")) {
      throw Error(ErrorKind::usage, fmt::format("{} is not an OCI image layout: it has no index.json", shown_));
    }
    const auto source = files_->open("index.json");
    const auto index = oci::Index::parse(read_all(*source, k_max_document));
    auto entry = oci::Digest::is_valid(name_) ? find_digest(index, oci::Digest::parse(name_))
                                              : select_entry(index, name_, shown_);
    auto bytes = read_document(entry);
    entry.media_type = oci::media_type_of(bytes, entry.media_type);
    entry.annotations.clear();  // they belong to the entry, not to what it names
    return {std::move(entry), std::move(bytes)};
  }

  oci::Document read_manifest(const oci::Descriptor& manifest, std::stop_token stop) override {
    throw_if_stopped(stop);
    return {manifest, read_document(manifest)};
  }

  void fetch(const oci::Descriptor& blob, ByteSink& sink, std::stop_token stop) override {
    require(blob);
    const auto source = files_->open(blob_name(blob.digest));
    HashingSink hashed(sink);
    copy_stream(*source, hashed, stop);
    const auto digest = oci::Digest::of_hex(hashed.finish_hex());
    if (digest == blob.digest) return;
    throw Error(ErrorKind::failure, fmt::format("{}: {}: digest mismatch: expected {}, got {}", shown_,
                                                blob_name(blob.digest), blob.digest.str(), digest.str()));
  }

 private:
  void require(const oci::Descriptor& blob) const {
    const auto name = blob_name(blob.digest);
    const auto size = files_->size_of(name);
    if (!size) throw Error(ErrorKind::failure, fmt::format("{}: {} is missing", shown_, name));
    if (*size == blob.size) return;
    throw Error(ErrorKind::failure,
                fmt::format("{}: {}: size mismatch: expected {} bytes, got {}", shown_, name, blob.size, *size));
  }

  std::string read_document(const oci::Descriptor& document) const {
    require(document);
    const auto source = files_->open(blob_name(document.digest));
    auto bytes = read_all(*source, k_max_document);
    try {
      oci::check_document(document, bytes);
    } catch (Error& error) {
      error.add_context(shown_);
      throw;
    }
    return bytes;
  }

  oci::Descriptor find_digest(const oci::Index& index, const oci::Digest& digest) const {
    const auto entry = std::find_if(index.manifests.begin(), index.manifests.end(),
                                    [&](const auto& candidate) { return candidate.digest == digest; });
    if (entry != index.manifests.end()) return *entry;
    const auto size = files_->size_of(blob_name(digest));
    if (size && *size <= k_max_document) return {"", digest, *size};
    throw Error(ErrorKind::usage, fmt::format("{} has no image {}", shown_, digest.str())).add_hint(list_tags(index));
  }

  std::shared_ptr<LayoutFiles> files_;
  std::string name_;
  std::string shown_;
};

class LayoutContentTarget : public oci::ContentTarget {
 public:
  LayoutContentTarget(const fs::path& directory, const std::vector<LayoutName>& names) : root_(directory) {
    for (const auto& name : names) targets_.push_back(open_layout_target(directory, name.tag, name.image_name));
    if (targets_.empty()) targets_.push_back(open_layout_target(directory, ""));
  }

  // An index whose parts are missing is no reason to skip anything: what is there is not written again anyhow.
  bool has(const oci::Descriptor& manifest, bool is_top, std::stop_token stop) override {
    if (!is_top || oci::is_index(manifest.media_type)) return false;
    return std::all_of(targets_.begin(), targets_.end(),
                       [&](const auto& target) { return target->has_manifest(manifest, stop); });
  }
  void begin(const oci::Content& /*content*/, std::stop_token stop) override { throw_if_stopped(stop); }

  void put_blob(const oci::BlobUpload& upload, std::stop_token stop) override {
    targets_.front()->put_blob(upload, std::move(stop));
  }

  void finish(const oci::Content& content, std::stop_token stop) override {
    for (const auto& [descriptor, bytes] : content.manifests) {
      targets_.front()->put_blob({descriptor, [&bytes = bytes] { return std::make_unique<StringSource>(bytes); }},
                                 stop);
    }
    for (const auto& target : targets_) {
      target->put_manifest(content.top().descriptor, content.top().bytes, stop);
    }
  }

 private:
  fs::path root_;
  std::vector<std::unique_ptr<oci::ImageTarget>> targets_;
};

}  // namespace

std::unique_ptr<oci::ContentSource> open_layout_content(std::shared_ptr<LayoutFiles> files, const std::string& name,
                                                        const std::string& shown) {
  return std::make_unique<LayoutContent>(std::move(files), name, shown);
}

std::unique_ptr<oci::ContentSource> open_layout_content(const fs::path& directory, const std::string& name) {
  check_layout(directory);
  return open_layout_content(std::make_shared<DirectoryFiles>(directory), name, directory.string());
}

std::unique_ptr<oci::ContentTarget> open_layout_content_target(const fs::path& directory,
                                                               const std::vector<LayoutName>& names) {
  return std::make_unique<LayoutContentTarget>(directory, names);
}

}  // namespace tektii::store
