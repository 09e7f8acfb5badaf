#include "dockerfile/heredoc.hpp"

#include "dockerfile/text.hpp"
#include "dockerfile/word_expander.hpp"
#include <tektii/dockerfile/expand.hpp>
#include <tektii/util/error.hpp>

#include <spdlog/spdlog.h>

#include <algorithm>
#include <string>

namespace tektii::dockerfile {
namespace {

// Heredoc words are read with the backslash, whatever the escape directive says: they are shell syntax.
std::vector<std::string> split_words(std::string_view text, bool raw_escapes, bool keep_quotes) {
  const Lookup nothing = [](std::string_view) { return std::optional<std::string>(); };
  ExpandOptions options;
  options.raw_escapes = raw_escapes;
  WordExpanderMode mode;
  mode.keep_quotes = keep_quotes;
  mode.keep_unset = true;
  WordExpander expander(text, nothing, options, mode);
  expander.run();
  return std::move(expander.words());
}

auto count_quotes(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return c == '\'' || c == '"'; });
}

}  // namespace

// ^(\d*)<<(-?)\s*([^<]*)$
std::optional<Heredoc> parse_heredoc_word(std::string_view word) {
  while (!word.empty() && is_digit(word.front())) word.remove_prefix(1);
  if (!word.starts_with("<<")) return std::nullopt;
  word.remove_prefix(2);
  Heredoc heredoc;
  heredoc.strip_tabs = word.starts_with('-');
  if (heredoc.strip_tabs) word.remove_prefix(1);
  word = trim_left(word);
  if (word.empty() || word.find('<') != std::string_view::npos) return std::nullopt;
  const std::vector<std::string> names = split_words(word, false, false);
  if (names.size() != 1) return std::nullopt;
  const std::vector<std::string> raw = split_words(word, false, true);
  heredoc.name = names.front();
  heredoc.expand = raw.size() == 1 && count_quotes(names.front()) == count_quotes(raw.front());
  return heredoc;
}

std::optional<std::vector<std::string>> split_shell_words(std::string_view line) {
  try {
    return split_words(line, true, true);
  } catch (const Error& error) {
    spdlog::debug("not split into words: {}", error.what());
    return std::nullopt;
  }
}

std::vector<Heredoc> find_heredocs(std::string_view line) {
  std::vector<Heredoc> heredocs;
  if (line.find("<<") == std::string_view::npos) return heredocs;
  for (const std::string& word : split_shell_words(line).value_or(std::vector<std::string>())) {
    if (auto heredoc = parse_heredoc_word(word)) heredocs.push_back(std::move(*heredoc));
  }
  return heredocs;
}

}  // namespace tektii::dockerfile
