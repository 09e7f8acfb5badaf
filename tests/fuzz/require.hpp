#pragma once

#include <tektii/util/error.hpp>

#include <stdexcept>
#include <string>

namespace tektii::fuzz {

inline void require(bool holds, const std::string& property) {
  if (!holds) throw std::logic_error("does not hold: " + property);
}

// Runs `call`; what it may throw is a usage error. Returns whether it did.
template <typename Call>
bool is_refused(Call call) {
  try {
    call();
    return false;
  } catch (const Error& error) {
    require(error.kind() == ErrorKind::usage, "bad input is a usage error");
    require(!error.message().empty(), "an error has a message");
    return true;
  }
}

}  // namespace tektii::fuzz
