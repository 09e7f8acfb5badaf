#include "path_pattern.hpp"
#include <tektii/fs/ignore.hpp>

#include <algorithm>

namespace tektii::fs {

IgnoreWalk::IgnoreWalk(const IgnorePatterns& patterns) : patterns_(&patterns), candidates_(256) {
  Frame root;
  root.active.assign(patterns.rules_.size(), true);
  frames_.push_back(std::move(root));
  for (std::size_t rule = 0; rule < patterns.rules_.size(); ++rule) {
    const auto byte = patterns.rules_[rule].pattern->last_byte();
    if (byte) {
      candidates_[*byte].push_back(rule);
    } else {
      for (auto& candidates : candidates_) candidates.push_back(rule);
    }
  }
}

// The last rule that matches decides; those that matched a parent have already made the answer of the parent.
bool IgnoreWalk::is_excluded(const Frame& parent, std::string_view path) const {
  if (path.empty()) return parent.excluded;
  const auto& candidates = candidates_[static_cast<unsigned char>(path.back())];
  const auto decisive = std::find_if(candidates.rbegin(), candidates.rend(), [&](std::size_t rule) {
    return parent.active[rule] && patterns_->rules_[rule].pattern->matches(path);
  });
  return decisive == candidates.rend() ? parent.excluded : !patterns_->rules_[*decisive].negated;
}

void IgnoreWalk::enter(std::string_view directory) {
  const Frame& parent = frames_.back();
  Frame frame;
  frame.path = directory;
  frame.excluded = parent.excluded;
  frame.active.assign(parent.active.size(), false);
  for (std::size_t rule = parent.active.size(); rule-- > 0;) {
    if (!parent.active[rule]) continue;
    const auto& pattern = patterns_->rules_[rule].pattern;
    const bool negated = patterns_->rules_[rule].negated;
    if (pattern->matches(directory)) {
      // It matches everything below as well, so that the rules before it don't count there.
      frame.excluded = !negated;
      break;
    }
    frame.active[rule] = pattern->may_match_below(directory);
    frame.may_include = frame.may_include || (negated && frame.active[rule]);
  }
  frames_.push_back(std::move(frame));
}

void IgnoreWalk::enter_parents(std::string_view path) {
  while (frames_.size() > 1) {
    const std::string& known = frames_.back().path;
    if (path.size() > known.size() && path[known.size()] == '/' && path.starts_with(known)) break;
    frames_.pop_back();
  }
  std::size_t slash = frames_.size() > 1 ? frames_.back().path.size() : 0;
  while ((slash = path.find('/', slash + 1)) != std::string_view::npos) enter(path.substr(0, slash));
}

IgnoreWalk::Answer IgnoreWalk::visit(std::string_view path, bool is_directory) {
  enter_parents(path);
  if (!is_directory) return {is_excluded(frames_.back(), path), false};
  enter(path);
  const Frame& frame = frames_.back();
  return {frame.excluded, frame.excluded && !frame.may_include};
}

}  // namespace tektii::fs
