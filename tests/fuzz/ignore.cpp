#include "fuzz/require.hpp"
#include "fuzz/targets.hpp"
#include <tektii/fs/ignore.hpp>
#include <tektii/util/text.hpp>

#include <algorithm>

namespace tektii::fuzz {
namespace {

constexpr std::size_t k_max_paths = 20;

bool is_path(const std::string& path) {
  const auto parts = split(path, '/');
  return std::none_of(parts.begin(), parts.end(), [](const std::string& part) { return part.empty(); });
}

void check_path(const fs::IgnorePatterns& patterns, fs::IgnoreWalk& walk, const std::string& path,
                const std::vector<std::string>& others) {
  for (std::size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    walk.visit(std::string_view(path).substr(0, slash), true);
  }
  const bool excluded = patterns.matches(path);
  require(walk.visit(path, false).excluded == excluded, "a walk has the answer of matches() for a file");
  const fs::IgnoreWalk::Answer answer = walk.visit(path, true);
  require(answer.excluded == excluded, "a walk has the answer of matches() for a directory");
  require(fs::IgnoreWalk(patterns).visit(path, true).excluded == excluded, "a walk may begin anywhere");
  const bool can_skip = patterns.can_skip_children(path);
  if (excluded) require(answer.skip_children == can_skip, "a walk skips what can_skip_children() tells");
  if (!excluded) require(!answer.skip_children, "a walk skips nothing below what is included");
  if (!answer.skip_children) return;
  for (const std::string& other : others) {
    require(patterns.matches(path + '/' + other), "what is below a skipped directory is excluded");
  }
}

}  // namespace

void check_ignore(std::string_view input) {
  constexpr std::string_view k_separator = "\n--\n";
  const std::size_t end = std::min(input.find(k_separator), input.size());
  std::vector<std::string> paths = {"x", "a/b"};
  if (end < input.size()) {
    for (std::string& path : split(input.substr(end + k_separator.size()), '\n')) {
      if (is_path(path) && paths.size() < k_max_paths) paths.push_back(std::move(path));
    }
  }
  is_refused([&] {
    const fs::IgnorePatterns patterns = fs::IgnorePatterns::parse(input.substr(0, end), ".dockerignore");
    fs::IgnoreWalk walk(patterns);
    for (const std::string& path : paths) check_path(patterns, walk, path, paths);
  });
  is_refused([&] {
    const std::string_view glob = input.substr(0, std::min(end, input.find('\n')));
    for (const std::string& path : paths) fs::match_glob(glob, path);
    if (!fs::has_glob_meta(glob) && glob.find('\\') == std::string_view::npos) {
      require(fs::match_glob(glob, glob), "a glob without wildcards matches itself");
    }
  });
}

}  // namespace tektii::fuzz
