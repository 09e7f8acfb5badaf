#pragma once

#include <mutex>
#include <utility>

namespace tektii::testing {

// A value that a test changes while the threads of its server read it. A request that comes after the change is ordered
// by the connection, but neither the language nor ThreadSanitizer knows of that.
template <typename T>
class Guarded {
 public:
  Guarded() = default;
  explicit(false) Guarded(T value) : value_(std::move(value)) {}

  Guarded& operator=(T value) {
    const std::lock_guard lock(mutex_);
    value_ = std::move(value);
    return *this;
  }
  T get() const {
    const std::lock_guard lock(mutex_);
    return value_;
  }

 private:
  mutable std::mutex mutex_;
  T value_{};
};

}  // namespace tektii::testing
