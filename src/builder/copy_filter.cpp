#include "copy_filter.hpp"

#include <tektii/util/text.hpp>

#include <algorithm>

namespace tektii::builder {

namespace {

// "!name" is a name here; in a list of patterns it would take something back.
std::string literal_start(const std::string& pattern) {
  return pattern.starts_with('!') ? "\\" + pattern : pattern;
}

bool is_parent(const std::string& parent, const std::string& path) {
  return parent.empty() || (path.size() > parent.size() && path[parent.size()] == '/' && path.starts_with(parent));
}

}  // namespace

CopyFilter::CopyFilter(const std::optional<std::string>& include, const std::vector<std::string>& exclude)
    : exclude_(fs::IgnorePatterns::from_list(exclude)) {
  if (!include || include->empty()) return;
  include_ = fs::IgnorePatterns::from_list({literal_start(*include)});
  include_components_ = split(*include, '/');
}

bool CopyFilter::takes(std::string_view path) const {
  return (!include_ || include_->matches(path)) && !exclude_.matches(path);
}

// Compares components until "**", behind which anything may come.
bool CopyFilter::leads_to_include(std::string_view directory) const {
  const auto names = split(directory, '/');
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i == include_components_.size()) return false;
    if (include_components_[i].find("**") != std::string::npos) return true;
    if (!fs::match_glob(include_components_[i], names[i])) return false;
  }
  return true;
}

bool CopyFilter::may_take_below(std::string_view directory) const {
  if (exclude_.matches(directory) && exclude_.can_skip_children(directory)) return false;
  return !include_ || include_->matches(directory) || leads_to_include(directory);
}

void CopyFilter::visit(CopySource& source, const std::string& path, const CopySource::Visitor& visitor) const {
  if (!include_ && exclude_.empty()) return source.visit(path, visitor);
  std::vector<SourceEntry> pending;  // directories on the way that wait for something below them
  const auto filtered = [&](SourceEntry&& entry) {
    const auto& relative = entry.relative_path;
    if (relative.empty()) return visitor(std::move(entry));
    std::erase_if(pending, [&](const SourceEntry& parent) { return !is_parent(parent.relative_path, relative); });
    if (takes(relative)) {
      for (auto& parent : pending) visitor(std::move(parent));
      pending.clear();
      visitor(std::move(entry));
    } else if (entry.metadata.type == fs::FileType::directory) {
      pending.push_back(std::move(entry));
    }
  };
  source.visit(path, filtered,
               [&](const std::string& directory) { return !directory.empty() && !may_take_below(directory); });
}

bool CopyFilter::takes_anything(CopySource& source, const std::string& path) const {
  bool any = false;
  source.visit(
      path,
      [&](const SourceEntry& entry) { any = any || (!entry.relative_path.empty() && takes(entry.relative_path)); },
      [&](const std::string& directory) { return any || (!directory.empty() && !may_take_below(directory)); });
  return any;
}

}  // namespace tektii::builder
