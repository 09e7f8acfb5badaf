#pragma once

#include <tektii/builder/progress.hpp>
#include <tektii/exec/executor.hpp>
#include <tektii/layer/snapshots.hpp>
#include <tektii/oci/ports.hpp>
#include <tektii/store/action_cache.hpp>
#include <tektii/store/blob_store.hpp>
#include <tektii/util/compress.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace tektii::builder {

// What to build. Paths are absolute.
struct BuildRequest {
  std::filesystem::path context;  // a directory
  std::string dockerfile_text;
  std::string dockerfile_name = "Dockerfile";  // as shown in messages
  std::string ignore_text;                     // of the ignore file that applies; empty for none
  std::string ignore_name = ".dockerignore";
  std::map<std::string, std::string> build_args;
  std::string target;                                               // empty: the last stage
  std::map<std::string, std::filesystem::path> directory_contexts;  // --build-context NAME=DIR
  oci::Platform platform;
  bool no_cache = false;
  std::int64_t created = 0;            // time of the image and its history, in seconds
  std::int64_t source_date_epoch = 0;  // seconds; see docs/reproducible.md for where it comes from
  bool preserve_timestamps = false;
  bool preserve_modes = false;  // keep the permission bits of context files as they are
  CompressionOptions compression;
  std::map<std::string, std::string> annotations;
  bool base_annotations = false;  // add org.opencontainers.image.base.name and .digest
};

struct BuildResult {
  oci::SealedImage image;
  oci::ImageConfig config;
  std::string base_name;  // of the final stage's base image; empty for scratch
  std::optional<oci::Digest> base_digest;
  // Brings a layer's blob into the store if it is not there: layers of the base that no step read were not fetched.
  // Keeps working after the build as long as the image sources' registry client lives.
  std::function<void(const oci::Layer& layer, const std::stop_token& stop)> ensure_blob;
  std::vector<std::string> warnings = {};
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
};

// Parses, plans, runs and seals. Problems of the Dockerfile and the context are all found before the first request; the
// first one is thrown, the others are in its hints.
BuildResult build_image(const BuildRequest& request, const BuildDeps& deps, std::stop_token stop);

// The plan-time half alone: parse, check every instruction, COPY source and RUN. Throws what build_image would throw.
// Returns the names of the images that the build would open.
std::vector<std::string> check_build(const BuildRequest& request, const BuildDeps& deps);

}  // namespace tektii::builder
