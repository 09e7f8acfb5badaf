#pragma once

#include <tektii/dockerfile/instruction.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tektii::dockerfile {

// An instruction split into keyword, flags and the rest, before the rest gets a meaning.
struct Statement {
  const Dockerfile* source = nullptr;  // for spans; outlives the statement
  char escape = '\\';
  std::string text;                // the logical line
  std::string keyword;             // as written
  std::vector<std::string> flags;  // "--name" or "--name=value", quotes removed
  std::string rest;                // behind the flags, trimmed
  LineRange lines;
  std::vector<Heredoc> heredocs;

  std::string upper_keyword() const;

  // Throws Error{usage} with a span under `word`, or under the keyword when the word is empty or can't be found.
  [[noreturn]] void fail(std::string message, std::string_view word = {}, std::string hint = {}) const;

  // Runs `parse`, which knows a value but not where it stands, and puts a span under `word` when it throws.
  template <typename Parse>
  auto located(std::string_view word, Parse parse) const {
    try {
      return parse();
    } catch (Error& error) {
      error.set_span(find(word));
      throw;
    }
  }

 private:
  SourceSpan find(std::string_view word) const;
};

// Fills keyword, flags and rest from `text`.
void split_statement(Statement& statement);

// Splits at runs of [\t\v\f\r ]; empty text gives nothing.
std::vector<std::string> split_white_space(std::string_view text);

// Splits as the ENV, LABEL and ARG parsers of BuildKit do (parseWords): quotes and escapes protect white space and stay
// in the words; a lone escape character at the end is dropped.
std::vector<std::string> split_quoted_words(std::string_view text, char escape);

// The strings of a JSON array. nullopt when the text is no JSON array, so that it is taken as words or as a shell
// command; an array with something else than strings in it fails.
std::optional<std::vector<std::string>> parse_json_words(const Statement& statement, std::string_view text);

}  // namespace tektii::dockerfile
