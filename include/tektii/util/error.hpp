#pragma once

#include <cerrno>
#include <exception>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace tektii {

// What class of failure an Error is; src/cli maps each kind to the documented exit code.
enum class ErrorKind {
  failure,            // anything not below: exit code 1
  usage,              // wrong options or input that the user must change: 2
  run_failed,         // a RUN command ended with a non-zero code: 3
  denied,             // credentials missing, wrong or not allowed: 4
  network,            // a server is unreachable or does not speak the protocol: 5
  platform_mismatch,  // an image is not for linux/amd64: 6
  immutable_tag,      // the tag exists with another digest and may not move: 7
  interrupted,        // SIGINT or SIGTERM: 130
  damaged,            // something in the store was, and is removed: doing it again heals: 1
  not_found,          // an image, a blob, a repository is not there: 8
  rate_limited,       // a server is too busy for us, and stays so: 9
  content,            // bytes from elsewhere are not what they were said to be: 10
};

// A place in a source file (a Dockerfile, a scenario file) that an error speaks about.
struct SourceSpan {
  std::string file;
  int first_line = 0;  // 1-based; 0 means unknown
  int last_line = 0;   // inclusive
  int column = 0;      // 1-based byte offset in first_line; 0 means the whole line
  int length = 0;      // bytes under the caret; 0 means one
  std::string text;    // first_line as it stands in the file, without the line end
};

// The one exception of the project. The message is lower case without a final period; context is prepended by callers
// with add_context ("push 127.0.0.1:5000/a:1"), hints tell the user what to do. Expected outcomes are values, not
// Errors.
class Error : public std::exception {
 public:
  Error(ErrorKind kind, std::string message);

  ErrorKind kind() const { return kind_; }
  const std::string& message() const { return message_; }
  const std::vector<std::string>& context() const { return context_; }  // outermost first
  const std::vector<std::string>& hints() const { return hints_; }
  const std::optional<SourceSpan>& span() const { return span_; }

  Error& add_context(std::string context);
  Error& add_hint(std::string hint);
  Error& set_span(SourceSpan span);

  // "context: context: message", without hints and span.
  const char* what() const noexcept override { return what_.c_str(); }

 private:
  void rebuild();

  ErrorKind kind_;
  std::string message_;
  std::vector<std::string> context_;
  std::vector<std::string> hints_;
  std::optional<SourceSpan> span_;
  std::string what_;
};

// Throws Error{failure, "<what>: <strerror>"}; ENOSPC and EDQUOT get a hint about the full disk.
[[noreturn]] void throw_errno(std::string_view what, int error_number = errno);

// Throws Error{interrupted} when a stop was requested.
void throw_if_stopped(const std::stop_token& stop);

}  // namespace tektii
