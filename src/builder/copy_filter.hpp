#pragma once

#include "copy_source.hpp"
#include <tektii/fs/ignore.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tektii::builder {

// What --parents and --exclude leave of a source. Paths are relative to what is visited; the patterns are those of
// .dockerignore (moby patternmatcher), and a path is matched when one of its parents is.
class CopyFilter {
 public:
  CopyFilter() = default;
  // `include` is clean (see clean_source_path); nullopt takes everything. Throws Error{usage} for a malformed pattern.
  CopyFilter(const std::optional<std::string>& include, const std::vector<std::string>& exclude);

  // Visits what is left: the start always, a directory that is not taken itself only when something below it is.
  void visit(CopySource& source, const std::string& path, const CopySource::Visitor& visitor) const;
  // True when something is left besides the start.
  bool takes_anything(CopySource& source, const std::string& path) const;
  // True for the base name of a file that a wildcard found and --exclude names ("COPY --exclude=*.txt hom* /").
  bool excludes_name(std::string_view name) const { return exclude_.matches(name); }

 private:
  bool takes(std::string_view path) const;
  bool may_take_below(std::string_view directory) const;
  bool leads_to_include(std::string_view directory) const;

  std::optional<fs::IgnorePatterns> include_;
  std::vector<std::string> include_components_;
  fs::IgnorePatterns exclude_;
};

}  // namespace tektii::builder
