#include <tektii/dockerfile/history.hpp>
#include <tektii/dockerfile/lint.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace tektii::dockerfile {
namespace {

constexpr std::size_t k_max_options = 3;
constexpr const char* k_build_arg = "BUILDKIT_DOCKERFILE_CHECK";

std::set<std::string> split_names(std::string_view text) {
  std::set<std::string> names;
  for (const std::string& name : split(text, ',')) names.emplace(trim(name));
  return names;
}

// strconv.ParseBool
bool parse_boolean(std::string_view text, std::string_view option) {
  constexpr std::array<std::string_view, 6> k_true = {"1", "t", "T", "TRUE", "true", "True"};
  constexpr std::array<std::string_view, 6> k_false = {"0", "f", "F", "FALSE", "false", "False"};
  if (std::find(k_true.begin(), k_true.end(), text) != k_true.end()) return true;
  if (std::find(k_false.begin(), k_false.end(), text) != k_false.end()) return false;
  throw Error(ErrorKind::usage,
              fmt::format("failed to parse check option {}: {} is no boolean", go_quote(option), go_quote(text)))
      .add_hint("error= takes true or false");
}

void parse_option(std::string_view option, CheckOptions& options) {
  const std::size_t equals = option.find('=');
  const std::string_view key = equals == std::string_view::npos ? option : trim(option.substr(0, equals));
  const std::string_view value = equals == std::string_view::npos ? "" : trim(option.substr(equals + 1));
  if (equals == std::string_view::npos || (key != "skip" && key != "experimental" && key != "error")) {
    throw Error(ErrorKind::usage, fmt::format("invalid check option {}", go_quote(key)))
        .add_hint(
            "check options are skip=RULE,...|all, error=true|false and experimental=RULE,...|all, "
            "separated by semicolons");
  }
  if (key == "error") {
    options.error = parse_boolean(value, option);
  } else if (key == "skip") {
    options.skip_all = options.skip_all || value == "all";
    if (value != "all") options.skip = split_names(value);
  } else {
    options.experimental_all = options.experimental_all || value == "all";
    if (value != "all") options.experimental = split_names(value);
  }
}

// Directives stand at the head of the file, before anything else.
SourceSpan directive_span(const Dockerfile& file, std::string_view value) {
  int number = 0;
  for (const std::string& line : file.lines) {
    ++number;
    if (!trim(line).starts_with('#')) break;
    if (line.find(value) != std::string::npos) return file.span({number, number}, value);
  }
  return file.span({1, 1});
}

}  // namespace

bool CheckOptions::enables(const LintRuleInfo& rule) const {
  const std::string name(rule.name);
  if (rule.experimental) return experimental_all || experimental.contains(name);
  return !skip_all && !skip.contains(name);
}

CheckOptions parse_check_options(std::string_view text) {
  CheckOptions options;
  text = trim(text);
  // As in BuildKit a third semicolon does not separate, so that a fourth option becomes part of the third.
  for (std::size_t count = 1; !text.empty(); ++count) {
    const std::size_t end = count < k_max_options ? text.find(';') : std::string_view::npos;
    parse_option(text.substr(0, end), options);
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
    if (text.empty()) parse_option(text, options);
  }
  return options;
}

CheckOptions check_options_of(const Dockerfile& file, const std::map<std::string, std::string>& build_args) {
  if (const auto given = build_args.find(k_build_arg); given != build_args.end()) {
    try {
      return parse_check_options(given->second);
    } catch (Error& error) {
      error.add_context(fmt::format("--build-arg {}", k_build_arg));
      throw;
    }
  }
  if (!file.directives.check) return {};
  try {
    // The value ends at the first blank.
    return parse_check_options(file.directives.check->substr(0, file.directives.check->find(' ')));
  } catch (Error& error) {
    error.set_span(directive_span(file, *file.directives.check));
    if (file.directives.check->find(' ') != std::string::npos) error.add_hint("check options end at the first blank");
    throw;
  }
}

}  // namespace tektii::dockerfile
