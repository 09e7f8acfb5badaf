#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <stop_token>

namespace tektii::cli {

// Calls `on_signal` from a thread of its own for every SIGINT, SIGTERM and SIGHUP, from construction until destruction.
// A SIGHUP that was ignored before (nohup) stays ignored. At most one exists at a time. Handlers are used, and no
// signal mask, because children start with a mask that is inherited but with handlers that are reset.
class SignalWatcher {
 public:
  explicit SignalWatcher(std::function<void(int signal)> on_signal);
  SignalWatcher(const SignalWatcher&) = delete;
  SignalWatcher& operator=(const SignalWatcher&) = delete;
  ~SignalWatcher();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Requests a stop on the first SIGINT, SIGTERM or SIGHUP; the second one ends the process at once. Both ways the
// exit code is 128 and the number of the signal, as a shell has it.
class SignalScope {
 public:
  SignalScope();
  std::stop_token token() const { return source_.get_token(); }
  // 130 when none has come.
  int exit_code() const;

 private:
  std::stop_source source_;
  std::atomic<int> signal_{0};  // the first
  SignalWatcher watcher_;
};

// A write to a closed pipe becomes an error instead of a silent death. A handler does that and not SIG_IGN, which
// children would inherit.
void survive_broken_pipes();

}  // namespace tektii::cli
