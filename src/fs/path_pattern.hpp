#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tektii::fs {

// One cleaned pattern of moby's patternmatcher, without its '!'. Moby turns a pattern into a string comparison or a
// regular expression; the same choice is made here, because the two differ: "**foo" is a suffix ("barfoo" matches),
// "**foo*" is an expression ("barfoo" does not). What means something to a regular expression alone ('^', '|', '{', the
// escape of a letter) leaks into moby's expressions; here it stands for itself, as the syntax of ignore files says.
class PathPattern {
 public:
  // Throws Error{usage} when the pattern is malformed.
  explicit PathPattern(std::string_view pattern);

  bool matches(std::string_view path) const;
  // True when some path below the directory may match. May say true for one where none does, never the opposite.
  bool may_match_below(std::string_view directory) const;
  // The byte that every path ends in which matches, where the pattern tells.
  std::optional<unsigned char> last_byte() const;

 private:
  enum class Kind { exact, prefix, suffix, expression };
  enum class TokenType : std::uint8_t {
    literal,
    any_rune,     // '?': one character that is not '/'
    star,         // '*': anything without '/'
    directories,  // "**/" or "**" before something: nothing, or anything that ends in '/'
    anything,     // "**" at the end
    char_class,
  };
  struct Range {
    char32_t low = 0;
    char32_t high = 0;
  };
  struct Token {
    TokenType type = TokenType::literal;
    std::string text;  // of a literal
    bool negated = false;
    std::vector<Range> ranges;
  };
  // Which offsets of the path a part of the tokens can have consumed it up to.
  using Reached = std::vector<bool>;

  void compile(std::string_view pattern);
  void add_literal(char byte);
  void add_double_star(std::string_view pattern, std::size_t& at);
  Token parse_class(std::string_view pattern, std::size_t& at) const;
  bool matches_expression(std::string_view path) const;
  bool may_begin_with(std::string_view directory_and_slash) const;
  static Reached step(const Token& token, std::string_view path, const Reached& reached);
  static std::size_t take_one(const Token& token, std::string_view path, std::size_t position);

  Kind kind_ = Kind::exact;
  std::string text_;  // exact: the pattern; prefix, suffix: the fixed part
  std::vector<Token> tokens_;
  // What a path begins with, ends with and has in it that an expression matches, so that few need a closer look.
  std::string head_;
  std::string tail_;
  std::string needle_;
  bool is_tail_alone_ = false;  // "**/*tail": nothing else is asked for
};

}  // namespace tektii::fs
