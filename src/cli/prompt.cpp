#include "cli/prompt.hpp"

#include <tektii/util/error.hpp>

#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>

namespace tektii::cli {

namespace {

constexpr int k_poll_ms = 100;

class EchoOff {
 public:
  EchoOff() {
    if (::tcgetattr(STDIN_FILENO, &before_) != 0) throw_errno("terminal");
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    quiet.c_lflag |= ECHONL;
    if (::tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) != 0) throw_errno("terminal");
  }
  EchoOff(const EchoOff&) = delete;
  EchoOff& operator=(const EchoOff&) = delete;
  ~EchoOff() { ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_); }

 private:
  termios before_{};
};

// The terminal hands out whole lines; a stop is looked for in between, because the handler of SIGINT only asks for one.
std::string read_line(const std::stop_token& stop) {
  std::string line;
  while (true) {
    throw_if_stopped(stop);
    pollfd input{STDIN_FILENO, POLLIN, 0};
    const int ready = ::poll(&input, 1, k_poll_ms);
    if (ready < 0 && errno != EINTR) throw_errno("standard input");
    if (ready <= 0) continue;
    char c = 0;
    const auto count = ::read(STDIN_FILENO, &c, 1);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw_errno("standard input");
    if (count == 0) {
      if (line.empty()) throw Error(ErrorKind::usage, "the input ended before an answer");
      return line;
    }
    if (c == '\n') return line;
    line += c;
  }
}

}  // namespace

std::string ask_line(Terminal& terminal, const std::string& question, const std::stop_token& stop) {
  terminal.error_text(question);
  return read_line(stop);
}

Secret ask_secret(Terminal& terminal, const std::string& question, const std::stop_token& stop) {
  const EchoOff echo_off;
  terminal.error_text(question);
  return Secret(read_line(stop));
}

}  // namespace tektii::cli
