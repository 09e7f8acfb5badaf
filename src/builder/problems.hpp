#pragma once

#include <tektii/util/error.hpp>

#include <optional>
#include <string>
#include <utility>

namespace tektii::builder {

// Collects what is wrong with a build before it starts, so that one run reports everything: the first problem is what
// gets thrown, the others become its hints.
class Problems {
 public:
  void add(Error problem);
  bool empty() const { return !first_; }
  // Throws the collected problems, if any.
  void throw_if_any() const;

 private:
  std::optional<Error> first_;
};

}  // namespace tektii::builder
