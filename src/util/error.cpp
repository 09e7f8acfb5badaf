#include <tektii/util/error.hpp>

#include <fmt/format.h>

#include <system_error>
#include <utility>

namespace tektii {

Error::Error(ErrorKind kind, std::string message) : kind_(kind), message_(std::move(message)) {
  rebuild();
}

Error& Error::add_context(std::string context) {
  context_.insert(context_.begin(), std::move(context));
  rebuild();
  return *this;
}

Error& Error::add_hint(std::string hint) {
  hints_.push_back(std::move(hint));
  return *this;
}

Error& Error::set_span(SourceSpan span) {
  span_ = std::move(span);
  return *this;
}

void Error::rebuild() {
  what_.clear();
  for (const auto& part : context_) what_ += part + ": ";
  what_ += message_;
}

void throw_errno(std::string_view what, int error_number) {
  Error error(ErrorKind::failure, fmt::format("{}: {}", what, std::generic_category().message(error_number)));
  if (error_number == ENOSPC || error_number == EDQUOT)
    error.add_hint("free some space, or point TEKTII_CACHE_DIR (and TMPDIR) at another file system");
  throw error;
}

void throw_if_stopped(const std::stop_token& stop) {
  if (stop.stop_requested()) throw Error(ErrorKind::interrupted, "interrupted");
}

}  // namespace tektii
