#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>

namespace tektii::registry {

// What is known of blobs in repositories, each named "registry/repository@digest". Thread-safe.
class KnownBlobs {
 public:
  enum class Source {
    sent,  // by us, or mounted: the registry confirmed it
    seen,  // the registry says that it has it, which is not always so
  };

  void add(const std::string& blob, Source source) {
    const std::lock_guard lock(mutex_);
    blobs_[blob] = source;
  }
  void forget(const std::string& blob) {
    const std::lock_guard lock(mutex_);
    blobs_.erase(blob);
  }
  std::optional<Source> find(const std::string& blob) const {
    const std::lock_guard lock(mutex_);
    const auto found = blobs_.find(blob);
    return found == blobs_.end() ? std::nullopt : std::optional(found->second);
  }

  // A registry that did not mount a blob of a base: it is asked first whether it has the next one.
  void note_refused_mount(const std::string& registry) {
    const std::lock_guard lock(mutex_);
    without_mounts_.insert(registry);
  }
  bool mounts(const std::string& registry) const {
    const std::lock_guard lock(mutex_);
    return without_mounts_.count(registry) == 0;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, Source> blobs_;
  std::set<std::string> without_mounts_;
};

}  // namespace tektii::registry
