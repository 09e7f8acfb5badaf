// COPY and ADD.
#include "dockerfile/flags.hpp"
#include "dockerfile/heredoc.hpp"
#include "dockerfile/typed.hpp"
#include <tektii/dockerfile/values.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

namespace tektii::dockerfile {
namespace {

bool has_variable(std::string_view text) {
  return text.find('$') != std::string_view::npos;
}

void parse_flags(const Statement& statement, Copy& copy) {
  FlagParser flags(statement);
  flags.text("chown", copy.chown).text("chmod", copy.chmod).boolean("link", copy.link).list("exclude", copy.exclude);
  if (copy.is_add) {
    flags.text("checksum", copy.checksum).boolean("keep-git-dir", copy.keep_git_dir).boolean("unpack", copy.unpack);
  } else {
    flags.text("from", copy.from).boolean("parents", copy.parents);
  }
  flags.parse();
}

void check_flags(const Statement& statement, const Copy& copy) {
  if (copy.from && has_variable(*copy.from)) {
    statement.fail("'--from' doesn't support variable expansion, define alias stage instead", *copy.from);
  }
  if (copy.chmod && !has_variable(*copy.chmod)) {
    statement.located(*copy.chmod, [&] { return parse_chmod(*copy.chmod); });
  }
  if (copy.checksum && copy.sources.size() != 1) {
    statement.fail("checksum can't be specified for multiple sources", *copy.checksum);
  }
}

// Sources, heredocs and destination. A line with heredocs is split as the shell does, so that their words may hold
// blanks; any other at white space, where quotes mean nothing.
std::vector<std::string> split_arguments(const Statement& statement) {
  if (auto words = parse_json_words(statement, statement.rest)) return std::move(*words);
  if (!statement.heredocs.empty()) {
    if (auto words = split_shell_words(statement.rest)) return std::move(*words);
  }
  return split_white_space(statement.rest);
}

}  // namespace

InstructionBody parse_copy(const Statement& statement) {
  Copy copy;
  const std::string keyword = statement.upper_keyword();
  copy.is_add = keyword == "ADD";
  parse_flags(statement, copy);
  std::vector<std::string> words = split_arguments(statement);
  if (words.size() < 2) {
    statement.fail(
        fmt::format(
            "{} requires at least two arguments, but only one was provided. Destination could not be determined",
            keyword),
        words.empty() ? std::string_view() : std::string_view(words.front()));
  }
  copy.destination = std::move(words.back());
  words.pop_back();
  if (!statement.heredocs.empty() && parse_heredoc_word(copy.destination)) {
    statement.fail(keyword + " cannot accept a heredoc as a destination", copy.destination);
  }
  std::size_t next_heredoc = 0;
  for (std::string& word : words) {
    if (next_heredoc < statement.heredocs.size() && parse_heredoc_word(word)) {
      copy.heredocs.push_back(statement.heredocs[next_heredoc++]);
    } else {
      copy.sources.push_back(std::move(word));
    }
  }
  check_flags(statement, copy);
  return copy;
}

}  // namespace tektii::dockerfile
