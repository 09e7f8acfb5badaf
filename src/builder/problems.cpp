#include "problems.hpp"

#include <fmt/format.h>

namespace tektii::builder {

void Problems::add(Error problem) {
  if (!first_) {
    first_ = std::move(problem);
    return;
  }
  std::string where;
  if (problem.span()) where = fmt::format("{}:{}: ", problem.span()->file, problem.span()->first_line);
  first_->add_hint(fmt::format("also: {}{}", where, problem.what()));
}

void Problems::throw_if_any() const {
  if (first_) throw Error(*first_);
}

}  // namespace tektii::builder
