#include "clean_path.hpp"
#include "path_pattern.hpp"
#include <tektii/fs/ignore.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tektii::fs {

namespace {

// One line of an ignore file in the form that the matcher takes: cleaned, and without the slash of an absolute path.
// "" for a line that says nothing.
std::string normalize_line(std::string_view line) {
  if (line.starts_with('#')) return {};
  line = trim(line);
  if (line.empty()) return {};
  const bool negated = line.front() == '!';
  if (negated) line = trim(line.substr(1));
  std::string pattern;
  if (!line.empty()) pattern = clean_path(line);
  if (pattern.size() > 1 && pattern.front() == '/') pattern.erase(0, 1);
  return negated ? '!' + pattern : pattern;
}

// True when the pattern matches the path or one of its parents.
bool matches_with_parents(const PathPattern& pattern, std::string_view path) {
  if (pattern.matches(path)) return true;
  for (std::size_t slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/', slash + 1)) {
    if (pattern.matches(path.substr(0, slash))) return true;
  }
  return false;
}

}  // namespace

IgnorePatterns IgnorePatterns::parse(std::string_view text, const std::string& file_name) {
  constexpr std::string_view k_byte_order_mark = "\xEF\xBB\xBF";
  if (text.starts_with(k_byte_order_mark)) text.remove_prefix(k_byte_order_mark.size());
  IgnorePatterns patterns;
  int line_number = 0;
  for (const std::string& line : split(text, '\n')) {
    ++line_number;
    try {
      patterns.add(normalize_line(line), {std::string(trim(line)), line_number});
    } catch (Error& error) {
      error.set_span(SourceSpan{file_name, line_number, line_number, 0, 0, std::string(trim(line))});
      throw;
    }
  }
  return patterns;
}

IgnorePatterns IgnorePatterns::from_list(const std::vector<std::string>& list) {
  IgnorePatterns patterns;
  for (const std::string& pattern : list) patterns.add(pattern, {pattern, 0});
  return patterns;
}

void IgnorePatterns::add(std::string_view pattern, Exclusion origin) {
  pattern = trim(pattern);
  if (pattern.empty()) return;
  std::string cleaned = clean_path(pattern);
  const bool negated = cleaned.front() == '!';
  if (negated) cleaned.erase(0, 1);
  if (cleaned.empty()) throw Error(ErrorKind::usage, "illegal exclusion pattern: \"!\"");
  rules_.push_back({std::make_shared<const PathPattern>(cleaned), negated, std::move(origin)});
}

const IgnorePatterns::Rule* IgnorePatterns::last_match(std::string_view path) const {
  const Rule* excluding = nullptr;
  for (const Rule& rule : rules_) {
    // Only a rule that would change the answer is looked at.
    if (rule.negated == (excluding != nullptr) && matches_with_parents(*rule.pattern, path)) {
      excluding = rule.negated ? nullptr : &rule;
    }
  }
  return excluding;
}

std::optional<IgnorePatterns::Exclusion> IgnorePatterns::exclusion(std::string_view path) const {
  const Rule* rule = last_match(path);
  return rule != nullptr ? std::optional(rule->origin) : std::nullopt;
}

bool IgnorePatterns::can_skip_children(std::string_view directory) const {
  // Everything below is excluded by the last rule that excludes the directory, whatever the rules before it say.
  const auto excludes = [&](const Rule& rule) {
    return !rule.negated && matches_with_parents(*rule.pattern, directory);
  };
  const auto last = std::find_if(rules_.rbegin(), rules_.rend(), excludes);
  if (last == rules_.rend()) return false;
  return std::none_of(rules_.rbegin(), last, [&](const Rule& rule) {
    return rule.negated && (matches_with_parents(*rule.pattern, directory) || rule.pattern->may_match_below(directory));
  });
}

}  // namespace tektii::fs
