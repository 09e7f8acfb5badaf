#include "dockerfile/glob.hpp"

#include "dockerfile/utf8.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tektii::dockerfile {
namespace {

// Which byte offsets a partial match can have reached.
using Reached = std::vector<bool>;

void spread_forward(Reached& reached, std::string_view value) {
  bool inside = false;
  for (std::size_t i = 0; i <= value.size(); ++i) {
    inside = inside || reached[i];
    if (!inside) continue;
    if (i == value.size() || starts_code_point(value[i])) reached[i] = true;
    if (i < value.size() && value[i] == '\n') inside = false;
  }
}

void spread_backward(Reached& reached, std::string_view value) {
  bool inside = false;
  for (std::size_t i = value.size() + 1; i-- > 0;) {
    if (i < value.size() && value[i] == '\n') inside = false;
    inside = inside || reached[i];
    if (inside && (i == value.size() || starts_code_point(value[i]))) reached[i] = true;
  }
}

std::optional<std::size_t> first_reached(const Reached& reached) {
  const auto found = std::find(reached.begin(), reached.end(), true);
  if (found == reached.end()) return std::nullopt;
  return static_cast<std::size_t>(found - reached.begin());
}

std::optional<std::size_t> last_reached(const Reached& reached) {
  const auto found = std::find(reached.rbegin(), reached.rend(), true);
  if (found == reached.rend()) return std::nullopt;
  return static_cast<std::size_t>(reached.rend() - found) - 1;
}

}  // namespace

std::optional<GlobPattern> GlobPattern::parse(std::string_view pattern, char escape, std::string& reason) {
  GlobPattern glob;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    const bool last = i + 1 == pattern.size();
    if (c == '*') {
      glob.tokens_.push_back({Kind::star, {}});
    } else if (c == '?') {
      glob.tokens_.push_back({Kind::any, {}});
    } else if (c == escape && !last && (pattern[i + 1] == '}' || pattern[i + 1] == '/')) {
      glob.add_literal(pattern.substr(++i, 1));
    } else if (c == '\\') {
      const std::string_view escaped = last ? "" : pattern.substr(i + 1, decode_utf8(pattern, i + 1).length);
      if (escaped != "*" && escaped != "?" && escaped != "\\" && escaped != "}" && escaped != "/") {
        reason = fmt::format("invalid pattern ({}) in substitution: invalid escape '\\{}'", pattern, escaped);
        return std::nullopt;
      }
      glob.add_literal(escaped);
      ++i;
    } else {
      glob.add_literal(pattern.substr(i, 1));
    }
  }
  const auto star = std::find_if(glob.tokens_.begin(), glob.tokens_.end(),
                                 [](const Token& token) { return token.kind == Kind::star; });
  glob.head_ = static_cast<std::size_t>(star - glob.tokens_.begin());
  return glob;
}

void GlobPattern::add_literal(std::string_view text) {
  if (tokens_.empty() || tokens_.back().kind != Kind::literal) tokens_.push_back({Kind::literal, {}});
  tokens_.back().text += text;
}

std::optional<std::size_t> GlobPattern::match_head(std::string_view value) const {
  std::size_t at = 0;
  for (std::size_t i = 0; i < head_; ++i) {
    const Token& token = tokens_[i];
    if (token.kind == Kind::literal) {
      if (!value.substr(at).starts_with(token.text)) return std::nullopt;
      at += token.text.size();
    } else {
      if (at == value.size() || value[at] == '\n') return std::nullopt;
      at += decode_utf8(value, at).length;
    }
  }
  return at;
}

std::optional<std::size_t> GlobPattern::match_prefix(std::string_view value, bool longest) const {
  const auto head_length = match_head(value);
  if (!head_length || head_ == tokens_.size()) return head_length;
  Reached reached(value.size() + 1, false);
  reached[*head_length] = true;
  for (std::size_t token_index = head_; token_index < tokens_.size(); ++token_index) {
    const Token& token = tokens_[token_index];
    if (token.kind == Kind::star) {
      spread_forward(reached, value);
      continue;
    }
    Reached next(value.size() + 1, false);
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (!reached[i]) continue;
      if (token.kind == Kind::any && value[i] != '\n') next[i + decode_utf8(value, i).length] = true;
      if (token.kind == Kind::literal && value.substr(i).starts_with(token.text)) next[i + token.text.size()] = true;
    }
    reached = std::move(next);
  }
  return longest ? last_reached(reached) : first_reached(reached);
}

std::optional<std::size_t> GlobPattern::match_suffix(std::string_view value, bool longest) const {
  Reached reached(value.size() + 1, false);
  reached[value.size()] = true;
  for (auto token = tokens_.rbegin(); token != tokens_.rend(); ++token) {
    if (token->kind == Kind::star) {
      spread_backward(reached, value);
      continue;
    }
    Reached next(value.size() + 1, false);
    for (std::size_t i = 1; i <= value.size(); ++i) {
      if (!reached[i]) continue;
      if (token->kind == Kind::any && value[i - 1] != '\n') {
        std::size_t start = i - 1;
        while (start > 0 && !starts_code_point(value[start])) --start;
        next[start] = true;
      }
      if (token->kind == Kind::literal && value.substr(0, i).ends_with(token->text))
        next[i - token->text.size()] = true;
    }
    reached = std::move(next);
  }
  return longest ? first_reached(reached) : last_reached(reached);
}

std::optional<std::string> GlobPattern::replace(std::string_view value, std::string_view replacement, bool all,
                                                std::size_t limit) const {
  std::string result;
  bool after_match = false;  // an empty match right behind another one does not count
  // What can't be matched from one place, because the tokens from the first star on find nothing in the line, can't be
  // matched further right in the same line either. Without this a long value takes quadratic time.
  std::size_t hopeless_until = 0;
  std::size_t position = 0;
  while (position <= value.size()) {
    const std::string_view rest = value.substr(position);
    const bool try_here = position >= hopeless_until && match_head(rest);
    const auto length = try_here ? match_prefix(rest, true) : std::nullopt;
    if (try_here && !length) hopeless_until = std::min(value.find('\n', position), value.size()) + 1;
    if (length && (*length > 0 || !after_match)) {
      if (replacement.size() > limit) return std::nullopt;
      limit -= replacement.size();
      result += replacement;
      position += *length;
      if (!all) break;
      after_match = true;
      if (*length > 0) continue;
    }
    if (position == value.size()) return result;
    const std::size_t step = decode_utf8(value, position).length;
    result += value.substr(position, step);
    position += step;
    after_match = false;
  }
  return position < value.size() ? result.append(value.substr(position)) : result;
}

}  // namespace tektii::dockerfile
