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
}

void PathPattern::add_double_star(std::string_view pattern, std::size_t& at) {
  const bool first = at == 0;
  at += 2;
  if (at < pattern.size() && pattern[at] == '/') ++at;
  const bool last = at == pattern.size();
  tokens_.push_back({last ? TokenType::anything : TokenType::directories, 0, false, {}});
  kind_ = last && kind_ == Kind::exact ? Kind::prefix : Kind::expression;
  if (first) kind_ = Kind::suffix;
}

// Reads "[...]" from `at`, which match_glob has accepted, and moves behind it.
PathPattern::Token PathPattern::parse_class(std::string_view pattern, std::size_t& at) const {
  Token token{TokenType::char_class, 0, false, {}};
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
    switch (c) {
      case '*':
        tokens_.push_back({TokenType::star, 0, false, {}});
        kind_ = Kind::expression;
        ++at;
        break;
      case '?':
        tokens_.push_back({TokenType::any_rune, 0, false, {}});
        kind_ = Kind::expression;
        ++at;
        break;
      case '[':
        tokens_.push_back(parse_class(pattern, at));
        kind_ = Kind::expression;
        break;
      case '^':
        tokens_.push_back({TokenType::begin, 0, false, {}});
        ++at;
        break;
      case ']':
        kind_ = Kind::expression;
        tokens_.push_back({TokenType::literal, c, false, {}});
        ++at;
        break;
      case '\\':
        kind_ = Kind::expression;
        tokens_.push_back({TokenType::literal, pattern[at + 1], false, {}});
        at += 2;
        break;
      default:
        tokens_.push_back({TokenType::literal, c, false, {}});
        ++at;
    }
  }
}

// A search with backtracking that remembers which (token, position) pairs have failed, so that its cost is bounded by
// their number however many wildcards a pattern has.
class PathPattern::Search {
 public:
  Search(const std::vector<Token>& tokens, std::string_view path, Goal goal)
      : tokens_(tokens), path_(path), goal_(goal), failed_((tokens.size() + 1) * (path.size() + 1), false) {}

  bool run(std::size_t token, std::size_t position) {
    if (goal_ == Goal::path_prefix && position == path_.size()) return true;
    if (token == tokens_.size()) return position == path_.size();
    const std::size_t key = token * (path_.size() + 1) + position;
    if (failed_[key]) return false;
    if (step(token, position)) return true;
    failed_[key] = true;
    return false;
  }

 private:
  bool step(std::size_t index, std::size_t position) {
    const Token& token = tokens_[index];
    const bool at_end = position == path_.size();
    switch (token.type) {
      case TokenType::literal:
        return !at_end && path_[position] == token.byte && run(index + 1, position + 1);
      case TokenType::begin:
        return position == 0 && run(index + 1, position);
      case TokenType::anything:
        return true;
      case TokenType::any_rune:
        if (at_end || path_[position] == '/') return false;
        next_rune(path_, position);
        return run(index + 1, position);
      case TokenType::char_class:
        return !at_end && class_matches(token, position) && run(index + 1, position);
      case TokenType::star:
        for (; !run(index + 1, position); ++position) {
          if (position == path_.size() || path_[position] == '/') return false;
        }
        return true;
      case TokenType::directories:
        return step_directories(index, position);
    }
    return false;
  }

  bool step_directories(std::size_t index, std::size_t position) {
    // The part below a directory may begin in the middle of what "**" takes.
    if (goal_ == Goal::path_prefix) return true;
    if (run(index + 1, position)) return true;
    for (; position < path_.size(); ++position) {
      if (path_[position] == '/' && run(index + 1, position + 1)) return true;
    }
    return false;
  }

  bool class_matches(const Token& token, std::size_t& position) const {
    const char32_t rune = next_rune(path_, position);
    const bool found = std::any_of(token.ranges.begin(), token.ranges.end(),
                                   [rune](const Range& range) { return range.low <= rune && rune <= range.high; });
    return found != token.negated;
  }

  const std::vector<Token>& tokens_;
  std::string_view path_;
  Goal goal_;
  std::vector<bool> failed_;
};

bool PathPattern::search(std::string_view path, Goal goal) const {
  return Search(tokens_, path, goal).run(0, 0);
}

bool PathPattern::matches(std::string_view path) const {
  switch (kind_) {
    case Kind::exact:
      return path == text_;
    case Kind::prefix:
      return path.starts_with(text_);
    case Kind::suffix:
      return path.ends_with(text_) || (text_.starts_with('/') && path == text_.substr(1));
    case Kind::expression:
      return search(path, Goal::whole);
  }
  return false;
}

bool PathPattern::may_match_below(std::string_view directory) const {
  const std::string below = std::string(directory) + '/';
  switch (kind_) {
    case Kind::exact:
      return std::string_view(text_).starts_with(below);
    case Kind::prefix:
      return std::string_view(text_).starts_with(below) || below.starts_with(text_);
    case Kind::suffix:
      return true;
    case Kind::expression:
      return search(below, Goal::path_prefix);
  }
  return true;
}

}  // namespace tektii::fs
