#include "output_pump.hpp"

#include <tektii/util/error.hpp>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <vector>

namespace tektii::exec {

namespace {

using SteadyClock = std::chrono::steady_clock;
constexpr std::chrono::seconds k_grace{2};

class Pump {
 public:
  Pump(InitProcess& init, OutputSink& sink, int stop_fd)
      : init_(init),
        sink_(sink),
        stop_fd_(stop_fd),
        output_fd_(init.standard_output()),
        error_fd_(init.standard_error()),
        report_fd_(init.reports()),
        buffer_(64U << 10) {}

  RunOutcome run() {
    // The reports end with pid 1 and the outer init, not with the output, which a background process may hold open.
    while (report_fd_ >= 0) wait_once();
    init_.wait();
    // Everything that could write is gone; what it wrote before is in the pipes.
    drain(output_fd_, OutputStream::standard_output);
    drain(error_fd_, OutputStream::standard_error);
    return outcome_;
  }

 private:
  void wait_once() {
    // poll() ignores negative descriptors: those that are done.
    std::array<pollfd, 4> fds{
        {{output_fd_, POLLIN, 0}, {error_fd_, POLLIN, 0}, {report_fd_, POLLIN, 0}, {stop_fd_, POLLIN, 0}}};
    if (::poll(fds.data(), fds.size(), timeout()) < 0 && errno != EINTR) throw_errno("can't wait for a command");
    if (fds[0].revents != 0) read_output(output_fd_, OutputStream::standard_output);
    if (fds[1].revents != 0) read_output(error_fd_, OutputStream::standard_error);
    if (fds[2].revents != 0) read_report();
    if (fds[3].revents != 0) begin_stop();
    if (deadline_ && SteadyClock::now() >= *deadline_) init_.kill_all();
  }

  int timeout() const {
    if (!deadline_) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline_ - SteadyClock::now());
    return left.count() > 0 ? static_cast<int>(left.count()) : k_after_kill;
  }

  void begin_stop() {
    stop_fd_ = -1;
    deadline_ = SteadyClock::now() + k_grace;
    init_.terminate_command();
  }

  // Reads one buffer; false when there is nothing more for now or ever.
  bool read_output(int& fd, OutputStream stream) {
    const ssize_t size = ::read(fd, buffer_.data(), buffer_.size());
    if (size > 0) {
      sink_.write(stream, std::string_view(buffer_.data(), static_cast<std::size_t>(size)));
      return true;
    }
    if (size < 0 && errno == EINTR) return true;
    if (size < 0 && errno == EAGAIN) return false;
    if (size < 0) throw_errno("can't read the output of a command");
    fd = -1;
    return false;
  }

  void drain(int& fd, OutputStream stream) {
    while (fd >= 0 && read_output(fd, stream)) {
    }
  }

  void read_report() {
    std::array<char, k_report_size> message{};
    const ssize_t size = ::read(report_fd_, message.data(), message.size());
    if (size == 0) report_fd_ = -1;
    if (size < 0 && errno != EINTR && errno != EAGAIN) throw_errno("can't read from the init of a run");
    if (size <= 0) return;
    InitReport report = parse_report(std::string_view(message.data(), static_cast<std::size_t>(size)));
    if (report.kind == InitReport::Kind::failed && !outcome_.failed) outcome_.failed = std::move(report);
    if (report.kind == InitReport::Kind::exited) outcome_.exited = std::move(report);
  }

  static constexpr int k_after_kill = 100;  // ms; between looks at an init that was told to die

  InitProcess& init_;
  OutputSink& sink_;
  int stop_fd_;
  int output_fd_;
  int error_fd_;
  int report_fd_;
  std::vector<char> buffer_;
  std::optional<SteadyClock::time_point> deadline_;
  RunOutcome outcome_;
};

}  // namespace

RunOutcome pump_output(InitProcess& init, OutputSink& sink, const std::stop_token& stop) {
  const UniqueFd stop_event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!stop_event) throw_errno("can't create an eventfd");
  const int fd = stop_event.get();
  const std::stop_callback on_stop(stop, [fd] {
    // It fails only when the counter is at its limit, which wakes the pump as well.
    (void)!::eventfd_write(fd, 1);
  });
  return Pump(init, sink, fd).run();
}

}  // namespace tektii::exec
