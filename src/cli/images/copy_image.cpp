#include "cli/images/copy_image.hpp"

#include "cli/build/reported_upload.hpp"
#include <tektii/oci/manifest.hpp>
#include <tektii/oci/media_type.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/parallel.hpp>
#include <tektii/util/pushed_source.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <map>
#include <set>
#include <utility>
#include <vector>

namespace tektii::cli {
namespace {

constexpr std::size_t k_max_manifests = 2000;

// Layers that the image only points to: Windows base layers, by their licence.
bool is_foreign(const oci::Descriptor& layer) {
  return layer.media_type.find(".foreign.") != std::string::npos ||
         layer.media_type.find(".nondistributable.") != std::string::npos;
}

// Reads the documents below an index level by level, those of one level side by side.
class Collector {
 public:
  Collector(oci::ContentSource& source, std::size_t parallel, const std::function<bool(const oci::Descriptor&)>& known,
            const std::stop_token& stop)
      : source_(source), parallel_(parallel), known_(known), stop_(stop) {}

  oci::Content collect(oci::Document top) {
    const auto digest = top.descriptor.digest;
    std::vector<oci::Digest> level = {digest};
    seen_.insert(digest);
    documents_.emplace(digest, std::move(top));
    for (int depth = 0; !level.empty(); ++depth) {
      if (depth > oci::k_max_index_nesting + 1) {
        throw Error(ErrorKind::failure,
                    fmt::format("indexes are nested deeper than {} levels", oci::k_max_index_nesting));
      }
      level = read_below(level);
    }
    oci::Content content;
    add_in_order(digest, content.manifests);
    std::set<oci::Digest> blobs;
    for (const auto& document : content.manifests) {
      if (oci::is_index(document.descriptor.media_type)) continue;
      add_blobs(oci::Manifest::parse(document.bytes), blobs, content.blobs);
    }
    return content;
  }

 private:
  static void add_blobs(const oci::Manifest& manifest, std::set<oci::Digest>& seen,
                        std::vector<oci::Descriptor>& blobs) {
    if (seen.insert(manifest.config.digest).second) blobs.push_back(manifest.config);
    for (const auto& layer : manifest.layers) {
      if (!is_foreign(layer) && seen.insert(layer.digest).second) blobs.push_back(layer);
    }
  }

  static std::vector<oci::Descriptor> entries_of(const oci::Document& document) {
    if (!oci::is_index(document.descriptor.media_type)) return {};
    return oci::Index::parse(document.bytes).manifests;
  }

  // What a document names comes before it: registries refuse an index of which they lack a part. The depth is bounded
  // by how the documents were read.
  void add_in_order(const oci::Digest& digest, std::vector<oci::Document>& ordered) {
    const auto found = documents_.find(digest);
    if (found == documents_.end()) return;  // known to the target, or in the list already
    auto document = std::move(found->second);
    documents_.erase(found);
    for (const auto& entry : entries_of(document)) add_in_order(entry.digest, ordered);
    ordered.push_back(std::move(document));
  }

  std::vector<oci::Digest> read_below(const std::vector<oci::Digest>& level) {
    std::vector<oci::Descriptor> entries;
    for (const auto& digest : level) {
      for (auto& entry : entries_of(documents_.at(digest))) {
        if (!seen_.insert(entry.digest).second) continue;
        if (!oci::is_index(entry.media_type) && !oci::is_manifest(entry.media_type)) {
          throw Error(ErrorKind::failure, fmt::format("the index names {} of the type \"{}\", which can't be copied",
                                                      entry.digest.str(), escape_control(entry.media_type)));
        }
        entries.push_back(std::move(entry));
      }
    }
    if (seen_.size() > k_max_manifests) {
      throw Error(ErrorKind::failure, fmt::format("the index names more than {} manifests", k_max_manifests));
    }
    std::vector<std::optional<oci::Document>> found(entries.size());
    for_each_in_parallel(entries.size(), parallel_, stop_, [&](std::size_t i, const std::stop_token& token) {
      if (!known_(entries[i])) found[i] = source_.read_manifest(entries[i], token);
    });
    std::vector<oci::Digest> below;
    for (auto& document : found) {
      if (!document) continue;
      below.push_back(document->descriptor.digest);
      documents_.emplace(below.back(), std::move(*document));
    }
    return below;
  }

  oci::ContentSource& source_;
  std::size_t parallel_;
  const std::function<bool(const oci::Descriptor&)>& known_;
  const std::stop_token& stop_;
  std::set<oci::Digest> seen_;
  std::map<oci::Digest, oci::Document> documents_;
};

}  // namespace

oci::Content collect_content(oci::ContentSource& source, oci::Document top, std::size_t parallel,
                             const std::function<bool(const oci::Descriptor&)>& known, const std::stop_token& stop) {
  return Collector(source, parallel, known, stop).collect(std::move(top));
}

Copied copy_image(oci::ContentSource& source, oci::ContentTarget& target, const CopyOptions& options,
                  builder::ProgressSink& progress, const std::stop_token& stop) {
  auto top = source.read_top(stop);
  if (options.platform) top = oci::select_platform(source, std::move(top), *options.platform, stop);
  // Of an index the platform no longer matters, and it stands for itself.
  top.descriptor.platform.reset();
  const auto descriptor = top.descriptor;
  if (target.has(descriptor, true, stop)) return {descriptor, true};
  const auto known = [&](const oci::Descriptor& manifest) { return target.has(manifest, false, stop); };
  const auto content = collect_content(source, std::move(top), options.transfers, known, stop);
  target.begin(content, stop);
  for_each_in_parallel(content.blobs.size(), options.transfers, stop, [&](std::size_t i, const std::stop_token& token) {
    const auto& blob = content.blobs[i];
    const auto open = [&source, &blob, token] {
      return make_pushed_source(
          [&source, &blob](ByteSink& sink, const std::stop_token& own) { source.fetch(blob, sink, own); }, token);
    };
    const auto title = fmt::format("{} {} ({})", options.verb, blob.digest.short_hex(), format_bytes(blob.size));
    put_reported([&](const oci::BlobUpload& upload) { target.put_blob(upload, token); }, {blob, open, source.origin()},
                 {title, options.activity}, progress, token);
  });
  target.finish(content, stop);
  return {descriptor, false};
}

}  // namespace tektii::cli
