#include "problems.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tektii::builder {
namespace {

std::string place_and_text(const Error& problem) {
  const auto& span = problem.span();
  return span ? fmt::format("{}:{}: {}", span->file, span->first_line, problem.what()) : problem.what();
}

}  // namespace

void Problems::add(Error problem) {
  if (!first_) {
    first_ = std::move(problem);
    return;
  }
  // What keeps a name from being resolved is met by each part of the plan that needs it: once is enough.
  const auto text = place_and_text(problem);
  const auto hint = fmt::format("also: {}", text);
  const auto& hints = first_->hints();
  if (text == place_and_text(*first_) || std::find(hints.begin(), hints.end(), hint) != hints.end()) return;
  first_->add_hint(hint);
}

void Problems::throw_if_any() const {
  if (first_) throw Error(*first_);
}

}  // namespace tektii::builder
