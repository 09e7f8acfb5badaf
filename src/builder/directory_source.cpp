#include "context_files.hpp"
#include "copy_source.hpp"
#include <tektii/fs/walk.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace tektii::builder {

Error dangling_link(const std::string& path) {
  return Error(ErrorKind::usage, fmt::format("{} is a link to something that is not there", path))
      .add_hint("name what is to be copied, or take the link along with the directory that it is in");
}

std::string clean_source_path(std::string_view word) {
  std::vector<std::string> parts;
  for (const auto& part : split(word, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      if (!parts.empty()) parts.pop_back();
      continue;
    }
    parts.push_back(part);
  }
  return join(parts, "/");
}

namespace {

std::string join_path(const std::string& parent, const std::string& name) {
  return parent.empty() ? name : parent + "/" + name;
}

class DirectorySource : public CopySource {
 public:
  DirectorySource(const std::filesystem::path& root, fs::IgnorePatterns ignore, std::string ignore_name,
                  DirectoryRules rules)
      : files_(root, rules.stat_cache),
        root_(&files_.root()),
        ignore_(std::move(ignore)),
        ignore_name_(std::move(ignore_name)),
        rules_(rules),
        real_root_(path_of_fd(root_->fd())) {}

  std::vector<std::string> match(const std::string& pattern) override {
    std::vector<std::string> found;
    if (!fs::has_glob_meta(pattern)) {
      const auto literal = clean_source_path(pattern);
      if (is_socket(literal)) {
        throw Error(ErrorKind::usage, fmt::format("{} is a socket", pattern))
            .add_hint("a socket means nothing in an image: the program that listens there makes it anew");
      }
      if (offers(literal)) found.push_back(literal);
      return found;
    }
    match_components("", split(clean_source_path(pattern), '/'), 0, false, found);
    std::sort(found.begin(), found.end());
    return found;
  }

  void visit(const std::string& path, const Visitor& visitor, const Prune& prune) override {
    const auto real = resolve(path);
    if (!real) throw Error(ErrorKind::failure, fmt::format("{} is gone from the context", path));
    // An excluded directory is only offered when something below it is included again.
    std::vector<SourceEntry> pending;
    if (real->empty()) {
      visitor(root_entry());
      if (prune && prune("")) return;
    }
    const auto goes_on = [&](const fs::WalkEntry& walked) {
      const bool stop =
          prune && walked.metadata.type == fs::FileType::directory && prune(relative_path(walked.path, *real));
      return stop ? fs::WalkAction::skip_children : fs::WalkAction::keep_going;
    };
    fs::IgnoreWalk ignore(ignore_);
    // What a file's capability is, is asked of those that are opened.
    const fs::WalkOptions options{.xattrs = fs::WalkXattrs::none, .start = *real};
    fs::walk_tree(root_->path(), options, [&](const fs::WalkEntry& walked) {
      const bool is_directory = walked.metadata.type == fs::FileType::directory;
      if (!ignore_.empty()) {
        if (const auto answer = ignore.visit(walked.path, is_directory); answer.excluded) {
          if (!is_directory || answer.skip_children) return fs::WalkAction::skip_children;
          pop_left(pending, walked.path, *real);
          pending.push_back(to_entry(walked, *real));
          return goes_on(walked);
        }
      }
      if (walked.metadata.type == fs::FileType::socket) return fs::WalkAction::keep_going;
      if (!pending.empty()) {
        pop_left(pending, walked.path, *real);
        for (auto& parent : pending) visitor(std::move(parent));
        pending.clear();
      }
      visitor(to_entry(walked, *real));
      return goes_on(walked);
    });
  }

  std::string exclusion_reason(const std::string& path) override {
    const auto real = resolve(path);
    if (!real) return {};
    auto rule = ignore_.exclusion(path);
    if (!rule) rule = ignore_.exclusion(*real);
    if (!rule) return {};
    return fmt::format("excluded by {}, line {}: {}", ignore_name_, rule->line, escape_control(rule->pattern));
  }

 private:
  static std::string path_of_fd(int fd) {
    std::array<char, 4096> buffer{};
    const auto link = fmt::format("/proc/self/fd/{}", fd);
    const auto length = ::readlink(link.c_str(), buffer.data(), buffer.size());
    if (length < 0) throw_errno(link);
    return {buffer.data(), static_cast<std::size_t>(length)};
  }

  // The path without symlinks, relative to the root; nullopt when nothing is there.
  std::optional<std::string> resolve(const std::string& path) const {
    if (path.empty()) return path;
    const auto opened = root_->try_open(path, O_PATH);
    if (opened.error_number == ENOENT || opened.error_number == ENOTDIR) return std::nullopt;
    if (!opened.fd) throw_errno(path, opened.error_number);
    const auto real = path_of_fd(opened.fd.get());
    if (real.size() <= real_root_.size()) return std::string{};
    return real.substr(real_root_ == "/" ? 1 : real_root_.size() + 1);
  }

