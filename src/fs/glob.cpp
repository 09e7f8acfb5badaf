#include "clean_path.hpp"
#include <tektii/fs/ignore.hpp>
#include <tektii/util/error.hpp>

#include <fmt/format.h>

#include <optional>

// filepath.Match of Go (Unix rules): '*' and '?' never match '/', a class may be negated by '^' alone, '\' escapes.
namespace tektii::fs {

namespace {

[[noreturn]] void bad_pattern(std::string_view pattern) {
  throw Error(ErrorKind::usage, fmt::format("syntax error in pattern \"{}\"", pattern));
}

class Matcher {
 public:
  explicit Matcher(std::string_view pattern) : whole_(pattern), rest_(pattern) {}

  bool matches(std::string_view name) {
    while (!rest_.empty()) {
      bool star = false;
      const std::string_view chunk = take_chunk(star);
      if (star && chunk.empty()) return name.find('/') == std::string_view::npos;
      std::optional<std::string_view> after = match_chunk(chunk, name);
      // The last chunk has to take the whole rest of the name.
      if (after && (after->empty() || !rest_.empty())) {
        name = *after;
        continue;
      }
      if (!star || !skip_to_match(chunk, name)) {
        check_rest();
        return false;
      }
    }
    return name.empty();
  }

 private:
  // The pattern up to the next unescaped '*'.
  std::string_view take_chunk(bool& star) {
    while (rest_.starts_with('*')) {
      rest_.remove_prefix(1);
      star = true;
    }
    bool in_class = false;
    std::size_t end = 0;
    for (; end < rest_.size(); ++end) {
      const char c = rest_[end];
      if (c == '\\' && end + 1 < rest_.size()) {
        ++end;
      } else if (c == '[') {
        in_class = true;
      } else if (c == ']') {
        in_class = false;
      } else if (c == '*' && !in_class) {
        break;
      }
    }
    const std::string_view chunk = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return chunk;
  }

  bool skip_to_match(std::string_view chunk, std::string_view& name) const {
    for (std::size_t i = 0; i < name.size() && name[i] != '/'; ++i) {
      const std::optional<std::string_view> after = match_chunk(chunk, name.substr(i + 1));
      if (!after || (rest_.empty() && !after->empty())) continue;
      name = *after;
      return true;
    }
    return false;
  }

  // What is left of `name` behind the chunk. The chunk is read to its end also after a mismatch, to find bad syntax.
  std::optional<std::string_view> match_chunk(std::string_view chunk, std::string_view name) const {
    bool failed = false;
    std::size_t at = 0;
    std::size_t name_at = 0;
    while (at < chunk.size()) {
      if (!failed && name_at == name.size()) failed = true;
      switch (chunk[at]) {
        case '[': {
          const char32_t rune = failed ? U'\0' : next_rune(name, name_at);
          if (!match_class(chunk, at, rune)) failed = true;
          break;
        }
        case '?':
          if (!failed && name[name_at] == '/') failed = true;
          if (!failed) next_rune(name, name_at);
          ++at;
          break;
        case '\\':
          if (++at == chunk.size()) bad_pattern(whole_);
          [[fallthrough]];
        default:
          if (!failed && chunk[at] != name[name_at++]) failed = true;
          ++at;
      }
    }
    if (failed) return std::nullopt;
    return name.substr(name_at);
  }

  bool match_class(std::string_view chunk, std::size_t& at, char32_t rune) const {
    const bool negated = ++at < chunk.size() && chunk[at] == '^';
    if (negated) ++at;
    bool found = false;
    for (int ranges = 0;; ++ranges) {
      if (at < chunk.size() && chunk[at] == ']' && ranges > 0) break;
      const char32_t low = class_member(chunk, at);
      char32_t high = low;
      if (chunk[at] == '-') high = class_member(chunk, ++at);
      if (low <= rune && rune <= high) found = true;
    }
    ++at;
    return found != negated;
  }

  char32_t class_member(std::string_view chunk, std::size_t& at) const {
    if (at >= chunk.size() || chunk[at] == '-' || chunk[at] == ']') bad_pattern(whole_);
    if (chunk[at] == '\\' && ++at == chunk.size()) bad_pattern(whole_);
    const char32_t rune = next_rune(chunk, at);
    // A class has at least its ']' behind every member.
    if (rune > 0x10FFFF || at >= chunk.size()) bad_pattern(whole_);
    return rune;
  }

  void check_rest() {
    while (!rest_.empty()) {
      bool star = false;
      match_chunk(take_chunk(star), "");
    }
  }

  std::string_view whole_;
  std::string_view rest_;
};

}  // namespace

bool match_glob(std::string_view pattern, std::string_view path) {
  return Matcher(pattern).matches(path);
}

bool has_glob_meta(std::string_view pattern) {
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '\\') {
      ++i;
    } else if (pattern[i] == '*' || pattern[i] == '?' || pattern[i] == '[') {
      return true;
    }
  }
  return false;
}

}  // namespace tektii::fs
