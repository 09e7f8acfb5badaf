#include "path_pattern.hpp"

#include "clean_path.hpp"
#include <tektii/fs/ignore.hpp>

#include <algorithm>

namespace tektii::fs {

PathPattern::PathPattern(std::string_view pattern) {
  match_glob(pattern, ".");  // for its syntax errors alone, as moby does
  compile(pattern);
  if (kind_ == Kind::exact) text_ = pattern;
  if (kind_ == Kind::prefix) text_ = pattern.substr(0, pattern.size() - 2);
  if (kind_ == Kind::suffix) text_ = pattern.substr(2);
  if (kind_ != Kind::expression) return;
  if (tokens_.front().type == TokenType::literal) head_ = tokens_.front().text;
  if (tokens_.back().type == TokenType::literal) tail_ = tokens_.back().text;
  for (std::size_t i = 1; i + 1 < tokens_.size(); ++i) {
    if (tokens_[i].text.size() > needle_.size()) needle_ = tokens_[i].text;
  }
  is_tail_alone_ = tokens_.size() == 3 && tokens_[0].type == TokenType::directories &&
                   tokens_[1].type == TokenType::star && !tail_.empty() && tail_.find('/') == std::string::npos;
}

void PathPattern::add_literal(char byte) {
  if (tokens_.empty() || tokens_.back().type != TokenType::literal) tokens_.emplace_back();
  tokens_.back().text += byte;
}

void PathPattern::add_double_star(std::string_view pattern, std::size_t& at) {
  const bool first = at == 0;
  at += 2;
  if (at < pattern.size() && pattern[at] == '/') ++at;
  const bool last = at == pattern.size();
  tokens_.push_back({last ? TokenType::anything : TokenType::directories, {}, false, {}});
  kind_ = last && kind_ == Kind::exact ? Kind::prefix : Kind::expression;
  if (first) kind_ = Kind::suffix;
}

// Reads "[...]" from `at`, which match_glob has accepted, and moves behind it.
PathPattern::Token PathPattern::parse_class(std::string_view pattern, std::size_t& at) const {
  Token token{TokenType::char_class, {}, false, {}};
  if (pattern[++at] == '^') {
    token.negated = true;
    ++at;
  }
  const auto member = [&] {
    if (pattern[at] == '\\') ++at;
    return next_rune(pattern, at);
  };
  while (pattern[at] != ']') {
    const char32_t low = member();
    char32_t high = low;
    if (pattern[at] == '-') {
      ++at;
      high = member();
    }
    token.ranges.push_back({low, high});
  }
  ++at;
  return token;
}

void PathPattern::compile(std::string_view pattern) {
  for (std::size_t at = 0; at < pattern.size();) {
    const char c = pattern[at];
    if (c == '*' && pattern.substr(at).starts_with("**")) {
      add_double_star(pattern, at);
      continue;
    }
    if (c == '*' || c == '?' || c == '[' || c == ']' || c == '\\') kind_ = Kind::expression;
    switch (c) {
      case '*':
        tokens_.push_back({TokenType::star, {}, false, {}});
        ++at;
        break;
      case '?':
        tokens_.push_back({TokenType::any_rune, {}, false, {}});
        ++at;
        break;
      case '[':
        tokens_.push_back(parse_class(pattern, at));
        break;
      case '\\':
        add_literal(pattern[at + 1]);
        at += 2;
        break;
      default:
        add_literal(c);
        ++at;
    }
  }
}

// Behind the literal, rune or class member at `position`; npos when something else is there.
std::size_t PathPattern::take_one(const Token& token, std::string_view path, std::size_t position) {
  if (token.type == TokenType::literal) {
    return path.substr(position).starts_with(token.text) ? position + token.text.size() : std::string_view::npos;
  }
  if (position == path.size() || (token.type == TokenType::any_rune && path[position] == '/')) {
    return std::string_view::npos;
  }
  const char32_t rune = next_rune(path, position);
  if (token.type == TokenType::any_rune) return position;
  const bool found = std::any_of(token.ranges.begin(), token.ranges.end(),
                                 [rune](const Range& range) { return range.low <= rune && rune <= range.high; });
  return found != token.negated ? position : std::string_view::npos;
}

PathPattern::Reached PathPattern::step(const Token& token, std::string_view path, const Reached& reached) {
  Reached next(path.size() + 1, false);
  bool inside = false;
  for (std::size_t i = 0; i <= path.size(); ++i) {
    switch (token.type) {
      case TokenType::star:
        inside = inside || reached[i];
        next[i] = inside;
        inside = inside && i < path.size() && path[i] != '/';
        break;
      case TokenType::directories:
      case TokenType::anything:
        next[i] = reached[i] || (inside && (token.type == TokenType::anything || path[i - 1] == '/'));
        inside = inside || reached[i];
        break;
      default:
        if (!reached[i]) break;
        if (const std::size_t end = take_one(token, path, i); end != std::string_view::npos) next[end] = true;
    }
  }
  return next;
}

// All ways to match are followed at once, so that the cost is bounded by the lengths of pattern and path however many
// wildcards there are.
bool PathPattern::matches_expression(std::string_view path) const {
  if (!path.starts_with(head_) || !path.ends_with(tail_)) return false;
  if (is_tail_alone_) return true;
  if (path.find(needle_) == std::string_view::npos) return false;
  Reached reached(path.size() + 1, false);
  reached[0] = true;
  for (const Token& token : tokens_) reached = step(token, path, reached);
  return reached[path.size()];
}

bool PathPattern::may_begin_with(std::string_view directory_and_slash) const {
  const std::size_t common = std::min(head_.size(), directory_and_slash.size());
  if (directory_and_slash.substr(0, common) != std::string_view(head_).substr(0, common)) return false;
  if (common == directory_and_slash.size() || tokens_.front().type == TokenType::directories) return true;
  Reached reached(directory_and_slash.size() + 1, false);
  reached[0] = true;
  for (const Token& token : tokens_) {
    // The part below a directory may begin in the middle of what "**" takes, or of a literal.
    if (token.type == TokenType::directories || token.type == TokenType::anything) {
      return std::find(reached.begin(), reached.end(), true) != reached.end();
    }
    if (token.type == TokenType::literal) {
      for (std::size_t i = 0; i < directory_and_slash.size(); ++i) {
        const std::string_view rest = directory_and_slash.substr(i);
        if (reached[i] && std::string_view(token.text).starts_with(rest)) return true;
      }
    }
    reached = step(token, directory_and_slash, reached);
    if (reached[directory_and_slash.size()]) return true;
  }
  return false;
}

bool PathPattern::matches(std::string_view path) const {
  switch (kind_) {
    case Kind::exact:
      return path == text_;
    case Kind::prefix:
      return path.starts_with(text_);
    case Kind::suffix:
      return path.ends_with(text_) || (text_.starts_with('/') && path == std::string_view(text_).substr(1));
    case Kind::expression:
      return matches_expression(path);
  }
  return false;
}

bool PathPattern::may_match_below(std::string_view directory) const {
  if (kind_ == Kind::suffix) return true;
  const std::string below = std::string(directory) + '/';
  switch (kind_) {
    case Kind::exact:
      return std::string_view(text_).starts_with(below);
    case Kind::prefix:
      return std::string_view(text_).starts_with(below) || below.starts_with(text_);
    default:
      return may_begin_with(below);
  }
}

std::optional<unsigned char> PathPattern::last_byte() const {
  const std::string& end = kind_ == Kind::expression ? tail_ : text_;
  if (kind_ == Kind::prefix || end.empty()) return std::nullopt;
  return static_cast<unsigned char>(end.back());
}

}  // namespace tektii::fs
