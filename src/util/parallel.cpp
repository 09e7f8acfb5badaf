#include <tektii/util/parallel.hpp>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace tektii {

void for_each_in_parallel(std::size_t count, std::size_t threads, const std::stop_token& stop,
                          const std::function<void(std::size_t, const std::stop_token&)>& work) {
  std::stop_source source;
  const std::stop_callback pass_on(stop, [&] { source.request_stop(); });
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::exception_ptr first_error;
  const auto work_off = [&] {
    for (std::size_t i = next++; i < count; i = next++) {
      try {
        work(i, source.get_token());
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!first_error) first_error = std::current_exception();
        next = count;
        source.request_stop();
      }
    }
  };
  {
    std::vector<std::jthread> helpers;
    for (std::size_t i = 1; i < std::min(threads, count); ++i) helpers.emplace_back(work_off);
    work_off();
  }
  if (first_error) std::rethrow_exception(first_error);
}

}  // namespace tektii
