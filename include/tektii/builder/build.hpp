#pragma once

#include <tektii/builder/cache.hpp>
#include <tektii/builder/progress.hpp>
#include <tektii/builder/remote.hpp>
#include <tektii/builder/request.hpp>
#include <tektii/dockerfile/lint.hpp>
#include <tektii/exec/executor.hpp>
#include <tektii/layer/snapshots.hpp>
#include <tektii/oci/attestation.hpp>
#include <tektii/oci/ports.hpp>
#include <tektii/store/action_cache.hpp>
#include <tektii/store/blob_store.hpp>
#include <tektii/store/stat_cache.hpp>
#include <tektii/store/use_marks.hpp>

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace tektii::builder {

// Brings a layer's blob into the store if it is not there: layers of a base that no step read were not fetched.
using EnsureBlob = std::function<void(const oci::Layer& layer, const std::stop_token& stop)>;

struct BuildResult {
  oci::SealedImage image;
  oci::ImageConfig config;
  std::string base_name;  // of the final stage's base image; empty for scratch
  std::optional<oci::Digest> base_digest;
  EnsureBlob ensure_blob;  // works after the build, as long as the image sources' registry client lives
  std::vector<std::string> warnings = {};
  std::vector<dockerfile::LintWarning> lint_warnings = {};
  CacheRecords image_steps = {};                              // of the stages that the image consists of (mode=min)
  CacheRecords all_steps = {};                                // of every stage that was built (mode=max)
  std::optional<oci::AttestedImage> attested = std::nullopt;  // when the request asks for attestations

  // What gets the tag: the manifest, or the index above it.
  const oci::Descriptor& root() const { return attested ? attested->index.descriptor : image.manifest; }
};

// How a RUN gets its root file system: a stack of unpacked layers, or a copy of its own of all of their files.
enum class Snapshotter { overlayfs, copy };

// The seams of a build, passed down. Everything outlives the call.
struct BuildDeps {
  store::BlobStore& blobs;
  store::ActionCache& actions;
  layer::Snapshots& snapshots;
  exec::Executor& executor;
  oci::ImageOpener open_image;  // names that are not a stage, scratch or a directory context
  ProgressSink& progress;
  RemoteSources* remote = nullptr;  // without it, ADD takes nothing from other machines
  // Where cache mounts are kept, on the file system of the snapshots; empty: RUN --mount=type=cache is an error.
  std::filesystem::path cache_mounts = {};
  store::StatCache* stat_cache = nullptr;  // spares reading context files that did not change
  // Where layers of the image are written, when that is not `blobs` itself but something in front of it.
  store::BlobStore* image_blobs = nullptr;
  // Told, from the thread of a stage, of each layer that the image is going to have, from the lowest on, as soon as
  // that is certain: base layers and cached ones when a step first misses the cache, then each layer that is made. Not
  // called at all when nothing was made. It must not block; `ensure` may be kept like BuildResult::ensure_blob.
  std::function<void(const oci::Layer& layer, const EnsureBlob& ensure)> layer_sealed = {};
  std::vector<CacheSource> caches = {};    // of --cache-from; the first that knows a step counts
  const store::UseMarks* marks = nullptr;  // of the store that cache_mounts is in
  Snapshotter snapshotter = Snapshotter::overlayfs;
  MaterialLog* materials = nullptr;  // told what ADD takes from other machines; build_image() has its own
};

// Parses, plans, runs and seals. Problems of the Dockerfile and the context are all found before the first request, and
// those of the ONBUILD triggers of bases before the first step; the first one is thrown, the others are in its hints.
// Stages that do not need each other are built side by side (request.jobs).
BuildResult build_image(const BuildRequest& request, const BuildDeps& deps, const std::stop_token& stop);

// Everything but the steps: parses, checks every instruction, COPY source and RUN, looks every image up and checks what
// their ONBUILD triggers ask for. Throws what build_image would throw. Returns the names of the images.
std::vector<std::string> check_build(const BuildRequest& request, const BuildDeps& deps, const std::stop_token& stop);

// SOURCE_DATE_EPOCH as a --build-arg or an ARG before the first FROM gives it: a number of seconds, "context", or the
// name of a context or stage whose time it is; nullopt when neither does. Throws Error{usage} when the Dockerfile is
// not one.
std::optional<std::string> source_date_epoch_argument(const BuildRequest& request);

}  // namespace tektii::builder
