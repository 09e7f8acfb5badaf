#pragma once

#include <string>
#include <utility>

namespace tektii {

// A string that can't be printed, formatted or compared by accident; its memory is wiped when it goes.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept : value_(std::move(other.value_)) { other.wipe(); }
  Secret& operator=(const Secret& other);
  Secret& operator=(Secret&& other) noexcept;
  ~Secret() { wipe(); }

  bool empty() const { return value_.empty(); }
  // The only way to the text: name every call site in review.
  const std::string& reveal() const { return value_; }

 private:
  void wipe() noexcept;

  std::string value_;
};

}  // namespace tektii
