#pragma once

#include <tektii/builder/progress.hpp>
#include <tektii/oci/content.hpp>

#include <cstddef>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

namespace tektii::cli {

struct CopyOptions {
  std::optional<oci::Platform> platform = oci::Platform{};  // of an index; nullopt takes the index with all it names
  std::size_t transfers = 6;                                // at a time; 1: the blobs come in the order of the content
  std::string verb = "copy";                                // in the titles of steps: "pull", "push"
  builder::Activity activity = builder::Activity::upload;   // what moving the bytes is called
};

// Manifests and blobs below `top`: all of an index. Foreign layers, whose bytes no registry has, are left out. Throws
// Error{failure} for indexes that are nested too deep or name something that is neither a manifest nor an index.
// `known` is asked about every manifest but the top: what is below one that it knows is not looked at, and not moved.
oci::Content collect_content(oci::ContentSource& source, oci::Document top, std::size_t parallel,
                             const std::function<bool(const oci::Descriptor&)>& known, const std::stop_token& stop);

struct Copied {
  oci::Descriptor top;     // what the destination has now
  bool was_there = false;  // nothing was sent
};

// Copies what the source names to the target, byte for byte: only the blobs that the target lacks are read, each once,
// and go from stream to stream. Throws what source and target throw.
Copied copy_image(oci::ContentSource& source, oci::ContentTarget& target, const CopyOptions& options,
                  builder::ProgressSink& progress, const std::stop_token& stop);

}  // namespace tektii::cli
