#pragma once

#include "layer_stack.hpp"
#include "step_cache.hpp"
#include <tektii/builder/cache.hpp>
#include <tektii/builder/progress.hpp>

#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace tektii::builder {

// The caches of --cache-from: a second level behind the local one. A cache that is not there, is damaged or can't be
// reached is left out with a warning, never an error. Records are believed; a hit touches no bytes, and the blob is
// fetched, and verified, when something asks for it. When it can't be had that is Error{damaged}, and CacheSource::lost
// remembers it. Thread-safe once it is read.
class ImportedCaches {
 public:
  // Reads all of them at once and reports on each. Throws Error{interrupted} alone.
  static std::shared_ptr<ImportedCaches> read(const std::vector<CacheSource>& sources, const oci::Platform& platform,
                                              ProgressSink& progress, const std::stop_token& stop);

  // The first that knows the step and has its layer; the fetcher is told where the layer is. A layer that is in the
  // store costs no request, another one a look at the cache.
  std::optional<StepResult> find(const std::string& key, store::BlobStore& blobs, BlobFetcher& fetcher,
                                 const std::stop_token& stop);
  std::optional<std::string> find_content(const std::string& key) const;
  // True when there is a cache that may know a step.
  bool offers_steps() const { return !caches_.empty(); }

  // True when a layer that a cache had offered could not be fetched since the last call: it is offered no more, so that
  // the steps can be done again without it.
  bool lost_layers();
  std::vector<std::string> warnings() const;

 private:
  struct Cache;
  std::vector<std::shared_ptr<Cache>> caches_;
};

}  // namespace tektii::builder