  bool offers(const std::string& path) {
    const auto real = resolve(path);
    if (!real) return false;
    if (!ignore_.matches(path) && !ignore_.matches(*real)) return true;
    bool any = false;
    visit(path, [&](const SourceEntry&) { any = true; }, {});
    return any;
  }

  // Behind a wildcard links to directories are not entered, as in BuildKit.
  void match_components(const std::string& directory, const std::vector<std::string>& components, std::size_t depth,
                        bool behind_wildcard, std::vector<std::string>& found) {
    if (depth == components.size()) {
      if (offers(directory)) {
        found.push_back(directory);
      } else if (!resolve(directory) && !ignore_.matches(directory)) {
        throw dangling_link(directory);
      }
      return;
    }
    if (behind_wildcard && is_symlink(directory)) return;
    if (!fs::has_glob_meta(components[depth])) {
      const auto next = join_path(directory, components[depth]);
      if (resolve(next)) match_components(next, components, depth + 1, behind_wildcard, found);
      return;
    }
    for (const auto& name : list(directory)) {
      if (fs::match_glob(components[depth], name)) {
        match_components(join_path(directory, name), components, depth + 1, true, found);
      }
    }
  }

  bool is_symlink(const std::string& path) const {
    const auto opened = root_->try_open(path, O_PATH | O_NOFOLLOW);
    struct stat info {};
    return opened.fd && ::fstat(opened.fd.get(), &info) == 0 && S_ISLNK(info.st_mode);
  }

  bool is_socket(const std::string& path) const {
    const auto opened = root_->try_open(path, O_PATH);
    struct stat info {};
    return opened.fd && ::fstat(opened.fd.get(), &info) == 0 && S_ISSOCK(info.st_mode);
  }

  std::vector<std::string> list(const std::string& directory) const {
    std::vector<std::string> names;
    const auto real = resolve(directory);
    if (!real) return names;
    const auto fd = root_->open(real->empty() ? "." : *real, O_PATH);
    struct stat info {};
    if (::fstat(fd.get(), &info) != 0 || !S_ISDIR(info.st_mode)) return names;
    for (const auto& entry : std::filesystem::directory_iterator(fmt::format("/proc/self/fd/{}", fd.get()))) {
      names.push_back(entry.path().filename().string());
    }
    return names;
  }

  SourceEntry root_entry() const {
    SourceEntry entry;
    entry.metadata.type = fs::FileType::directory;
    entry.metadata.mode = 0755;
    entry.metadata.mtime = rules_.mtime.value_or(0);
    return entry;
  }

  static std::string relative_path(const std::string& path, const std::string& start) {
    if (start.empty()) return path;
    return path == start ? std::string{} : path.substr(start.size() + 1);
  }

  SourceEntry to_entry(const fs::WalkEntry& walked, const std::string& start) {
    SourceEntry entry;
    entry.relative_path = relative_path(walked.path, start);
    entry.metadata = normalise(walked.metadata);
    if (walked.metadata.type != fs::FileType::regular) return entry;
    if (walked.link_count > 1) entry.link_id = fmt::format("{}:{}", walked.device, walked.inode);
    ContextFile& file = files_.add(walked);
    entry.file = std::shared_ptr<SourceFile>(std::shared_ptr<void>(), &file);  // files_ owns it
    entry.content_hash = &file.hash();
    entry.stamp = &file.stamp();
    return entry;
  }

  // What differs between two checkouts of one commit (owner, umask, times, labels of the host) does not get in.
  fs::FileMetadata normalise(fs::FileMetadata metadata) const {
    metadata.uid = 0;
    metadata.gid = 0;
    if (rules_.mtime) metadata.mtime = *rules_.mtime;
    if (rules_.preserve_modes || metadata.type == fs::FileType::symlink) return metadata;
    const bool executable = metadata.type == fs::FileType::directory || (metadata.mode & 0100) != 0;
    metadata.mode =
        (executable ? 0755U : 0644U) | (metadata.type == fs::FileType::regular ? metadata.mode & 06000U : 0U);
    return metadata;
  }

  // Drops pending directories that are not parents of `path`.
  static void pop_left(std::vector<SourceEntry>& pending, const std::string& path, const std::string& start) {
    const auto relative = start.empty() || path == start ? path : path.substr(start.size() + 1);
    std::erase_if(pending, [&](const SourceEntry& entry) {
      return !entry.relative_path.empty() && relative.rfind(entry.relative_path + "/", 0) != 0;
    });
  }

  ContextFiles files_;
  const fs::RootedDir* root_;
  fs::IgnorePatterns ignore_;
  std::string ignore_name_;
  DirectoryRules rules_;
  std::string real_root_;
};

}  // namespace

std::unique_ptr<CopySource> make_directory_source(const std::filesystem::path& root, fs::IgnorePatterns ignore,
                                                  std::string ignore_name, DirectoryRules rules) {
  return std::make_unique<DirectorySource>(root, std::move(ignore), std::move(ignore_name), rules);
}

}  // namespace tektii::builder
