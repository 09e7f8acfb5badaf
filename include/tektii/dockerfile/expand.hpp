#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace tektii::dockerfile {

// Looks a variable up; nullopt when it is unset.
using Lookup = std::function<std::optional<std::string>(std::string_view name)>;

struct ExpandOptions {
  char escape = '\\';
  bool raw_quotes = false;   // keep quotes as they are (heredoc bodies)
  bool raw_escapes = false;  // keep escapes as they are
};

struct Expanded {
  std::string text;
  std::set<std::string> used;   // variables that were looked up and found
  std::set<std::string> unset;  // looked up, not set, and without a default
};

// Expands one word: quotes, escapes, $v ${v} and ${v:-w} ${v-w} ${v:+w} ${v+w} ${v:?m} ${v?m} ${v#p} ${v##p} ${v%p}
// ${v%%p} ${v/p/r} ${v//p/r} (BuildKit shell/lex.go). The shell's special parameters ($1, $@ ...) are empty and never
// looked up; the word of an operator is expanded even when it is not needed. Throws Error{usage}; the caller adds the
// span.
Expanded expand_word(std::string_view word, const Lookup& lookup, const ExpandOptions& options = {});

// The same, but unquoted white space that comes out of the word or of a variable splits it (EXPOSE).
std::vector<std::string> expand_words(std::string_view word, const Lookup& lookup, const ExpandOptions& options = {});

}  // namespace tektii::dockerfile
