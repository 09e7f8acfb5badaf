#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tektii::fs {

class PathPattern;

// Patterns of a .dockerignore file (moby patternmatcher with MatchesOrParentMatches): '*' '?' '[..]' '**', '!' negates,
// the last match wins, a path is matched when any of its parents is.
class IgnorePatterns {
 public:
  IgnorePatterns() = default;
  // The text of an ignore file: BOM skipped, '#' comments in column 0 only, trimmed, cleaned. A bare "!" throws
  // Error{usage} "illegal exclusion pattern".
  static IgnorePatterns parse(std::string_view text, const std::string& file_name);
  static IgnorePatterns from_list(const std::vector<std::string>& patterns);

  bool empty() const { return rules_.empty(); }
  // True when the path (relative, '/' separated) is excluded.
  bool matches(std::string_view path) const;
  // For an excluded directory: true when nothing below it can be included again, so that a walk may skip it.
  bool can_skip_children(std::string_view directory) const;

 private:
  struct Rule {
    std::shared_ptr<const PathPattern> pattern;
    bool negated = false;
  };
  void add(std::string_view pattern);

  std::vector<Rule> rules_;
};

// Go's filepath.Match for one path (no '**'): used for COPY wildcards. Throws Error{usage} on a malformed pattern.
bool match_glob(std::string_view pattern, std::string_view path);
bool has_glob_meta(std::string_view pattern);

}  // namespace tektii::fs
