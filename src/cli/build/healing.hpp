#pragma once

#include "cli/terminal.hpp"
#include <tektii/util/error.hpp>

#include <fmt/format.h>

namespace tektii::cli {

// Builds and delivers. What turns out to be damaged in the store on the way has been removed by whoever noticed, and
// what a cache of --cache-from could not give is remembered as lost, so the same work done again finds it missing and
// fetches or makes it anew. Every attempt removes something, but a store that does not stop being damaged lies on a
// disk that is.
template <typename Work>
auto with_healing(Terminal& terminal, const Work& work) {
  constexpr int k_attempts = 8;
  for (int attempt = 1;; ++attempt) {
    try {
      return work();
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::damaged || attempt == k_attempts) throw;
      terminal.warning(fmt::format("{}: it is made again", error.what()));
    }
  }
}

}  // namespace tektii::cli
