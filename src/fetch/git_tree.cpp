#include "fetch/git_tree.hpp"

#include "fetch/git_url.hpp"
#include <tektii/util/file.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <map>

namespace tektii::fetch {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view k_gitlink = "160000 commit ";

struct Declared {
  std::string path;
  std::string url;
  bool is_off = false;  // update = none
};

// The submodules that .gitmodules declares, by path.
std::map<std::string, Declared> declared_submodules(const GitCommand& git, const GitMirror& mirror,
                                                    const std::string& commit) {
  const auto blob = commit + ":.gitmodules";
  std::map<std::string, Declared> by_path;
  if (git.run_local({mirror.git_dir_argument(), "cat-file", "-e", blob}, {}).exit_code != 0) return by_path;
  std::map<std::string, Declared> by_name;
  const auto text = git.local({mirror.git_dir_argument(), "config", "--blob", blob, "-z", "--list"});
  for (const auto& entry : split(text, '\0')) {
    const auto line_end = entry.find('\n');
    const auto key = entry.substr(0, line_end);
    const auto value = line_end == std::string::npos ? std::string() : entry.substr(line_end + 1);
    const auto dot = key.rfind('.');
    if (!key.starts_with("submodule.") || dot <= std::string_view("submodule.").size()) continue;
    auto& submodule = by_name[key.substr(0, dot)];
    const auto variable = key.substr(dot + 1);
    if (variable == "path") submodule.path = value;
    if (variable == "url") submodule.url = value;
    if (variable == "update") submodule.is_off = value == "none";
  }
  for (auto& [name, submodule] : by_name) by_path[submodule.path] = submodule;
  return by_path;
}

void set_attributes(const fs::path& path, std::optional<mode_t> mode, std::int64_t time) {
  if (mode && ::chmod(path.c_str(), *mode) != 0) throw_errno("chmod " + path.string());
  const std::array<timespec, 2> times = {timespec{time, 0}, timespec{time, 0}};
  if (::utimensat(AT_FDCWD, path.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) != 0) {
    throw_errno("set the time of " + path.string());
  }
}

std::string fields_before_message(const std::string& commit_object, std::string_view field) {
  for (const auto& line : split(commit_object, '\n')) {
    if (line.empty()) break;
    if (line.starts_with(field)) return line;
  }
  return {};
}

}  // namespace

void write_files(const GitCommand& git, const GitMirror& mirror, const std::string& commit, const fs::path& directory,
                 const fs::path& index) {
  GitCommand::LocalOptions options;
  options.cwd = directory;
  options.extra_env = {"GIT_INDEX_FILE=" + index.string()};
  git.local({mirror.git_dir_argument(), "--work-tree=" + directory.string(), "-c", "core.bare=false", "read-tree",
             "--reset", "-u", commit},
            options);
  remove_tree(index);
}

std::vector<Submodule> list_submodules(const GitCommand& git, const GitMirror& mirror, const std::string& commit) {
  const auto declared = declared_submodules(git, mirror, commit);
  std::vector<Submodule> submodules;
  const auto tree = git.local({mirror.git_dir_argument(), "ls-tree", "-r", "-z", "--full-tree", commit});
  for (const auto& entry : split(tree, '\0')) {
    const auto tab = entry.find('\t');
    if (!entry.starts_with(k_gitlink) || tab == std::string::npos) continue;
    const auto path = entry.substr(tab + 1);
    const auto found = declared.find(path);
    if (found == declared.end() || found->second.url.empty()) {
      throw Error(ErrorKind::failure, fmt::format("submodule {} has no URL in .gitmodules", escape_control(path)))
          .add_hint("submodules=false in the query of the git URL leaves submodules out");
    }
    if (found->second.is_off) continue;
    submodules.push_back({path, found->second.url, entry.substr(k_gitlink.size(), tab - k_gitlink.size())});
  }
  return submodules;
}

std::int64_t commit_time_of(const GitCommand& git, const GitMirror& mirror, const std::string& commit) {
  const auto object = git.local({mirror.git_dir_argument(), "cat-file", "commit", commit});
  // committer NAME <MAIL> SECONDS ZONE
  const auto words = split(fields_before_message(object, "committer "), ' ');
  const auto time = words.size() < 3 ? std::nullopt : parse_int(words[words.size() - 2]);
  if (!time) throw Error(ErrorKind::failure, fmt::format("commit {} has no time", commit));
  return *time;
}

void write_git_directory(const GitCommand& git, const GitMirror& mirror, const GitRevision& revision,
                         const std::string& commit, const fs::path& directory) {
  const auto own = directory / ".git";
  const auto argument = "--git-dir=" + own.string();
  git.local({"-c", "init.defaultBranch=master", "init", "-q", "--template=",
             commit.size() == 64 ? "--object-format=sha256" : "--object-format=sha1", directory.string()});
  // The commit without its parents; a tag object that names it comes along.
  auto objects = git.local({mirror.git_dir_argument(), "rev-list", "--objects", "--no-walk", commit});
  if (revision.object != commit) objects += revision.object + "\n";
  GitCommand::LocalOptions options;
  options.stdin_text = objects;
  git.local({mirror.git_dir_argument(), "pack-objects", "-q", "--threads=1", "--no-reuse-delta", "--no-reuse-object",
             (own / "objects/pack/pack").string()},
            options);
  const auto text = git.local({mirror.git_dir_argument(), "cat-file", "commit", commit});
  if (!fields_before_message(text, "parent ").empty()) write_file_atomic(own / "shallow", commit + "\n");
  if (revision.name.starts_with("refs/")) git.local({argument, "update-ref", revision.name, revision.object});
  git.local({argument, "update-ref", "--no-deref", "HEAD", commit});
  git.local({argument, "config", "remote.origin.url", without_credentials(git.remote())});
  git.local({argument, "config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*"});
  // Without what stat says of the files: the first `git status` looks at them.
  git.local({argument, "read-tree", commit});
}

void normalise_tree(const fs::path& directory, std::int64_t time) {
  std::vector<fs::path> directories = {directory};
  for (auto it = fs::recursive_directory_iterator(directory); it != fs::recursive_directory_iterator(); ++it) {
    if (it->is_symlink()) {
      set_attributes(it->path(), std::nullopt, time);
    } else if (it->is_directory()) {
      directories.push_back(it->path());
    } else {
      const bool is_program = (it->status().permissions() & fs::perms::owner_exec) != fs::perms::none;
      set_attributes(it->path(), is_program ? 0755 : 0644, time);
    }
  }
  for (auto it = directories.rbegin(); it != directories.rend(); ++it) set_attributes(*it, 0755, time);
}

}  // namespace tektii::fetch
