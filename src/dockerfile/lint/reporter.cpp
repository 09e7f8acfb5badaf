#include "dockerfile/lint/reporter.hpp"

#include "dockerfile/syntax.hpp"
#include "dockerfile/text.hpp"
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace tektii::dockerfile {
namespace {

// The value of a comment "check=VALUE".
std::optional<std::string_view> check_value(std::string_view comment) {
  const std::size_t equals = comment.find('=');
  if (equals == std::string_view::npos || !equals_ignoring_case(trim(comment.substr(0, equals)), "check")) {
    return std::nullopt;
  }
  const std::string_view value = trim(comment.substr(equals + 1));
  return value.empty() ? std::nullopt : std::optional(value);
}

CheckOptions merged(CheckOptions options, const CheckOptions& more) {
  options.skip_all = options.skip_all || more.skip_all;
  options.skip.insert(more.skip.begin(), more.skip.end());
  options.experimental_all = options.experimental_all || more.experimental_all;
  options.experimental.insert(more.experimental.begin(), more.experimental.end());
  return options;
}

}  // namespace

LintReporter::LintReporter(const Dockerfile& file, CheckOptions options, LintReport& report)
    : file_(file), options_(std::move(options)), report_(report) {
  report_.warnings_are_errors = options_.error;
  note_directive();
  note_foreign_syntax();
  for (const Instruction& arg : file_.global_args) read_comments(arg);
  for (const Stage& stage : file_.stages) {
    read_comments(stage.from);
    for (const Instruction& instruction : stage.instructions) read_comments(instruction);
  }
}

void LintReporter::note_directive() {
  SourceSpan span;
  if (file_.directives.check) {
    for (int number = 1; number <= static_cast<int>(file_.lines.size()) && span.column == 0; ++number) {
      span = file_.span({number, number}, *file_.directives.check);
    }
    note_cut_value(*file_.directives.check, span);
  }
  note_unknown_rules(options_, span);
}

void LintReporter::note_cut_value(std::string_view value, const SourceSpan& span) {
  const std::size_t blank = value.find(' ');
  if (blank == std::string_view::npos) return;
  const std::string_view rest = trim_left(value.substr(blank));
  const bool goes_on =
      value[blank - 1] == ',' || value[blank - 1] == ';' || rest.starts_with(',') || rest.starts_with(';');
  if (!goes_on) return;  // words of explanation
  report_.notes.push_back({fmt::format("check options end at the first blank: \"{}\" is ignored", rest), span});
}

void LintReporter::note_foreign_syntax() {
  const auto& syntax = file_.directives.syntax;
  if (!syntax || is_dockerfile_frontend(*syntax)) return;
  const LineRange lines{1, static_cast<int>(file_.lines.size())};
  report_.notes.push_back({fmt::format("the file asks for the frontend {}, which may mean something else by it: it is "
                                       "read as a Dockerfile",
                                       *syntax),
                           file_.span(lines, *syntax)});
}

void LintReporter::note_unknown_rules(const CheckOptions& options, const SourceSpan& span) {
  std::vector<std::string> names;
  for (const LintRuleInfo& rule : lint_rules()) names.emplace_back(rule.name);
  const auto check = [&](const std::string& name) {
    if (name.empty() || std::find(names.begin(), names.end(), name) != names.end()) return;
    const auto meant = closest_match(name, names);
    report_.notes.push_back(
        {fmt::format("there is no check {}{}", name, meant ? fmt::format(" (did you mean {}?)", *meant) : ""), span});
  };
  for (const std::string& name : options.skip) check(name);
  for (const std::string& name : options.experimental) check(name);
}

void LintReporter::read_comments(const Instruction& instruction) {
  for (const std::string& comment : instruction.comments) read_comment(instruction, comment);
}

void LintReporter::read_comment(const Instruction& instruction, const std::string& comment) {
  const auto value = check_value(comment);
  if (!value) return;
  const SourceSpan span = file_.span(instruction.lines);
  CheckOptions options;
  // As in BuildKit a comment that is no check option after all is a comment; only that we say so.
  try {
    options = parse_check_options(value->substr(0, value->find(' ')));
  } catch (const Error& error) {
    report_.notes.push_back({fmt::format("the comment \"{}\" is ignored: {}", comment, error.message()), span});
    return;
  }
  if (options.error) {
    report_.notes.push_back({"error=true is ignored above an instruction: it goes to the head of the file", span});
  }
  note_cut_value(*value, span);
  note_unknown_rules(options, span);
  const auto known = comments_.find(&instruction);
  comments_[&instruction] = merged(known == comments_.end() ? options_ : known->second, options);
}

bool LintReporter::is_skipped_at(LintRule rule, const Instruction& instruction) const {
  const auto own = comments_.find(&instruction);
  return !(own == comments_.end() ? options_ : own->second).enables(info_of(rule));
}

void LintReporter::add(LintRule rule, const Instruction& instruction, std::string message, std::string_view word) {
  if (is_skipped_at(rule, instruction)) return;
  report_.warnings.push_back({rule, std::move(message), instruction.lines, file_.span(instruction.lines, word)});
}

void LintReporter::add_at(LintRule rule, const Instruction& instruction, const LineRange& lines, std::string message) {
  if (is_skipped_at(rule, instruction)) return;
  report_.warnings.push_back({rule, std::move(message), lines, file_.span(lines)});
}

}  // namespace tektii::dockerfile
