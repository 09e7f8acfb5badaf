#include "dockerfile/word_expander.hpp"

#include "dockerfile/text.hpp"
#include "dockerfile/utf8.hpp"
#include <tektii/dockerfile/history.hpp>
#include <tektii/util/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tektii::dockerfile {
namespace {

// Far beyond what anyone writes, and far from the end of the stack.
constexpr int k_max_depth = 200;

// What variables may add to one word. A value that is made of itself twice, line after line, would soon take all
// memory; no program can be given one of more than 128 KiB.
constexpr std::size_t k_max_inserted = std::size_t{1} << 20;

constexpr std::string_view k_missing_brace = "syntax error: missing '}'";
constexpr std::string_view k_too_long = "its variables make it longer than 1 MiB";

bool is_special_parameter(char c) {
  return std::string_view("@*#?-$!0").find(c) != std::string_view::npos;
}

// Positional and special parameters of the shell exist in no build: they are empty and nobody means a variable by them.
bool names_parameter(std::string_view name) {
  return !name.empty() && (is_special_parameter(name.front()) || is_decimal_digit(decode_utf8(name, 0).value));
}

}  // namespace

WordExpander::WordExpander(std::string_view word, const Lookup& lookup, const ExpandOptions& options,
                           WordExpanderMode mode)
    : word_(word), lookup_(lookup), options_(options), mode_(mode) {}

void WordExpander::run() {
  Output output = read_until(std::nullopt, options_.raw_escapes);
  output.end_word();
  expanded_.text = std::move(output.text);
  words_ = std::move(output.words);
}

void WordExpander::Output::add_plain(std::string_view piece) {
  text += piece;
  for (std::size_t at = 0; at < piece.size();) {
    const std::size_t space = white_space_at(piece, at);
    if (space > 0) {
      end_word();
    } else {
      word += piece[at];
    }
    at += std::max<std::size_t>(space, 1);
  }
}

void WordExpander::Output::add_quoted(std::string_view piece) {
  text += piece;
  word += piece;
}

void WordExpander::Output::end_word() {
  if (!word.empty()) words.push_back(std::exchange(word, {}));
}

WordExpander::Output WordExpander::read_until(std::optional<char> stop, bool raw_escapes) {
  const bool outer_raw_escapes = std::exchange(options_.raw_escapes, raw_escapes);
  Output output;
  while (!at_end()) {
    const char c = peek();
    if (stop && c == *stop) {
      ++position_;
      options_.raw_escapes = outer_raw_escapes;
      return output;
    }
    if (c == '$') {
      output.add_plain(read_dollar());
    } else if (c == '\'' && !options_.raw_quotes) {
      output.add_quoted(read_single_quoted());
    } else if (c == '"' && !options_.raw_quotes) {
      output.add_quoted(read_double_quoted());
    } else if (c == '<') {
      output.add_quoted(read_heredoc_operator());
    } else if (c == options_.escape) {
      ++position_;
      if (options_.raw_escapes) output.add_quoted(std::string_view(&c, 1));
      if (!at_end()) output.add_quoted(take_code_point());
    } else {
      output.add_plain(take_code_point());
    }
  }
  if (stop == '/') fail("syntax error: missing '/' in ${}");
  if (stop) fail(k_missing_brace);
  return output;
}

// "<< EOF" is one word for the sake of heredocs, although there is white space in it; the text is the same either way.
std::string WordExpander::read_heredoc_operator() {
  const std::size_t start = position_++;
  if (at_end() || peek() != '<') return "<";
  ++position_;
  while (!at_end() && (peek() == ' ' || peek() == '\t')) ++position_;
  return std::string(word_.substr(start, position_ - start));
}

std::string WordExpander::read_single_quoted() {
  const std::size_t end = word_.find('\'', position_ + 1);
  if (end == std::string_view::npos) {
    fail(depth_ > 0 ? k_missing_brace : "unexpected end of statement while looking for matching single-quote");
  }
  const std::string_view quoted = word_.substr(position_, end + 1 - position_);
  position_ = end + 1;
  return std::string(mode_.keep_quotes ? quoted : quoted.substr(1, quoted.size() - 2));
}

std::string WordExpander::read_double_quoted() {
  std::string result;
  if (mode_.keep_quotes) result += '"';
  ++position_;
  while (!at_end()) {
    const char c = peek();
    if (c == '"') {
      ++position_;
      if (mode_.keep_quotes) result += '"';
      return result;
    }
    if (c == '$') {
      result += read_dollar();
      continue;
    }
    ++position_;
    if (c == options_.escape) {
      if (options_.raw_escapes) result += c;
      if (at_end()) continue;  // a lone escape at the end of the word is dropped
      const char next = peek();
      if (next == '"' || next == '$' || next == options_.escape) {
        ++position_;
        result += next;
        continue;
      }
      if (options_.raw_escapes) continue;  // it was written above
    }
    result += c;
  }
  fail(depth_ > 0 ? k_missing_brace : "unexpected end of statement while looking for matching double-quote");
}

std::string WordExpander::read_dollar() {
  ++position_;
  if (!at_end() && peek() == '{') {
    if (++depth_ > k_max_depth) fail("syntax error: substitutions are nested too deeply");
    std::string result = read_braces();
    --depth_;
    return result;
  }
  const std::string name = read_name();
  if (name.empty()) return "$";
  Variable variable = look_up(name, false);
  if (!variable.value && mode_.keep_unset) return "$" + name;
  return std::move(variable.value).value_or("");
}

