#pragma once

#include <tektii/fs/file_metadata.hpp>
#include <tektii/oci/descriptor.hpp>
#include <tektii/store/action_cache.hpp>
#include <tektii/store/blob_store.hpp>
#include <tektii/util/hash.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace tektii::builder {

// Builds the key of a step: a hash over what its result depends on, each field with its name.
class KeyBuilder {
 public:
  explicit KeyBuilder(std::string_view kind_and_version);
  KeyBuilder& field(std::string_view name, std::string_view value);
  KeyBuilder& metadata(const fs::FileMetadata& metadata);
  std::string finish() { return hash_.finish_hex(); }

 private:
  Sha256 hash_;
};

// What a step made: one layer, or nothing (a RUN that changed no file, a WORKDIR that exists).
struct StepResult {
  std::optional<oci::Layer> layer;
};

// nullopt when the step is not known or its blob is gone.
std::optional<StepResult> find_step(store::ActionCache& actions, store::BlobStore& blobs, const std::string& key);
void remember_step(store::ActionCache& actions, const std::string& key, const StepResult& result);

// The same for what a step reads: by the key of what is asked for the key of what is there.
std::optional<std::string> find_content(store::ActionCache& actions, const std::string& key);
void remember_content(store::ActionCache& actions, const std::string& key, const std::string& content);

}  // namespace tektii::builder
