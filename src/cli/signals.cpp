#include "cli/signals.hpp"

#include "cli/exit_code.hpp"
#include <tektii/util/error.hpp>
#include <tektii/util/fd.hpp>

#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <thread>
#include <utility>

namespace tektii::cli {

namespace {

constexpr std::array k_signals = {SIGINT, SIGTERM, SIGHUP};
constexpr unsigned char k_quit = 0;

// A signal handler can reach nothing but static storage.
std::atomic<int> g_write_fd{-1};
static_assert(std::atomic<int>::is_always_lock_free);

extern "C" void pass_on(int signal) {
  const int saved = errno;
  const auto byte = static_cast<unsigned char>(signal);
  const int fd = g_write_fd.load();
  // A full pipe holds thousands of signals that nobody has read yet: one more changes nothing.
  if (fd >= 0 && ::write(fd, &byte, 1) != 1) errno = 0;
  errno = saved;
}

extern "C" void do_nothing(int) {}

struct sigaction action_of(void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  return action;
}

// nohup starts a program with SIGHUP ignored, and wants it to stay so.
bool stays_ignored(int signal) {
  struct sigaction current {};
  return signal == SIGHUP && ::sigaction(signal, nullptr, &current) == 0 && current.sa_handler == SIG_IGN;
}

}  // namespace

struct SignalWatcher::Impl {
  Pipe pipe = make_pipe();
  std::array<struct sigaction, k_signals.size()> previous{};
  std::function<void(int)> on_signal;
  std::thread thread;

  void run() const {
    for (;;) {
      unsigned char byte = k_quit;
      const ssize_t count = ::read(pipe.read_end.get(), &byte, 1);
      if (count < 0 && errno == EINTR) continue;
      if (count != 1 || byte == k_quit) return;
      on_signal(byte);
    }
  }
};

SignalWatcher::SignalWatcher(std::function<void(int)> on_signal) : impl_(std::make_unique<Impl>()) {
  impl_->on_signal = std::move(on_signal);
  g_write_fd = impl_->pipe.write_end.get();
  impl_->thread = std::thread([impl = impl_.get()] { impl->run(); });
  const struct sigaction action = action_of(pass_on);
  for (std::size_t i = 0; i < k_signals.size(); ++i) {
    const bool skip = stays_ignored(k_signals[i]);
    ::sigaction(k_signals[i], skip ? nullptr : &action, &impl_->previous[i]);
  }
}

SignalWatcher::~SignalWatcher() {
  for (std::size_t i = 0; i < k_signals.size(); ++i) ::sigaction(k_signals[i], &impl_->previous[i], nullptr);
  g_write_fd = -1;
  while (::write(impl_->pipe.write_end.get(), &k_quit, 1) < 0 && errno == EINTR) {
  }
  impl_->thread.join();
}

SignalScope::SignalScope()
    : watcher_([this, source = source_](int signal) mutable {
        int none = 0;
        signal_.compare_exchange_strong(none, signal);
        // request_stop() is false when a stop was requested before.
        if (!source.request_stop()) ::_exit(k_exit_signal + signal);
      }) {}

int SignalScope::exit_code() const {
  const int signal = signal_;
  return signal == 0 ? k_exit_interrupted : k_exit_signal + signal;
}

void survive_broken_pipes() {
  const struct sigaction action = action_of(do_nothing);
  ::sigaction(SIGPIPE, &action, nullptr);
}

}  // namespace tektii::cli
