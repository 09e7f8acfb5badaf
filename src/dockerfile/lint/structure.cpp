#include "dockerfile/lint/structure.hpp"

#include "dockerfile/statement.hpp"
#include <tektii/dockerfile/history.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <variant>
#include <vector>

namespace tektii::dockerfile {
namespace {

std::string written_keyword(const Instruction& instruction) {
  return instruction.original.substr(0, instruction.keyword.size());
}

bool is_lower(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

bool is_upper(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return c >= 'a' && c <= 'z'; });
}

template <typename Visit>
void visit_stage_instructions(const Dockerfile& file, Visit visit) {
  for (const Stage& stage : file.stages) {
    visit(stage.from);
    for (const Instruction& instruction : stage.instructions) visit(instruction);
  }
}

template <typename Visit>
void visit_all_instructions(const Dockerfile& file, Visit visit) {
  for (const Instruction& arg : file.global_args) visit(arg);
  visit_stage_instructions(file, visit);
}

int count_lines(const Heredoc& heredoc) {
  return static_cast<int>(std::count(heredoc.content.begin(), heredoc.content.end(), '\n')) + 1;
}

// Lines of the bodies of heredocs, which stand behind the instruction proper.
int heredoc_lines(const Instruction& instruction) {
  const std::vector<Heredoc>* heredocs = nullptr;
  if (const auto* run = std::get_if<Run>(&instruction.body)) heredocs = &run->command.heredocs;
  if (const auto* copy = std::get_if<Copy>(&instruction.body)) heredocs = &copy->heredocs;
  if (const auto* onbuild = std::get_if<Onbuild>(&instruction.body)) {
    return static_cast<int>(std::count(onbuild->text.begin(), onbuild->text.end(), '\n'));
  }
  int lines = 0;
  if (heredocs == nullptr) return lines;
  for (const Heredoc& heredoc : *heredocs) lines += count_lines(heredoc);
  return lines;
}

// Reported once per instruction, at its last line, as BuildKit does.
void check_continuations(const Instruction& instruction, LintReporter& reporter) {
  if (instruction.empty_continuations.empty()) return;
  const int last = instruction.lines.last - heredoc_lines(instruction);
  reporter.add_at(LintRule::no_empty_continuation, instruction, {last, last}, "Empty continuation line");
}

void check_description(const Instruction& instruction, const std::vector<std::string>& names, LintReporter& reporter) {
  if (instruction.comments.empty() || names.empty()) return;
  const std::string& comment = instruction.comments.back();
  if (std::find(names.begin(), names.end(), comment.substr(0, comment.find(' '))) != names.end()) return;
  reporter.add(LintRule::invalid_definition_description, instruction,
               fmt::format("Comment for {} should follow the format: `# {} <description>`", instruction.keyword,
                           names.size() > 1 ? "<arg_key>" : names.front()));
}

void check_from(const Stage& stage, LintReporter& reporter) {
  const auto& alias = stage.from_body().alias;
  if (!alias) return;
  if (!is_lower(*alias)) {
    reporter.add(LintRule::stage_name_casing, stage.from, fmt::format("Stage name '{}' should be lowercase", *alias),
                 *alias);
  }
  Statement statement;
  statement.text = stage.from.original;
  split_statement(statement);
  const std::string& from = statement.keyword;
  const std::string as = split_white_space(statement.rest).at(1);
  // A FROM in mixed case breaks another rule, and nothing can match it.
  const bool matches = is_lower(from) ? is_lower(as) : !is_upper(from) || is_upper(as);
  if (!matches) {
    reporter.add(LintRule::from_as_casing, stage.from,
                 fmt::format("'{}' and '{}' keywords' casing do not match", as, from), as);
  }
  check_description(stage.from, {stage.name}, reporter);
}

void check_arg(const Instruction& instruction, const Arg& arg, LintReporter& reporter) {
  std::vector<std::string> names;
  for (const Arg::Item& item : arg.items) names.push_back(item.name);
  check_description(instruction, names, reporter);
}

void check_stage_names(const Dockerfile& file, LintReporter& reporter) {
  std::set<std::string> seen;
  for (const Stage& stage : file.stages) {
    if (stage.name.empty()) continue;
    const std::string& alias = *stage.from_body().alias;
    if (stage.name == "context" || stage.name == "scratch") {
      reporter.add(LintRule::reserved_stage_name, stage.from,
                   fmt::format("Stage name should not use the same name as reserved stage {}", go_quote(stage.name)),
                   alias);
    }
    if (!seen.insert(stage.name).second) {
      reporter.add(LintRule::duplicate_stage_name, stage.from,
                   fmt::format("Duplicate stage name {}, stage names should be unique", go_quote(stage.name)), alias);
    }
  }
}

// ARGs before the first FROM neither vote nor are they checked.
void check_keyword_casing(const Dockerfile& file, LintReporter& reporter) {
  int lower = 0;
  int upper = 0;
  visit_stage_instructions(file, [&](const Instruction& instruction) {
    const std::string keyword = written_keyword(instruction);
    if (is_lower(keyword)) ++lower;
    if (is_upper(keyword)) ++upper;
  });
  const bool majority_is_lower = lower > upper;
  visit_stage_instructions(file, [&](const Instruction& instruction) {
    const std::string keyword = written_keyword(instruction);
    if (majority_is_lower ? is_lower(keyword) : is_upper(keyword)) return;
    reporter.add(LintRule::consistent_instruction_casing, instruction,
                 fmt::format("Command '{}' should match the case of the command majority ({})", keyword,
                             majority_is_lower ? "lowercase" : "uppercase"),
                 keyword);
  });
}

}  // namespace

void check_structure(const Dockerfile& file, LintReporter& reporter) {
  visit_all_instructions(file, [&](const Instruction& instruction) {
    check_continuations(instruction, reporter);
    if (const auto* arg = std::get_if<Arg>(&instruction.body)) check_arg(instruction, *arg, reporter);
    if (std::holds_alternative<Maintainer>(instruction.body)) {
      reporter.add(LintRule::maintainer_deprecated, instruction,
                   "Maintainer instruction is deprecated in favor of using label", written_keyword(instruction));
    }
  });
  for (const Stage& stage : file.stages) check_from(stage, reporter);
  check_stage_names(file, reporter);
  check_keyword_casing(file, reporter);
}

}  // namespace tektii::dockerfile
