#pragma once

#include <tektii/dockerfile/lint.hpp>

#include <map>
#include <string>
#include <string_view>

namespace tektii::dockerfile {

// Takes what the rules find into a report, unless the file, or a `# check=` comment above the instruction, turns the
// rule off. (BuildKit minds such a comment for most rules; here it counts for all.)
class LintReporter {
 public:
  // All outlive the reporter. Comments and options that make no sense become notes.
  LintReporter(const Dockerfile& file, CheckOptions options, LintReport& report);

  // A finding at `instruction`; the caret goes under `word` when it is in there.
  void add(LintRule rule, const Instruction& instruction, std::string message, std::string_view word = {});
  // The same for part of the lines.
  void add_at(LintRule rule, const Instruction& instruction, const LineRange& lines, std::string message);
  // Whether a comment at this instruction turns the rule off.
  bool is_skipped_at(LintRule rule, const Instruction& instruction) const;

 private:
  void read_comments(const Instruction& instruction);
  void read_comment(const Instruction& instruction, const std::string& comment);
  void note_unknown_rules(const CheckOptions& options, const SourceSpan& span);
  void note_cut_value(std::string_view value, const SourceSpan& span);
  void note_directive();
  void note_foreign_syntax();

  const Dockerfile& file_;
  CheckOptions options_;
  LintReport& report_;
  std::map<const Instruction*, CheckOptions> comments_;  // merged with the options of the file
};

}  // namespace tektii::dockerfile
