#include "dockerfile/lint/environment.hpp"

#include "dockerfile/word_expander.hpp"

#include <algorithm>

namespace tektii::dockerfile {
namespace {

void add_once(std::vector<std::string>& names, std::string_view name) {
  if (std::find(names.begin(), names.end(), name) == names.end()) names.emplace_back(name);
}

}  // namespace

void Environment::set(const std::string& name, std::string value, bool is_known) {
  values_[name] = {std::move(value), next_order_++, is_known};
}

bool Environment::is_known(std::string_view name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? complete_ : found->second.is_known;
}

std::optional<std::string> Environment::get(std::string_view name) const {
  const auto found = values_.find(name);
  if (found == values_.end()) return std::nullopt;
  return found->second.text;
}

std::vector<std::string> Environment::names() const {
  std::vector<std::pair<std::size_t, std::string>> ordered;
  ordered.reserve(values_.size());
  for (const auto& [name, value] : values_) ordered.emplace_back(value.order, name);
  std::sort(ordered.begin(), ordered.end());
  std::vector<std::string> names;
  names.reserve(ordered.size());
  for (auto& entry : ordered) names.push_back(std::move(entry.second));
  return names;
}

LintWord expand_for_lint(std::string_view word, const Environment& environment, const ExpandOptions& options) {
  LintWord result;
  const Lookup lookup = [&](std::string_view name) {
    auto value = environment.get(name);
    add_once(value ? result.found : result.missing, name);
    return value;
  };
  WordExpanderMode mode;
  mode.look_up_parameters = true;
  WordExpander expander(word, lookup, options, mode);
  // A warning about the word comes before the error in it, so the error has to wait.
  try {
    expander.run();
    result.text = std::move(expander.expanded().text);
  } catch (const Error& error) {
    result.failure = error;
  }
  const auto is_known = [&](const std::string& name) { return environment.is_known(name); };
  result.known = std::all_of(result.found.begin(), result.found.end(), is_known) &&
                 std::all_of(result.missing.begin(), result.missing.end(), is_known);
  return result;
}

}  // namespace tektii::dockerfile
