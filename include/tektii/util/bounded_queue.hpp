#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

namespace tektii {

// Hands values from threads to threads, in order, and holds at most `capacity` of them. Thread-safe.
template <typename Value>
class BoundedQueue {
 public:
  explicit BoundedQueue(std::size_t capacity) : capacity_(capacity) {}

  // Waits for room. False, and the value is dropped, when the queue was closed.
  bool push(Value value) {
    std::unique_lock lock(mutex_);
    has_room_.wait(lock, [this] { return closed_ || values_.size() < capacity_; });
    if (closed_) return false;
    values_.push_back(std::move(value));
    has_value_.notify_one();
    return true;
  }

  // Waits for a value; nullopt once the queue is closed and empty.
  std::optional<Value> pop() {
    std::unique_lock lock(mutex_);
    has_value_.wait(lock, [this] { return closed_ || !values_.empty(); });
    if (values_.empty()) return std::nullopt;
    std::optional<Value> value(std::move(values_.front()));
    values_.pop_front();
    has_room_.notify_one();
    return value;
  }

  // Nothing more comes; what is there is still handed out.
  void close() {
    close_and([] {});
  }
  // The same, and what is there is dropped.
  void abandon() {
    close_and([this] { values_.clear(); });
  }

 private:
  template <typename Then>
  void close_and(Then then) {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    then();
    has_room_.notify_all();
    has_value_.notify_all();
  }

  const std::size_t capacity_;
  std::mutex mutex_;
  std::condition_variable has_room_;
  std::condition_variable has_value_;
  std::deque<Value> values_;
  bool closed_ = false;
};

}  // namespace tektii
