#include "dockerfile/statement.hpp"

#include "dockerfile/text.hpp"
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>

namespace tektii::dockerfile {
namespace {

// Reads one word that begins with "--" off the front of `line`; quotes and escapes are removed. Returns whether the
// word was a quoted or non-empty one.
bool take_flag(std::string_view& line, char escape, std::string& word) {
  char quote = 0;
  bool quoted = false;
  std::size_t i = 0;
  for (; i < line.size(); ++i) {
    char c = line[i];
    if (quote == 0 && is_space(c)) break;
    if (quote != 0 && c == quote) {
      quote = 0;
      continue;
    }
    if (quote == 0 && (c == '\'' || c == '"')) {
      quote = c;
      quoted = true;
      continue;
    }
    if (c == escape) {
      if (++i == line.size()) break;
      c = line[i];
    }
    word += c;
  }
  line.remove_prefix(i);
  return quoted || !word.empty();
}

// What is not Unicode in JSON, bytes and escapes of halves of surrogate pairs, replaced so that it can be parsed.
std::string replace_malformed(std::string_view text) {
  std::string replaced;
  for (std::size_t i = 0; i < text.size();) {
    const CodePoint code_point = decode_utf8(text, i);
    const std::string_view escape = text.substr(i, 4);
    const bool is_surrogate = escape.size() == 4 && escape.starts_with("\\u") &&
                              (escape[2] == 'd' || escape[2] == 'D') &&
                              std::string_view("89abcdefABCDEF").find(escape[3]) != std::string_view::npos;
    if (!code_point.valid || is_surrogate) {
      replaced += is_surrogate ? "\\u00" : "?";
      i += is_surrogate ? 4 : 1;
    } else {
      const std::size_t length = text[i] == '\\' && i + 1 < text.size() ? 2 : code_point.length;
      replaced += text.substr(i, length);
      i += length;
    }
  }
  return replaced;
}

}  // namespace

std::string Statement::upper_keyword() const {
  std::string upper = keyword;
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return upper;
}

SourceSpan Statement::find(std::string_view word) const {
  SourceSpan span = source->span(lines, word);
  return span.column != 0 ? span : source->span(lines, keyword);
}

void Statement::fail(std::string message, std::string_view word, std::string hint) const {
  Error error(ErrorKind::usage, std::move(message));
  error.set_span(find(word));
  if (!hint.empty()) error.add_hint(std::move(hint));
  throw error;
}

void split_statement(Statement& statement) {
  std::string_view line = trim_both(statement.text);
  const std::size_t end = std::min(line.find_first_of(" \t\v\f\r"), line.size());
  statement.keyword = line.substr(0, end);
  line = trim_both(line.substr(end));
  while (line.starts_with("--")) {
    std::string word;
    const bool counts = take_flag(line, statement.escape, word);
    line = trim_left(line);
    if (word == "--") break;
    if (counts) statement.flags.push_back(std::move(word));
  }
  statement.rest = line;
}

std::vector<std::string> split_white_space(std::string_view text) {
  std::vector<std::string> words;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t end = std::min(text.find_first_of(" \t\v\f\r", i), text.size());
    if (end > i) words.emplace_back(text.substr(i, end - i));
    i = end + 1;
  }
  return words;
}

std::vector<std::string> split_quoted_words(std::string_view text, char escape) {
  std::vector<std::string> words;
  std::string word;
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (const std::size_t space = quote == 0 ? white_space_at(text, i) : 0; space > 0) {
      if (!word.empty()) words.push_back(std::exchange(word, {}));
      i += space - 1;
      continue;
    }
    if (c == escape && quote != '\'') {
      if (++i == text.size()) break;
      word += c;
      word += text[i];
      continue;
    }
    if (c == quote) {
      quote = 0;
    } else if (quote == 0 && (c == '\'' || c == '"')) {
      quote = c;
    }
    word += c;
  }
  if (!word.empty()) words.push_back(std::move(word));
  return words;
}

std::optional<std::vector<std::string>> parse_json_words(const Statement& statement, std::string_view text) {
  text = trim_left(text);
  if (!text.starts_with('[')) return std::nullopt;
  const nlohmann::json array = nlohmann::json::parse(text, nullptr, false);
  if (!array.is_array()) {
    // Not worth the silent change into a shell command that other text gets.
    if (nlohmann::json::parse(replace_malformed(text), nullptr, false).is_array()) {
      statement.fail("the JSON array holds something that is not Unicode");
    }
    return std::nullopt;
  }
  std::vector<std::string> words;
  for (const auto& element : array) {
    if (!element.is_string()) {
      statement.fail("when using JSON array syntax, arrays must be comprised of strings only", element.dump());
    }
    words.push_back(element.get<std::string>());
  }
  return words;
}

}  // namespace tektii::dockerfile
