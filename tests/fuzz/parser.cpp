#include "fuzz/require.hpp"
#include "fuzz/targets.hpp"
#include <tektii/dockerfile/instruction.hpp>
#include <tektii/dockerfile/values.hpp>

#include <algorithm>

namespace tektii::fuzz {
namespace {

int count_lines(std::string_view text) {
  const auto ends = static_cast<int>(std::count(text.begin(), text.end(), '\n'));
  return ends + (text.empty() || text.back() == '\n' ? 0 : 1);
}

void check_span(const Error& error, int lines) {
  require(error.span().has_value(), "an error has a span");
  const SourceSpan& span = *error.span();
  require(span.first_line >= 0 && span.first_line <= lines && span.last_line <= lines, "its lines are in the file");
  require(span.first_line <= span.last_line, "its lines are in order");
  require(span.column >= 0 && span.length >= 0, "its columns count from one");
  if (span.column == 0) return;
  const auto end = static_cast<std::size_t>(span.column - 1 + span.length);
  require(end <= span.text.size(), "its caret is in the line");
}

void check_instruction(const dockerfile::Instruction& instruction, int lines) {
  const auto keywords = dockerfile::instruction_keywords();
  require(std::find(keywords.begin(), keywords.end(), instruction.keyword) != keywords.end(), "the keyword is known");
  require(instruction.lines.first >= 1 && instruction.lines.first <= instruction.lines.last &&
              instruction.lines.last <= lines,
          "the lines of an instruction are in the file");
  if (const auto* run = std::get_if<dockerfile::Run>(&instruction.body)) {
    require(!run->command.words.empty(), "RUN has a command");
    dockerfile::shell_script(run->command);
  }
  if (const auto* onbuild = std::get_if<dockerfile::Onbuild>(&instruction.body)) {
    is_refused([&] { dockerfile::parse_trigger(onbuild->text, "base"); });
  }
}

}  // namespace

void check_parser(std::string_view input) {
  const int lines = count_lines(input);
  try {
    const dockerfile::Dockerfile file = dockerfile::parse_dockerfile(input, "Dockerfile");
    require(!file.stages.empty(), "there is a stage");
    int last = 0;
    const auto check = [&](const dockerfile::Instruction& instruction) {
      require(instruction.lines.first > last, "instructions are in order");
      last = instruction.lines.last;
      check_instruction(instruction, lines);
    };
    std::for_each(file.global_args.begin(), file.global_args.end(), check);
    for (const dockerfile::Stage& stage : file.stages) {
      check(stage.from);
      std::for_each(stage.instructions.begin(), stage.instructions.end(), check);
    }
  } catch (const Error& error) {
    require(error.kind() == ErrorKind::usage, "bad input is a usage error");
    check_span(error, lines);
  }
}

}  // namespace tektii::fuzz
