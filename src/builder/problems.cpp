#include "problems.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tektii::builder {
namespace {

std::string place_and_text(const Error& problem) {
  const auto& span = problem.span();
  return span ? fmt::format("{}:{}: {}", span->file, span->first_line, problem.what()) : problem.what();
}

// A problem that is told among the hints of another keeps its own, where it is a short one: which flag to give.
std::string with_hint(const Error& problem) {
  constexpr std::size_t k_longest_hint = 100;
  auto text = place_and_text(problem);
  if (!problem.hints().empty() && problem.hints().front().size() <= k_longest_hint) {
    text += fmt::format(" ({})", problem.hints().front());
  }
  return text;
}

}  // namespace

void Problems::add(Error problem) {
  if (!first_) {
    first_ = std::move(problem);
    return;
  }
  // What keeps a name from being resolved is met by each part of the plan that needs it: once is enough.
  const auto hint = fmt::format("also: {}", with_hint(problem));
  const auto& hints = first_->hints();
  if (place_and_text(problem) == place_and_text(*first_) || std::find(hints.begin(), hints.end(), hint) != hints.end())
    return;
  first_->add_hint(hint);
}

void Problems::throw_if_any() const {
  if (first_) throw Error(*first_);
}

}  // namespace tektii::builder
