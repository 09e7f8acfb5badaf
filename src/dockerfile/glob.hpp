#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tektii::dockerfile {

// The pattern of ${v#p}, ${v%p} and ${v/p/r}: `*` is any run of characters and `?` one character, neither of them a
// line end; \* \? and \\ are literal, and so are the } and / that had to be escaped to stand inside ${}. There are no
// brackets. Everything is matched per UTF-8 code point.
class GlobPattern {
 public:
  // `escape` is the escape character of the Dockerfile, which protects } and / beside the backslash. Throws
  // Error{usage} on any other escape.
  GlobPattern(std::string_view pattern, char escape);

  // Bytes of the shortest or longest prefix that matches.
  std::optional<std::size_t> match_prefix(std::string_view value, bool longest) const;
  // Where the shortest or longest suffix that matches begins.
  std::optional<std::size_t> match_suffix(std::string_view value, bool longest) const;
  // Replaces the first match, or all of them, each as long as possible and from left to right.
  std::string replace(std::string_view value, std::string_view replacement, bool all) const;

 private:
  enum class Kind { literal, any, star };
  struct Token {
    Kind kind;
    std::string text;  // of a literal
  };

  void add_literal(std::string_view text);

  std::vector<Token> tokens_;
};

}  // namespace tektii::dockerfile
