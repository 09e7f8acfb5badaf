#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tektii::store {

// Maps the key of a step (64 hex characters: a hash over everything the step depends on) to a small JSON record of what
// it made. A record that is damaged or names a blob that is gone counts as a miss, never as an error.
class ActionCache {
 public:
  virtual ~ActionCache() = default;
  virtual std::optional<std::string> get(std::string_view key) = 0;
  virtual void put(std::string_view key, std::string_view record) = 0;
};

}  // namespace tektii::store
