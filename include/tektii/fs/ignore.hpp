#pragma once

#include <memory>
#include <optional>
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
  bool matches(std::string_view path) const { return last_match(path) != nullptr; }
  // The rule that excludes the path, for messages; nullopt when none does.
  struct Exclusion {
    std::string pattern;  // as written
    int line = 0;         // in the ignore file; 0 for patterns of a list
  };
  std::optional<Exclusion> exclusion(std::string_view path) const;
  // For an excluded directory: true when nothing below it can be included again, so that a walk may skip it.
  bool can_skip_children(std::string_view directory) const;

 private:
  friend class IgnoreWalk;

  struct Rule {
    std::shared_ptr<const PathPattern> pattern;
    bool negated = false;
    Exclusion origin;
  };
  void add(std::string_view pattern, Exclusion origin);
  // The rule by which the path is excluded, or nullptr.
  const Rule* last_match(std::string_view path) const;

  std::vector<Rule> rules_;
};

// Asks the patterns about the entries of a walk, with the answers of IgnorePatterns::matches and can_skip_children but
// for a fraction of the cost: what the rules say of a directory holds for all that is below it, and a rule that can't
// match below a directory is not looked at there.
class IgnoreWalk {
 public:
  // The patterns must outlive it.
  explicit IgnoreWalk(const IgnorePatterns& patterns);

  struct Answer {
    bool excluded = false;
    bool skip_children = false;  // of a directory: nothing below it can be included again
  };
  // Fast when the paths come as walk_tree gives them, a directory before what is in it; any order works.
  Answer visit(std::string_view path, bool is_directory);

 private:
  // What is known of a directory: whether it is excluded, and which rules may still change that below it.
  struct Frame {
    std::string path;
    bool excluded = false;
    std::vector<bool> active;
    bool may_include = false;  // one of them is negated
  };

  void enter_parents(std::string_view path);
  bool is_excluded(const Frame& parent, std::string_view path) const;
  void enter(std::string_view directory);

  const IgnorePatterns* patterns_;
  // By the last byte of a path: the rules that can match it.
  std::vector<std::vector<std::size_t>> candidates_;
  std::vector<Frame> frames_;  // the root and the directories down to the last one visited
};

// Go's filepath.Match for one path (no '**'): used for COPY wildcards. Throws Error{usage} on a malformed pattern.
bool match_glob(std::string_view pattern, std::string_view path);
bool has_glob_meta(std::string_view pattern);

}  // namespace tektii::fs
