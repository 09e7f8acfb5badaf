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

bool is_builder_arg(std::string_view name) {
  static constexpr std::array<std::string_view, 12> k_names = {
      "BUILDKIT_BUILD_NAME",       "BUILDKIT_CACHE_MOUNT_NS",   "BUILDKIT_CONTEXT_KEEP_GIT_DIR",
      "BUILDKIT_DOCKERFILE_CHECK", "BUILDKIT_GIT_ADVICE",       "BUILDKIT_INLINE_CACHE",
      "BUILDKIT_MULTI_PLATFORM",   "BUILDKIT_SANDBOX_HOSTNAME", "BUILDKIT_SBOM_SCAN_CONTEXT",
      "BUILDKIT_SBOM_SCAN_STAGE",  "BUILDKIT_SYNTAX",           "SOURCE_DATE_EPOCH"};
  return std::find(k_names.begin(), k_names.end(), name) != k_names.end();
}

std::optional<std::string_view> why_without_effect(std::string_view name, std::string_view value) {
  struct Reason {
    std::string_view name;
    std::string_view text;
  };
  static constexpr std::array<Reason, 5> k_reasons = {
      {{"BUILDKIT_BUILD_NAME", "a build has no name"},
       {"BUILDKIT_MULTI_PLATFORM", "the image is for linux/amd64 alone and has no index"},
       {"BUILDKIT_SBOM_SCAN_CONTEXT", "a bill of materials lists what is in the image alone"},
       {"BUILDKIT_SBOM_SCAN_STAGE", "a bill of materials lists what is in the image alone"},
       {"BUILDKIT_SYNTAX", "the Dockerfile language is built in and no other frontend is run"}}};
  if (value == "0" || equals_ignoring_case(value, "f") || equals_ignoring_case(value, "false")) return std::nullopt;
  const auto reason = std::find_if(k_reasons.begin(), k_reasons.end(), [&](const auto& r) { return r.name == name; });
  if (value.empty() || reason == k_reasons.end()) return std::nullopt;
  return reason->text;
}

std::string sandbox_host_name(const BuildArgs& build_args) {
  const auto given = build_args.find("BUILDKIT_SANDBOX_HOSTNAME");
  return given == build_args.end() || given->second.empty() ? "buildkitsandbox" : given->second;
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

std::optional<std::string> Variables::declare_arg(const std::string& name,
                                                  const std::optional<std::string>& default_value) {
  std::optional<std::string> value = default_value;
  if (const auto given = build_args_->find(name); given != build_args_->end()) {
    value = given->second;
  } else if (!value) {
    if (const auto global = global_args_.find(name); global != global_args_.end()) value = global->second;
  }
  const auto known =
      std::find_if(declared_.begin(), declared_.end(), [&](const auto& declared) { return declared.first == name; });
  if (known == declared_.end()) {
    declared_.emplace_back(name, value.value_or(""));
  } else {
    known->second = value.value_or("");
  }
  // These two speak to the builder alone: BuildKit shows them in the history and gives them to no command.
  if (!value || name == "BUILDKIT_SBOM_SCAN_CONTEXT" || name == "BUILDKIT_SBOM_SCAN_STAGE") return value;
  values_[name] = *value;
  args_.insert(name);
  return value;
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

std::vector<std::pair<std::string, std::string>> Variables::history_args() const {
  auto result = declared_;
  for (auto& [name, value] : result) {
    if (auto current = get(name)) value = std::move(*current);
  }
  return result;
}

// One value per kind: of two spellings the lower-case one, which comes last in the map, counts. An empty one is none.
std::vector<std::string> Variables::proxy_env() const {
  std::map<std::string, std::string> proxies;  // by the lower-case name
  for (const auto& [name, value] : *build_args_) {
    if (is_predefined_arg(name)) proxies[to_lower(name)] = value;
  }
  std::vector<std::string> result;
  for (const auto& [lower, value] : proxies) {
    if (value.empty()) continue;
    std::string upper;
    for (const char c : lower) upper += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    for (const auto& name : {upper, lower}) {
      if (!args_.contains(name)) result.push_back(fmt::format("{}={}", name, value));
    }
  }
  return result;
}

namespace {

std::string expand_with(const dockerfile::Dockerfile& file, const dockerfile::Instruction& instruction,
                        std::string_view word, const dockerfile::Lookup& lookup) {
  try {
    return dockerfile::expand_word(word, lookup, {.escape = file.directives.escape}).text;
  } catch (Error& error) {
    error.set_span(file.span(instruction.lines, word));
    throw;
  }
}

}  // namespace

std::string expand(const dockerfile::Dockerfile& file, const dockerfile::Instruction& instruction,
                   std::string_view word, const Variables& variables) {
  return expand_with(file, instruction, word, variables.lookup());
}

std::optional<std::string> expand_if_known(const dockerfile::Dockerfile& file,
                                           const dockerfile::Instruction& instruction, std::string_view word,
                                           const Variables& variables) {
  bool all_known = true;
  const auto lookup = [&](std::string_view name) {
    auto value = variables.get(name);
    all_known = all_known && value.has_value();
    return value;
  };
  try {
    auto text = expand_with(file, instruction, word, lookup);
    if (!all_known) return std::nullopt;
    return text;
  } catch (const Error&) {
    // ${X:?message} may be satisfied by the base image's environment; the step itself reports it then.
    if (!all_known) return std::nullopt;
    throw;
  }
}

}  // namespace tektii::builder
