#include "variables.hpp"

#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace tektii::builder {

bool is_predefined_arg(std::string_view name) {
  static constexpr std::array<std::string_view, 5> k_names = {"http_proxy", "https_proxy", "ftp_proxy", "no_proxy",
                                                              "all_proxy"};
  return std::any_of(k_names.begin(), k_names.end(),
                     [&](std::string_view known) { return name == known || equals_ignoring_case(name, known); });
}

std::map<std::string, std::string> platform_args(const oci::Platform& platform, const std::string& stage_name) {
  std::map<std::string, std::string> args;
  for (const std::string prefix : {"TARGET", "BUILD"}) {
    args[prefix + "PLATFORM"] = platform.str();
    args[prefix + "OS"] = platform.os;
    args[prefix + "ARCH"] = platform.architecture;
    args[prefix + "VARIANT"] = platform.variant;
    args[prefix + "OSVERSION"] = "";
  }
  args["TARGETSTAGE"] = stage_name.empty() ? "default" : stage_name;
  return args;
}

void Variables::set_env(const std::string& name, const std::string& value) {
  values_[name] = value;
  args_.erase(name);
}

void Variables::declare_arg(const std::string& name, const std::optional<std::string>& default_value) {
  std::optional<std::string> value = default_value;
  if (const auto given = build_args_->find(name); given != build_args_->end()) {
    value = given->second;
  } else if (!value) {
    if (const auto global = global_args_.find(name); global != global_args_.end()) value = global->second;
  }
  if (!value) return;
  values_[name] = *value;
  args_.insert(name);
}

std::optional<std::string> Variables::get(std::string_view name) const {
  const auto found = values_.find(std::string(name));
  if (found == values_.end()) return std::nullopt;
  return found->second;
}

dockerfile::Lookup Variables::lookup() const {
  return [this](std::string_view name) { return get(name); };
}

std::vector<std::pair<std::string, std::string>> Variables::run_args() const {
  std::vector<std::pair<std::string, std::string>> result;
  for (const auto& name : args_) result.emplace_back(name, values_.at(name));
  return result;
}

std::vector<std::string> Variables::proxy_env() const {
  std::vector<std::string> result;
  for (const auto& [name, value] : *build_args_) {
    if (!is_predefined_arg(name) || args_.contains(name)) continue;
    auto upper = name;
    for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    result.push_back(fmt::format("{}={}", upper, value));
    result.push_back(fmt::format("{}={}", to_lower(name), value));
  }
  return result;
}

namespace {

dockerfile::Expanded expand_with_span(const dockerfile::Dockerfile& file, const dockerfile::Instruction& instruction,
                                      std::string_view word, const Variables& variables) {
  try {
    return dockerfile::expand_word(word, variables.lookup(), {.escape = file.directives.escape});
  } catch (Error& error) {
    error.set_span(file.span(instruction.lines, word));
    throw;
  }
}

}  // namespace

std::string expand(const dockerfile::Dockerfile& file, const dockerfile::Instruction& instruction,
                   std::string_view word, const Variables& variables) {
  return expand_with_span(file, instruction, word, variables).text;
}

std::optional<std::string> expand_if_known(const dockerfile::Dockerfile& file,
                                           const dockerfile::Instruction& instruction, std::string_view word,
                                           const Variables& variables) {
  try {
    auto expanded = expand_with_span(file, instruction, word, variables);
    if (!expanded.unset.empty()) return std::nullopt;
    return std::move(expanded.text);
  } catch (const Error&) {
    // ${X:?message} and the like may be satisfied by the base image's environment; the step itself reports it then.
    return std::nullopt;
  }
}

}  // namespace tektii::builder
