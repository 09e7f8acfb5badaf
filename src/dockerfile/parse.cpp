#include "dockerfile/heredoc.hpp"
#include "dockerfile/lines.hpp"
#include "dockerfile/syntax.hpp"
#include "dockerfile/text.hpp"
#include "dockerfile/typed.hpp"
#include <tektii/dockerfile/instruction.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace tektii::dockerfile {
namespace {

// Reads one file and keeps every problem in it, so that the user sees them all at once.
class Parser {
 public:
  Parser(std::string_view text, const std::string& name)
      : foreign_syntax_(detect_foreign_syntax(text)),
        reader_(text, [this](std::string message, int line, std::string word) {
          report(std::move(message), {line, line}, word);
        }) {
    file_.name = name;
    file_.lines = reader_.visible_lines();
  }

  // Every instruction, in order; those with problems are left out.
  std::vector<Instruction> read_instructions();
  // Puts instructions into stages.
  void add(Instruction instruction);
  // Throws the first problem, with the others as hints; otherwise hands the file over.
  Dockerfile finish();

  void report(std::string message, const LineRange& lines, std::string_view word = {});
  bool has_problems() const { return !problems_.empty(); }
  const Dockerfile& file() const { return file_; }
  void throw_problems();

 private:
  void read_heredocs(Statement& statement);
  void parse_statement(Statement statement, LogicalLine line, std::vector<Instruction>& instructions);

  Dockerfile file_;
  std::optional<std::string> foreign_syntax_;
  LineReader reader_;
  std::vector<Error> problems_;
  bool lost_stage_ = false;  // a stage may have begun in a line that could not be parsed
};

void Parser::report(std::string message, const LineRange& lines, std::string_view word) {
  Error error(ErrorKind::usage, std::move(message));
  error.set_span(file_.span(lines, word));
  problems_.push_back(std::move(error));
}

void Parser::read_heredocs(Statement& statement) {
  if (!may_open_heredocs(statement)) return;
  for (Heredoc& heredoc : find_heredocs(statement.text)) {
    if (!reader_.read_heredoc(heredoc)) statement.fail("unterminated heredoc", "<<");
    statement.heredocs.push_back(std::move(heredoc));
  }
}

std::vector<Instruction> Parser::read_instructions() {
  std::vector<Instruction> instructions;
  LogicalLine line;
  while (reader_.next(line)) {
    Statement statement;
    statement.source = &file_;
    statement.escape = reader_.directives().escape;
    statement.text = line.text;
    statement.lines = line.lines;
    split_statement(statement);
    parse_statement(std::move(statement), std::move(line), instructions);
  }
  file_.directives = reader_.directives();
  if (foreign_syntax_ && !file_.directives.syntax) file_.directives.syntax = foreign_syntax_;
  return instructions;
}

void Parser::parse_statement(Statement statement, LogicalLine line, std::vector<Instruction>& instructions) {
  const std::string keyword = statement.upper_keyword();
  // The one place where an Error is caught to go on: the rest of the file may hold more of them.
  try {
    read_heredocs(statement);
    Instruction instruction;
    instruction.body = parse_body(statement);
    instruction.keyword = keyword;
    instruction.original = std::move(line.text);
    instruction.lines = {line.lines.first, reader_.line_number()};
    instruction.comments = std::move(line.comments);
    instruction.empty_continuations = std::move(line.empty_continuations);
    instructions.push_back(std::move(instruction));
  } catch (Error& error) {
    if (!error.span()) error.set_span(file_.span(line.lines, statement.keyword));
    problems_.push_back(std::move(error));
    const std::vector<std::string> keywords = instruction_keywords();
    const bool known = std::find(keywords.begin(), keywords.end(), keyword) != keywords.end();
    lost_stage_ = lost_stage_ || !known || keyword == "FROM";
  }
}

void Parser::add(Instruction instruction) {
  if (std::holds_alternative<From>(instruction.body)) {
    Stage stage;
    stage.name = to_lower(std::get<From>(instruction.body).alias.value_or(""));
    stage.from = std::move(instruction);
    file_.stages.push_back(std::move(stage));
  } else if (!file_.stages.empty()) {
    file_.stages.back().instructions.push_back(std::move(instruction));
  } else if (std::holds_alternative<Arg>(instruction.body)) {
    file_.global_args.push_back(std::move(instruction));
  } else if (!lost_stage_) {
    report("no build stage in current context", instruction.lines,
           instruction.original.substr(0, instruction.keyword.size()));
    lost_stage_ = true;  // one report is enough
  }
}

void Parser::throw_problems() {
  if (problems_.empty()) return;
  const auto line_of = [](const Error& error) { return error.span() ? error.span()->first_line : 0; };
  std::stable_sort(problems_.begin(), problems_.end(),
                   [&](const Error& a, const Error& b) { return line_of(a) < line_of(b); });
  Error first = problems_.front();
  constexpr std::size_t k_most_shown = 20;  // of a file that is no Dockerfile every line is a problem
  for (std::size_t i = 1; i < problems_.size(); ++i) {
    if (i > k_most_shown) {
      first.add_hint(fmt::format("and {} more", problems_.size() - i));
      break;
    }
    const Error& other = problems_[i];
    first.add_hint(fmt::format("also: {}:{}: {}", file_.name, other.span()->first_line, other.message()));
  }
  const std::optional<std::string>& syntax = file_.directives.syntax;
  if (syntax && !is_dockerfile_frontend(*syntax)) {
    first.add_hint(fmt::format("the file asks for the frontend {}, but only the Dockerfile language is read", *syntax));
  }
  throw first;
}

Dockerfile Parser::finish() {
  if (problems_.empty() && file_.stages.empty()) {
    report(file_.global_args.empty() ? "file with no instructions" : "dockerfile contains no stages to build", {});
  }
  throw_problems();
  return std::move(file_);
}

constexpr std::string_view k_word_ends = " \t\"'=,[]:";

// Where `word` stands in `line` as a word of its own, else anywhere.
std::size_t find_word(std::string_view line, std::string_view word) {
  for (std::size_t at = line.find(word); at != std::string_view::npos; at = line.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    const bool begins = at == 0 || k_word_ends.find(line[at - 1]) != std::string_view::npos;
    const bool ends = end == line.size() || k_word_ends.find(line[end]) != std::string_view::npos;
    if (begins && ends) return at;
  }
  return line.find(word);
}

}  // namespace

