#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tektii::store {

// Maps the key of a step (64 lower-case hex characters: a hash over everything the step depends on) to a small JSON
// record of what it made. A record that is damaged counts as a miss, never as an error. The cache does not read
// records: whether the blobs that one names are still there, with their size, is for the caller to ask
// (BlobStore::size_of).
class ActionCache {
 public:
  virtual ~ActionCache() = default;
  virtual std::optional<std::string> get(std::string_view key) = 0;
  virtual void put(std::string_view key, std::string_view record) = 0;
};

}  // namespace tektii::store
