#include "cache_import.hpp"

#include "cache_document.hpp"
#include <tektii/oci/manifest.hpp>
#include <tektii/oci/media_type.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/parallel.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tektii::builder {
namespace {

constexpr std::size_t k_reads_at_once = 8;

[[noreturn]] void refuse(const std::string& reason) {
  throw Error(ErrorKind::failure, reason);
}

CacheRecords records_of(const oci::Artifact& artifact) {
  constexpr std::string_view k_buildkit_config = "application/vnd.buildkit.cacheconfig.v0";
  if (oci::is_index(artifact.manifest.media_type)) {
    if (artifact.manifest_bytes.find(k_buildkit_config) != std::string::npos) refuse(std::string(k_is_of_buildkit));
    refuse("it is an image of other platforms");
  }
  const auto type = oci::Manifest::parse(artifact.manifest_bytes).config.media_type;
  if (type == k_media_cache) return read_cache_document(artifact.config_bytes);
  if (oci::to_oci_media_type(type) == oci::k_media_config) return read_inline_cache(artifact.config_bytes);
  if (type == k_buildkit_config) refuse(std::string(k_is_of_buildkit));
  refuse(fmt::format("it is no cache, but \"{}\"", escape_control(type)));
}

// Steps whose layers the manifest does not list are dropped: a tool that compressed the layers anew left their records
// behind, and what the registry keeps is what the manifest lists. Returns how many.
std::size_t drop_unlisted(CacheRecords& records, const oci::Artifact& artifact) {
  std::set<oci::Digest> listed;
  for (const auto& layer : oci::Manifest::parse(artifact.manifest_bytes).layers) listed.insert(layer.digest);
  return std::erase_if(records.steps,
                       [&](const auto& step) { return step.second && !listed.contains(step.second->blob.digest); });
}

// Tells a failure of who receives the bytes from one of who gives them.
class ReceiverSink : public ByteSink {
 public:
  explicit ReceiverSink(ByteSink& next) : next_(next) {}
  void write(ByteSpan data) override {
    failed_ = true;
    next_.write(data);
    failed_ = false;
  }
  bool failed() const { return failed_; }

 private:
  ByteSink& next_;
  bool failed_ = false;
};

}  // namespace

struct ImportedCaches::Cache {
  explicit Cache(CacheSource from) : source(std::move(from)) {}

  void warn(const std::string& reason) {
    const std::lock_guard lock(mutex);
    warnings.push_back(fmt::format("cache {}: {}", source.name, reason));
  }

  // What is wrong with it, or how much of it, if anything.
  std::optional<std::string> read(const oci::Platform& platform, const std::stop_token& stop) {
    const auto artifact = source.source->read(platform, stop);
    if (!artifact) return "there is none yet, so nothing comes from it";
    records = records_of(*artifact);
    const auto dropped = drop_unlisted(records, *artifact);
    if (dropped == 0) return std::nullopt;
    return fmt::format("{} of its steps name layers that it does not have, as when it was compressed anew", dropped);
  }

  bool offers(const oci::Layer& layer, store::BlobStore& blobs, const std::stop_token& stop) {
    const auto& digest = layer.blob.digest;
    if (blobs.size_of(digest) == layer.blob.size) return true;
    if (source.lost->contains(digest)) return false;
    {
      const std::lock_guard lock(mutex);
      if (broken) return false;
      if (const auto known = present.find(digest); known != present.end()) return known->second;
    }
    try {
      const bool is_present = source.source->has_blob(layer.blob, stop);
      const std::lock_guard lock(mutex);
      return present[digest] = is_present;
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::interrupted) throw;
      // Steps are run instead: one failure is enough to wait for.
      const std::lock_guard lock(mutex);
      if (!std::exchange(broken, true)) {
        warnings.push_back(fmt::format("cache {}: no more is taken from it: {}", source.name, error.what()));
      }
      return false;
    }
  }

  // Whatever is wrong with the cache, building again helps: the step is made then. So the error says.
  void fetch(const oci::Descriptor& blob, ByteSink& sink, const std::stop_token& stop) {
    ReceiverSink receiver(sink);
    try {
      source.source->fetch(blob, receiver, stop);
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::interrupted || receiver.failed()) throw;
      source.lost->add(blob.digest);
      const auto reason = fmt::format("cache {}: a layer that it offered can't be had: {}", source.name, error.what());
      {
        const std::lock_guard lock(mutex);
        has_new_losses = true;
        warnings.push_back(reason);
      }
      throw Error(ErrorKind::damaged, reason).add_hint("leave this --cache-from out, and the steps are run");
    }
  }

  CacheSource source;
  CacheRecords records;
  std::mutex mutex;  // guards what follows
  std::map<oci::Digest, bool> present;
  bool broken = false;
  bool has_new_losses = false;
  std::vector<std::string> warnings;
};

std::shared_ptr<ImportedCaches> ImportedCaches::read(const std::vector<CacheSource>& sources,
                                                     const oci::Platform& platform, ProgressSink& progress,
                                                     const std::stop_token& stop) {
  auto imported = std::make_shared<ImportedCaches>();
  for (const auto& source : sources) imported->caches_.push_back(std::make_shared<Cache>(source));
  for_each_in_parallel(sources.size(), k_reads_at_once, stop, [&](std::size_t i, const std::stop_token& token) {
    auto& cache = *imported->caches_[i];
    ProgressStep report(progress, "importing cache from " + cache.source.name,
                        [token] { return token.stop_requested(); });
    std::optional<std::string> trouble;
    try {
      trouble = cache.read(platform, token);
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::interrupted) throw;
      trouble = fmt::format("nothing is taken from it: {}", error.what());
    }
    if (trouble) {
      cache.warn(*trouble);
      progress.step_output(report.id(), *trouble + "\n");
    }
    report.finish(StepOutcome::done);
  });
  return imported;
}

std::optional<StepResult> ImportedCaches::find(const std::string& key, store::BlobStore& blobs, BlobFetcher& fetcher,
                                               const std::stop_token& stop) {
  for (const auto& cache : caches_) {
    const auto found = cache->records.steps.find(key);
    if (found == cache->records.steps.end()) continue;
    if (!found->second) return StepResult{};
    auto layer = *found->second;
    if (!cache->offers(layer, blobs, stop)) continue;
    layer.origin = cache->source.origin;
    fetcher.add_source(layer, BlobSource{[cache](const oci::Descriptor& blob, ByteSink& sink,
                                                 const std::stop_token& token) { cache->fetch(blob, sink, token); }});
    return StepResult{std::move(layer)};
  }
  return std::nullopt;
}

std::optional<std::string> ImportedCaches::find_content(const std::string& key) const {
  for (const auto& cache : caches_) {
    const auto found = cache->records.contents.find(key);
    if (found != cache->records.contents.end()) return found->second;
  }
  return std::nullopt;
}

bool ImportedCaches::lost_layers() {
  bool any = false;
  for (const auto& cache : caches_) {
    const std::lock_guard lock(cache->mutex);
    any = std::exchange(cache->has_new_losses, false) || any;
  }
  return any;
}

std::vector<std::string> ImportedCaches::warnings() const {
  std::vector<std::string> all;
  for (const auto& cache : caches_) {
    const std::lock_guard lock(cache->mutex);
    all.insert(all.end(), cache->warnings.begin(), cache->warnings.end());
  }
  return all;
}

}  // namespace tektii::builder
