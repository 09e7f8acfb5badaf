#pragma once

#include <mutex>
#include <set>
#include <string>

namespace tektii::registry {

// Mirrors that could not be spoken to, or sent wrong bytes, in this run. Thread-safe.
class BrokenMirrors {
 public:
  bool has(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    return names_.contains(name);
  }
  void add(const std::string& name) {
    const std::lock_guard lock(mutex_);
    names_.insert(name);
  }

 private:
  mutable std::mutex mutex_;
  std::set<std::string> names_;
};

}  // namespace tektii::registry
