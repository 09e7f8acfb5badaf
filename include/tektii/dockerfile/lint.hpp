#pragma once

#include <tektii/dockerfile/instruction.hpp>
#include <tektii/util/error.hpp>

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// Checks of a Dockerfile that builds but may not mean what was meant: the rules of BuildKit, under its names.
namespace tektii::dockerfile {

enum class LintRule {
  stage_name_casing,
  from_as_casing,
  no_empty_continuation,
  consistent_instruction_casing,
  duplicate_stage_name,
  reserved_stage_name,
  json_args_recommended,
  maintainer_deprecated,
  undefined_arg_in_from,
  workdir_relative_path,
  undefined_var,
  multiple_instructions_disallowed,
  legacy_key_value_format,
  invalid_base_image_platform,
  redundant_target_platform,
  secrets_used_in_arg_or_env,
  invalid_default_arg_in_from,
  from_platform_flag_const_disallowed,
  copy_ignored_file,
  invalid_definition_description,
  expose_proto_casing,
  expose_invalid_format,
};

struct LintRuleInfo {
  LintRule rule;
  std::string_view name;         // "StageNameCasing"
  std::string_view description;  // what the rule asks for
  std::string_view help;         // what to do about it, a sentence
  bool experimental = false;     // off unless a check option turns it on
};

// All rules, in the order of the enumeration.
std::span<const LintRuleInfo> lint_rules();
const LintRuleInfo& info_of(LintRule rule);

// What `# check=skip=A,B|all;error=BOOL;experimental=A|all` says, and the build argument BUILDKIT_DOCKERFILE_CHECK.
struct CheckOptions {
  std::set<std::string> skip;
  bool skip_all = false;
  std::set<std::string> experimental;
  bool experimental_all = false;
  bool error = false;  // warnings fail the build

  // Whether the rule runs. Like in BuildKit, experimental rules are not touched by skip and others not by experimental.
  bool enables(const LintRuleInfo& rule) const;
};

// At most three options, separated by ';'. Throws Error{usage} on an option or boolean that does not exist; a rule that
// does not exist is no error, because newer frontends have more of them.
CheckOptions parse_check_options(std::string_view text);

// The options of a file: those of the build argument when it is given, else those of the directive. Throws Error{usage}
// with the directive's line.
CheckOptions check_options_of(const Dockerfile& file, const std::map<std::string, std::string>& build_args);

// What is known of an image that a FROM names.
struct BaseImageFacts {
  std::vector<std::string> env;  // "NAME=value"
  std::vector<std::string> on_build;
  bool has_shell = false;  // its config sets SHELL
  // The platform that it is for when that is not the wanted one, and the wanted one; else empty.
  std::string platform;
  std::string expected_platform;
};

// A FROM that names an image, with its words expanded.
struct FromImage {
  std::size_t stage = 0;  // index in the file
  std::string image;
  std::string platform;  // empty without --platform
};

// What the rules need and the file does not tell.
struct LintFacts {
  std::map<std::string, std::string> build_args;
  std::map<std::string, std::string> platform_args;  // TARGETPLATFORM and its kin; build arguments override them
  std::string target;                                // empty: the last stage
  bool all_stages = false;                           // check what the target does not reach, too
  // nullopt when the image can't be looked up: rules that need it say nothing then.
  std::function<std::optional<BaseImageFacts>(const FromImage& from)> base_image;
  // Whether the ignore file excludes a path of the context ("." is all of it); without a function CopyIgnoredFile does
  // not run.
  std::function<bool(const std::string& path)> is_excluded;
};

struct LintWarning {
  LintRule rule{};
  std::string message;
  LineRange lines;  // of the instruction, as BuildKit reports them
  SourceSpan span;  // the word that it is about, where it can be found
};

// Something about the checks themselves that the user should know: an option that names a rule that does not exist.
struct LintNote {
  std::string message;
  SourceSpan span;
};

struct LintReport {
  std::vector<LintWarning> warnings;  // by line
  std::vector<LintNote> notes;
  std::vector<std::string> unknown_bases;  // images that could not be looked up
  std::optional<Error> problem;            // what would fail a build, and kept the rest from being checked
  bool warnings_are_errors = false;
};

// Throws Error{usage} when the check options are malformed; what else is wrong with the file is in the report.
LintReport lint(const Dockerfile& file, const LintFacts& facts);

// "lint violation found for rules: A, B": why a build with check=error=true fails; empty when it does not.
std::string violation_message(const LintReport& report);

}  // namespace tektii::dockerfile