std::string WordExpander::read_braces() {
  ++position_;
  if (at_end()) fail(k_missing_brace);
  if (peek() == '{' || peek() == '}' || peek() == ':') fail("syntax error: bad substitution");
  const std::string name = read_name();
  if (at_end()) fail(k_missing_brace);
  const char c = peek();
  if (c == '}') {
    ++position_;
    Variable variable = look_up(name, false);
    if (!variable.value && mode_.keep_unset) return "${" + name + "}";
    return std::move(variable.value).value_or("");
  }
  if (name.empty()) fail("syntax error: bad substitution");
  if (c == '/') {
    ++position_;
    return substitute_pattern(name);
  }
  const bool empty_is_unset = c == ':';
  if (empty_is_unset) ++position_;
  if (at_end()) fail(k_missing_brace);
  const std::string_view modifier = take_code_point();
  const std::string_view allowed = empty_is_unset ? "+-?" : "+-?#%";
  if (modifier.size() != 1 || allowed.find(modifier) == std::string_view::npos) {
    fail(fmt::format("unsupported modifier ({}{}) in substitution", empty_is_unset ? ":" : "", modifier));
  }
  return substitute(name, modifier.front(), empty_is_unset);
}

std::string WordExpander::substitute(const std::string& name, char modifier, bool empty_is_unset) {
  const bool is_trim = modifier == '#' || modifier == '%';
  std::string word = read_until('}', is_trim).text;
  const Variable variable = look_up(name, !is_trim);
  if (!variable.value && mode_.keep_unset) {
    return fmt::format("${{{}{}{}{}}}", name, empty_is_unset ? ":" : "", modifier, word);
  }
  const bool counts = variable.value && !(empty_is_unset && variable.value->empty());
  switch (modifier) {
    case '-':
      return counts ? *variable.value : word;
    case '+':
      return counts ? word : std::string();
    case '?':
      if (counts) return *variable.value;
      if (word.empty()) word = variable.value ? "is not allowed to be empty" : "is not allowed to be unset";
      fail(fmt::format("{}: {}", name, word));
    default:
      return trim_value(variable, modifier, word);
  }
}

std::string WordExpander::trim_value(const Variable& variable, char modifier, std::string_view pattern) const {
  const bool longest = pattern.starts_with(modifier);
  if (longest) pattern.remove_prefix(1);
  const GlobPattern glob = parse_pattern(pattern);
  std::string value = variable.value.value_or("");
  if (modifier == '#') {
    if (const auto length = glob.match_prefix(value, longest)) value.erase(0, *length);
  } else if (const auto start = glob.match_suffix(value, longest)) {
    value.erase(*start);
  }
  return value;
}

GlobPattern WordExpander::parse_pattern(std::string_view pattern) const {
  std::string reason;
  auto glob = GlobPattern::parse(pattern, options_.escape, reason);
  if (!glob) fail(reason);
  return std::move(*glob);
}

std::string WordExpander::substitute_pattern(const std::string& name) {
  const bool all = !at_end() && peek() == '/';
  if (all) ++position_;
  const std::string pattern = read_until('/', true).text;
  const std::string replacement = read_until('}', true).text;
  const Variable variable = look_up(name, false);
  if (!variable.value && mode_.keep_unset) return fmt::format("${{{}/{}/{}}}", name, pattern, replacement);
  const std::string value = variable.value.value_or("");
  auto result = parse_pattern(pattern).replace(value, replacement, all, k_max_inserted);
  if (!result) fail(k_too_long);
  if (result->size() > value.size()) count_inserted(result->size() - value.size());
  return std::move(*result);
}

std::string WordExpander::read_name() {
  const std::size_t start = position_;
  if (at_end()) return {};
  const auto at_digit = [this] {
    const CodePoint code_point = decode_utf8(word_, position_);
    return code_point.valid && is_decimal_digit(code_point.value);
  };
  if (at_digit()) {
    while (!at_end() && at_digit()) take_code_point();
  } else if (is_special_parameter(peek())) {
    ++position_;
  } else {
    while (!at_end()) {
      const CodePoint code_point = decode_utf8(word_, position_);
      const bool is_name =
          code_point.valid && (is_letter(code_point.value) || is_decimal_digit(code_point.value) || peek() == '_');
      if (!is_name) break;
      position_ += code_point.length;
    }
  }
  return std::string(word_.substr(start, position_ - start));
}

WordExpander::Variable WordExpander::look_up(std::string name, bool has_default) {
  if (names_parameter(name) && !mode_.look_up_parameters) return {std::move(name), std::nullopt};
  std::optional<std::string> value = lookup_(name);
  if (value) {
    count_inserted(value->size());
    expanded_.used.insert(name);
  } else if (!has_default) {
    expanded_.unset.insert(name);
  }
  return {std::move(name), std::move(value)};
}

void WordExpander::count_inserted(std::size_t size) {
  if (size > k_max_inserted - inserted_) fail(k_too_long);
  inserted_ += size;
}

std::string_view WordExpander::take_code_point() {
  const std::string_view taken = word_.substr(position_, decode_utf8(word_, position_).length);
  position_ += taken.size();
  return taken;
}

void WordExpander::fail(std::string_view reason) const {
  throw Error(ErrorKind::usage, fmt::format("failed to process {}: {}", go_quote(word_), reason));
}

}  // namespace tektii::dockerfile
