#pragma once

#include <tektii/fs/file_metadata.hpp>
#include <tektii/oci/descriptor.hpp>
#include <tektii/store/action_cache.hpp>
#include <tektii/store/blob_store.hpp>
#include <tektii/util/hash.hpp>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace tektii::builder {

// Builds the key of a step: a hash over what its result depends on, each field with its name.
class KeyBuilder {
 public:
  explicit KeyBuilder(std::string_view kind_and_version);
  KeyBuilder& field(std::string_view name, std::string_view value);
  KeyBuilder& metadata(const fs::FileMetadata& metadata);
  std::string finish();

 private:
  void add(std::string_view text);

  Sha256 hash_;
  std::string pending_;  // a key is made of very many small pieces
};

// The key of a step.
struct StepKey {
  StepKey(std::string known) : name(std::move(known)) {}  // NOLINT(google-explicit-constructor): most are just a key
  StepKey(std::string unique, std::function<std::string()> later) : name(std::move(unique)), late(std::move(later)) {}

  std::string name;  // equal for equal steps of one build
  // Tells the key once the step was made, where it can't be told before without reading everything twice. Such a step
  // is known not to be in the cache.
  std::function<std::string()> late;

  // The key; after the step was made where it is late.
  const std::string& tell() const {
    if (!late) return name;
    if (told_.empty()) told_ = late();
    return told_;
  }

 private:
  mutable std::string told_;
};

// Notes that a step with this key may be in the cache, and asks for it. For steps whose key needs their content: a
// cheaper key that equal steps have in common tells those that can't be known.
bool may_be_known(store::ActionCache& actions, const std::string& key);
void remember_that_known(store::ActionCache& actions, const std::string& key);

// What a step made: one layer, or nothing (a RUN that changed no file, a WORKDIR that exists).
struct StepResult {
  std::optional<oci::Layer> layer;
  bool is_new = false;  // made by this build, maybe in another stage
};

// nullopt when the step is not known or its blob is gone.
std::optional<StepResult> find_step(store::ActionCache& actions, store::BlobStore& blobs, const std::string& key);
void remember_step(store::ActionCache& actions, const std::string& key, const StepResult& result);

// The same for what a step reads: by the key of what is asked for the key of what is there.
std::optional<std::string> find_content(store::ActionCache& actions, const std::string& key);
void remember_content(store::ActionCache& actions, const std::string& key, const std::string& content);

}  // namespace tektii::builder
