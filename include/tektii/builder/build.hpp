#pragma once

#include <tektii/builder/progress.hpp>
#include <tektii/builder/remote.hpp>
#include <tektii/builder/request.hpp>
#include <tektii/dockerfile/lint.hpp>
#include <tektii/exec/executor.hpp>
#include <tektii/layer/snapshots.hpp>
#include <tektii/oci/ports.hpp>
#include <tektii/store/action_cache.hpp>
#include <tektii/store/blob_store.hpp>
#include <tektii/store/use_marks.hpp>

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace tektii::builder {

struct BuildResult {
  oci::SealedImage image;
  oci::ImageConfig config;
  std::string base_name;  // of the final stage's base image; empty for scratch
  std::optional<oci::Digest> base_digest;
  // Brings a layer's blob into the store if it is not there: layers of the base that no step read were not fetched.
  // Keeps working after the build as long as the image sources' registry client lives.
  std::function<void(const oci::Layer& layer, const std::stop_token& stop)> ensure_blob;
  std::vector<std::string> warnings = {};
  std::vector<dockerfile::LintWarning> lint_warnings = {};
};

// The seams of a build, passed down. Everything outlives the call.
struct BuildDeps {
  store::BlobStore& blobs;
  store::ActionCache& actions;
  layer::Snapshots& snapshots;
  exec::Executor& executor;
  oci::ImageOpener open_image;  // names that are not a stage, scratch or a directory context
  ProgressSink& progress;
  // Why layers can't be unpacked with their owners, if so: RUN and copying out of a stage or image need that.
  std::optional<exec::Unavailable> unpack_unavailable = std::nullopt;
  RemoteSources* remote = nullptr;  // without it, ADD takes nothing from other machines
  // Where cache mounts are kept, on the file system of the snapshots; empty: RUN --mount=type=cache is an error.
  std::filesystem::path cache_mounts = {};
  const store::UseMarks* marks = nullptr;  // of the store that cache_mounts is in
};

// Parses, plans, runs and seals. Problems of the Dockerfile and the context are all found before the first request, and
// those of the ONBUILD triggers of bases before the first step; the first one is thrown, the others are in its hints.
// Stages that do not need each other are built side by side (request.jobs).
BuildResult build_image(const BuildRequest& request, const BuildDeps& deps, std::stop_token stop);

// Everything but the steps: parses, checks every instruction, COPY source and RUN, looks every image up and checks what
// their ONBUILD triggers ask for. Throws what build_image would throw. Returns the names of the images.
std::vector<std::string> check_build(const BuildRequest& request, const BuildDeps& deps, std::stop_token stop);

// SOURCE_DATE_EPOCH as a --build-arg or an ARG before the first FROM gives it: a number of seconds, "context", or the
// name of a context or stage whose time it is; nullopt when neither does. Throws Error{usage} when the Dockerfile is
// not one.
std::optional<std::string> source_date_epoch_argument(const BuildRequest& request);

}  // namespace tektii::builder
