#pragma once

#include <cstddef>
#include <functional>
#include <stop_token>

namespace tektii {

// Calls work(0) ... work(count - 1), at most `threads` at a time, in order of their numbers. When one throws, the token
// that all of them are handed is stopped, no other begins, and that first error is rethrown when all have ended. A stop
// of `stop` is passed on.
void for_each_in_parallel(std::size_t count, std::size_t threads, const std::stop_token& stop,
                          const std::function<void(std::size_t, const std::stop_token&)>& work);

}  // namespace tektii
