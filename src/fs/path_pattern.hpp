#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tektii::fs {

// One cleaned pattern of moby's patternmatcher, without its '!'. Moby turns a pattern into a string comparison or a
// regular expression; the same choice is made here, because the two differ: "**foo" is a suffix ("barfoo" matches),
// "**foo*" is an expression ("barfoo" does not).
class PathPattern {
 public:
  // Throws Error{usage} when the pattern is malformed.
  explicit PathPattern(std::string_view pattern);

  bool matches(std::string_view path) const;
  // True when some path below the directory may match. May say true for one where none does, never the opposite.
  bool may_match_below(std::string_view directory) const;

 private:
  enum class Kind { exact, prefix, suffix, expression };
  enum class TokenType : std::uint8_t {
    literal,      // one byte
    any_rune,     // '?': one character that is not '/'
    star,         // '*': anything without '/'
    directories,  // "**/" or "**" before something: nothing, or anything that ends in '/'
    anything,     // "**" at the end
    begin,        // '^' outside of a class, which moby hands on to the expression as an anchor
    char_class,
  };
  struct Range {
    char32_t low = 0;
    char32_t high = 0;
  };
  struct Token {
    TokenType type = TokenType::literal;
    char byte = 0;
    bool negated = false;
    std::vector<Range> ranges;
  };
  // How far a search has to come: to the end of both, or to the end of the path with tokens left over.
  enum class Goal { whole, path_prefix };
  class Search;

  void compile(std::string_view pattern);
  void add_double_star(std::string_view pattern, std::size_t& at);
  Token parse_class(std::string_view pattern, std::size_t& at) const;
  bool search(std::string_view path, Goal goal) const;

  Kind kind_ = Kind::exact;
  std::string text_;  // exact: the pattern; prefix, suffix: the fixed part
  std::vector<Token> tokens_;
};

}  // namespace tektii::fs
