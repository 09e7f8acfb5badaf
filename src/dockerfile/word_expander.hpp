#pragma once

#include "dockerfile/glob.hpp"
#include <tektii/dockerfile/expand.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tektii::dockerfile {

// What the public expander does not offer: the search for heredocs reads a line as the expander would, but must get
// every word back as it was written.
struct WordExpanderMode {
  bool keep_quotes = false;         // quotes still protect what they enclose, but stay in the output
  bool keep_unset = false;          // $v and ${v...} of an unset variable stay in the output
  bool look_up_parameters = false;  // $1 and $@ are asked for like variables
};

// One pass over one word (BuildKit's shell/lex.go); used once.
class WordExpander {
 public:
  WordExpander(std::string_view word, const Lookup& lookup, const ExpandOptions& options, WordExpanderMode mode = {});

  // Throws Error{usage}, "failed to process ...".
  void run();

  Expanded& expanded() { return expanded_; }
  std::vector<std::string>& words() { return words_; }

 private:
  // Text that grows and, beside it, the words that unquoted white space makes of it.
  struct Output {
    std::string text;
    std::vector<std::string> words;
    std::string word;

    void add_plain(std::string_view piece);   // white space in it separates words
    void add_quoted(std::string_view piece);  // it does not
    void end_word();
  };
  struct Variable {
    std::string name;
    std::optional<std::string> value;
  };

  Output read_until(std::optional<char> stop, bool raw_escapes);
  std::string read_single_quoted();
  std::string read_double_quoted();
  std::string read_dollar();
  std::string read_braces();
  std::string read_heredoc_operator();
  std::string read_name();

  std::string substitute(const std::string& name, char modifier, bool empty_is_unset);
  std::string substitute_pattern(const std::string& name);
  std::string trim_value(const Variable& variable, char modifier, std::string_view pattern) const;
  GlobPattern parse_pattern(std::string_view pattern) const;
  Variable look_up(std::string name, bool has_default);
  void count_inserted(std::size_t size);

  bool at_end() const { return position_ == word_.size(); }
  char peek() const { return word_[position_]; }
  std::string_view take_code_point();
  [[noreturn]] void fail(std::string_view reason) const;

  std::string_view word_;
  const Lookup& lookup_;
  ExpandOptions options_;
  WordExpanderMode mode_;
  std::size_t position_ = 0;
  int depth_ = 0;             // of ${}
  std::size_t inserted_ = 0;  // bytes of the values of variables and of replacements so far
  Expanded expanded_;
  std::vector<std::string> words_;
};

}  // namespace tektii::dockerfile
