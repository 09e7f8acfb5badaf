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
  // `escape` is the escape character of the Dockerfile, which protects } and / beside the backslash. nullopt on any
  // other escape, and then `reason` says which.
  static std::optional<GlobPattern> parse(std::string_view pattern, char escape, std::string& reason);

  // Bytes of the shortest or longest prefix that matches.
  std::optional<std::size_t> match_prefix(std::string_view value, bool longest) const;
  // Where the shortest or longest suffix that matches begins.
  std::optional<std::size_t> match_suffix(std::string_view value, bool longest) const;
  // Replaces the first match, or all of them, each as long as possible and from left to right. nullopt when the
  // replacements take more than `limit` bytes.
  std::optional<std::string> replace(std::string_view value, std::string_view replacement, bool all,
                                     std::size_t limit) const;

 private:
  enum class Kind { literal, any, star };
  struct Token {
    Kind kind;
    std::string text;  // of a literal
  };

  void add_literal(std::string_view text);
  // Matches the tokens before the first star, which can match in one way only.
  std::optional<std::size_t> match_head(std::string_view value) const;

  std::vector<Token> tokens_;
  std::size_t head_ = 0;  // how many tokens stand before the first star
};

}  // namespace tektii::dockerfile