SourceSpan Dockerfile::span(const LineRange& range, std::string_view word) const {
  SourceSpan span;
  span.file = name;
  span.first_line = range.first;
  span.last_line = range.last;
  const int count = static_cast<int>(lines.size());
  if (range.first >= 1 && range.first <= count) span.text = lines[static_cast<std::size_t>(range.first) - 1];
  if (word.empty()) return span;
  for (int number = std::max(range.first, 1); number <= std::min(range.last, count); ++number) {
    const std::string& line = lines[static_cast<std::size_t>(number) - 1];
    const std::size_t at = find_word(line, word);
    if (at == std::string::npos) continue;
    span.first_line = span.last_line = number;
    span.column = static_cast<int>(at) + 1;
    span.length = static_cast<int>(word.size());
    span.text = line;
    return span;
  }
  return span;
}

SourceSpan Dockerfile::span(const Instruction& instruction) const {
  auto span_of_keyword = span(instruction.lines, instruction.original.substr(0, instruction.keyword.size()));
  span_of_keyword.last_line = instruction.lines.last;
  return span_of_keyword;
}

Dockerfile parse_dockerfile(std::string_view text, const std::string& name) {
  Parser parser(text, name);
  for (Instruction& instruction : parser.read_instructions()) parser.add(std::move(instruction));
  return parser.finish();
}

Instruction parse_trigger(std::string_view text, const std::string& origin) {
  Parser parser(text, origin);
  std::vector<Instruction> instructions = parser.read_instructions();
  parser.throw_problems();
  if (instructions.size() != 1) {
    parser.report(fmt::format("an ONBUILD trigger must be one instruction, not {}", instructions.size()), {});
    parser.throw_problems();
  }
  Instruction trigger = std::move(instructions.front());
  const std::string& keyword = trigger.keyword;
  if (keyword == "ONBUILD" || keyword == "FROM" || keyword == "MAINTAINER") {
    parser.report(fmt::format("{} isn't allowed as an ONBUILD trigger", keyword), trigger.lines);
    parser.throw_problems();
  }
  return trigger;
}

}  // namespace tektii::dockerfile
