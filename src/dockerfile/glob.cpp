#include "dockerfile/glob.hpp"

#include "dockerfile/utf8.hpp"
#include <tektii/util/error.hpp>

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

}  // namespace

GlobPattern::GlobPattern(std::string_view pattern, char escape) {
  for (std::size_t i = 0; i < pattern.size();) {
    const char c = pattern[i];
    const bool last = i + 1 == pattern.size();
    if (c == '*') {
      tokens_.push_back({Kind::star, {}});
    } else if (c == '?') {
      tokens_.push_back({Kind::any, {}});
    } else if (c == escape && !last && (pattern[i + 1] == '}' || pattern[i + 1] == '/')) {
      add_literal(pattern.substr(++i, 1));
    } else if (c == '\\') {
      const CodePoint next = last ? CodePoint{} : decode_utf8(pattern, i + 1);
      const std::string_view escaped = pattern.substr(i + 1, next.length);
      if (escaped != "*" && escaped != "?" && escaped != "\\" && escaped != "}" && escaped != "/") {
        throw Error(ErrorKind::usage,
                    fmt::format("invalid pattern ({}) in substitution: invalid escape '\\{}'", pattern, escaped));
      }
      add_literal(escaped);
      ++i;
    } else {
      add_literal(pattern.substr(i, 1));
    }
    ++i;
  }
}

void GlobPattern::add_literal(std::string_view text) {
  if (tokens_.empty() || tokens_.back().kind != Kind::literal) tokens_.push_back({Kind::literal, {}});
  tokens_.back().text += text;
}

std::optional<std::size_t> GlobPattern::match_prefix(std::string_view value, bool longest) const {
  Reached reached(value.size() + 1, false);
  reached[0] = true;
  for (const Token& token : tokens_) {
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
  if (longest) {
    const auto found = std::find(reached.rbegin(), reached.rend(), true);
    if (found == reached.rend()) return std::nullopt;
    return static_cast<std::size_t>(reached.rend() - found) - 1;
  }
  const auto found = std::find(reached.begin(), reached.end(), true);
  if (found == reached.end()) return std::nullopt;
  return static_cast<std::size_t>(found - reached.begin());
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
  if (!longest) {
    const auto found = std::find(reached.rbegin(), reached.rend(), true);
    if (found == reached.rend()) return std::nullopt;
    return static_cast<std::size_t>(reached.rend() - found) - 1;
  }
  const auto found = std::find(reached.begin(), reached.end(), true);
  if (found == reached.end()) return std::nullopt;
  return static_cast<std::size_t>(found - reached.begin());
}

std::string GlobPattern::replace(std::string_view value, std::string_view replacement, bool all) const {
  std::string result;
  std::size_t position = 0;
  bool after_match = false;  // an empty match right behind another one does not count
  while (position <= value.size()) {
    if (!tokens_.empty() && tokens_.front().kind == Kind::literal) {
      const std::size_t candidate = value.find(tokens_.front().text, position);
      if (candidate == std::string_view::npos) break;
      if (candidate > position) after_match = false;
      result += value.substr(position, candidate - position);
      position = candidate;
    }
    const auto length = match_prefix(value.substr(position), true);
    if (length && (*length > 0 || !after_match)) {
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
