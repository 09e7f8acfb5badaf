#include "stage_scheduler.hpp"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <vector>

namespace tektii::builder {
namespace {

class StageScheduler {
 public:
  StageScheduler(BuildSession& session, std::stop_source stop)
      : session_(session), stop_(std::move(stop)), left_(session.plan.stages.size()) {
    for (const auto& [index, stage] : session.plan.stages) {
      // Threads look finished stages up without a lock, so the map itself must not change any more.
      session.stages[index] = nullptr;
      if (stage.needs.empty()) {
        ready_.insert(index);
      } else {
        waiting_.emplace(index, stage.needs.size());
        for (const int needed : stage.needs) waited_for_[needed].push_back(index);
      }
    }
  }

  void run(std::size_t threads) {
    {
      std::vector<std::jthread> helpers;
      for (std::size_t i = 1; i < std::min(threads, session_.plan.stages.size()); ++i) {
        helpers.emplace_back([this] { work(); });
      }
      work();
    }
    if (error_) std::rethrow_exception(error_);
  }

 private:
  void work() {
    while (const auto index = next_stage()) {
      try {
        auto state = StageBuilder(session_, *index).build();
        const std::lock_guard lock(mutex_);
        finish(*index, std::move(state));
      } catch (...) {
        const std::lock_guard lock(mutex_);
        if (!error_) error_ = std::current_exception();
        stop_.request_stop();
      }
      changed_.notify_all();
    }
  }

  // The first stage in the order of the Dockerfile that has all it needs; nullopt when there is nothing more to do.
  std::optional<int> next_stage() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return error_ || left_ == 0 || !ready_.empty(); });
    if (error_ || left_ == 0) return std::nullopt;
    const int index = *ready_.begin();
    ready_.erase(ready_.begin());
    return index;
  }

  void finish(int index, std::shared_ptr<StageState> state) {
    session_.stages.at(index) = std::move(state);
    --left_;
    for (const int other : waited_for_[index]) {
      if (--waiting_.at(other) == 0) ready_.insert(other);
    }
  }

  BuildSession& session_;
  std::stop_source stop_;
  std::mutex mutex_;  // guards what follows, and writing to session_.stages
  std::condition_variable changed_;
  std::set<int> ready_;
  std::map<int, std::size_t> waiting_;          // how many stages each still waits for
  std::map<int, std::vector<int>> waited_for_;  // and who waits for a stage
  std::size_t left_;
  std::exception_ptr error_;
};

}  // namespace

void build_stages(BuildSession& session, int jobs, std::stop_source stop) {
  const auto threads = jobs > 0 ? static_cast<std::size_t>(jobs) : std::thread::hardware_concurrency();
  StageScheduler(session, std::move(stop)).run(std::max<std::size_t>(threads, 1));
}

}  // namespace tektii::builder
