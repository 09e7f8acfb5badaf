#include "dockerfile/lint/from.hpp"

#include "dockerfile/lint/image_name.hpp"
#include "dockerfile/lint/suggest.hpp"
#include <tektii/dockerfile/history.hpp>
#include <tektii/util/error.hpp>

#include <fmt/format.h>

#include <optional>
#include <vector>

namespace tektii::dockerfile {
namespace {

constexpr const char* k_target_platform = "TARGETPLATFORM";

std::vector<std::string> known_names(const GlobalScope& globals) {
  std::vector<std::string> names = globals.environment.names();
  for (const auto& [name, arg] : globals.args) {
    if (!globals.environment.get(name)) names.push_back(name);
  }
  return names;
}

void report_undeclared(const Stage& stage, const LintWord& word, const GlobalScope& globals, LintReporter& reporter) {
  for (const std::string& name : word.missing) {
    if (globals.environment.is_declared(name)) continue;
    const std::string meant = suggest_name(name, known_names(globals));
    reporter.add(LintRule::undefined_arg_in_from, stage.from,
                 fmt::format("FROM argument '{}' is not declared{}", name,
                             meant.empty() ? "" : fmt::format(" (did you mean {}?)", meant)),
                 name);
  }
}

LintWord expand_checked(const Dockerfile& file, const Stage& stage, const std::string& text, const GlobalScope& globals,
                        LintReporter& reporter) {
  LintWord word = expand_for_lint(text, globals.environment, {.escape = file.directives.escape});
  report_undeclared(stage, word, globals, reporter);
  if (word.failure) throw Error(*word.failure).set_span(file.span(stage.from.lines, text));
  return word;
}

// $TARGETPLATFORM alone, in whatever form.
void check_redundant_platform(const Stage& stage, const std::string& written, const LintWord& word,
                              const GlobalScope& globals, LintReporter& reporter) {
  if (word.found != std::vector<std::string>{k_target_platform} || !word.missing.empty()) return;
  if (word.text != globals.environment.get(k_target_platform)) return;
  reporter.add(
      LintRule::redundant_target_platform, stage.from,
      fmt::format("Setting platform to predefined {} in FROM is redundant as this is the default behavior", written),
      written);
}

// A stage that is named after the platform says that it is meant.
void check_constant_platform(const Stage& stage, const LintWord& word, const std::optional<PlatformName>& platform,
                             LintReporter& reporter) {
  if (!word.found.empty() || !word.missing.empty() || !platform) return;
  if (stage.name.find(platform->os) != std::string::npos ||
      stage.name.find(platform->architecture) != std::string::npos) {
    return;
  }
  reporter.add(LintRule::from_platform_flag_const_disallowed, stage.from,
               fmt::format("FROM --platform flag should not use constant value {}", go_quote(word.text)), word.text);
}

std::string check_platform(const Dockerfile& file, const Stage& stage, const GlobalScope& globals,
                           LintReporter& reporter) {
  const auto& written = stage.from_body().platform;
  if (!written) return {};
  LintWord word = expand_checked(file, stage, *written, globals, reporter);
  const auto platform = parse_platform_name(word.text);
  check_redundant_platform(stage, *written, word, globals, reporter);
  check_constant_platform(stage, word, platform, reporter);
  if (word.text.empty()) {
    throw Error(ErrorKind::usage, fmt::format("empty platform value from expression {}", *written))
        .set_span(file.span(stage.from.lines, *written));
  }
  if (!platform) {
    throw Error(ErrorKind::usage, fmt::format("failed to parse platform {}: {} is none", *written, go_quote(word.text)))
        .add_hint("a platform is OS/ARCH[/VARIANT], like linux/amd64")
        .set_span(file.span(stage.from.lines, *written));
  }
  return std::move(word.text);
}

}  // namespace

void check_default_args(const Dockerfile& file, const LintFacts& facts, LintReporter& reporter) {
  std::optional<GlobalScope> globals;
  try {
    globals = evaluate_global_args(file, facts, {});
  } catch (const Error&) {
    return;  // a default that needs a build argument (${X:?}); the evaluation with them tells what is wrong, if
             // anything
  }
  for (const Stage& stage : file.stages) {
    const std::string& written = stage.from_body().image;
    const LintWord word = expand_for_lint(written, globals->environment, {.escape = file.directives.escape});
    if (word.failure) return;
    // "oci-layout://DIR" and its kin are names here, too.
    if (word.text.find("://") != std::string::npos || is_image_name(word.text)) continue;
    reporter.add(LintRule::invalid_default_arg_in_from, stage.from,
                 fmt::format("Default value for ARG {} results in empty or invalid base image name", written), written);
  }
}

FromWords check_from_words(const Dockerfile& file, const Stage& stage, const GlobalScope& globals,
                           LintReporter& reporter) {
  const std::string& written = stage.from_body().image;
  FromWords words;
  words.image = expand_checked(file, stage, written, globals, reporter).text;
  if (words.image.empty()) {
    throw Error(ErrorKind::usage, fmt::format("base name ({}) should not be blank", written))
        .add_hint("an ARG before the first FROM, or --build-arg, must give it a value")
        .set_span(file.span(stage.from.lines, written));
  }
  words.platform = check_platform(file, stage, globals, reporter);
  return words;
}

}  // namespace tektii::dockerfile
