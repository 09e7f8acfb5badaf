#include "fetch/git_mirror.hpp"
#include "fetch/git_tree.hpp"
#include "fetch/git_url.hpp"
#include <tektii/fetch/git_fetcher.hpp>
#include <tektii/fs/rooted_dir.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/hash.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

namespace tektii::fetch {

namespace {

constexpr int k_max_depth = 16;  // of submodules in submodules

bool is_commit_id(std::string_view text) {
  return (text.size() == 40 || text.size() == 64) &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// Whether one of two paths leads through the other.
bool touches(std::string_view a, std::string_view b) {
  const auto inside = [](std::string_view child, std::string_view parent) {
    return parent.empty() || child == parent ||
           (child.starts_with(parent) && child.size() > parent.size() && child[parent.size()] == '/');
  };
  return inside(a, b) || inside(b, a);
}

// The part of `subdir` that is inside of the submodule; the submodule touches it.
std::string subdir_below(const std::string& subdir, const std::string& path) {
  return subdir.size() > path.size() ? subdir.substr(path.size() + 1) : std::string();
}

class Checkout {
 public:
  Checkout(const GitFetcherOptions& options, Clock& clock, const net::RetryPolicy& retry, const std::stop_token& stop)
      : options_(options), clock_(clock), retry_(retry), stop_(stop) {}

  // Brings the commit and its files into an empty directory.
  GitCheckout run(const GitSource& source, const std::filesystem::path& directory, int depth) {
    const GitCommand git(source.remote, source.authorization, options_.allow_file, stop_);
    std::vector<Submodule> submodules;
    auto result = with_mirror(git, directory, [&](GitMirror& mirror) {
      const auto revision = find_revision(source, mirror);
      GitCheckout here;
      here.commit = commit_of(mirror, revision);
      check(source, revision, here.commit);
      here.commit_time = commit_time_of(git, mirror, here.commit);
      write_files(git, mirror, here.commit, directory, options_.temp_name("git-index"));
      if (source.keep_git_dir && source.subdir.empty()) {
        write_git_directory(git, mirror, revision, here.commit, directory);
      }
      if (source.submodules) submodules = list_submodules(git, mirror, here.commit);
      return here;
    });
    for (const auto& submodule : submodules) {
      if (touches(submodule.path, source.subdir)) add_submodule(source, submodule, directory, depth);
    }
    return result;
  }

 private:
  // Once more with a new mirror when the old one is damaged: by a full disk or a power cut, say.
  GitCheckout with_mirror(const GitCommand& git, const std::filesystem::path& directory,
                          const std::function<GitCheckout(GitMirror&)>& work) {
    const auto place = options_.mirrors / mirror_name(git.remote());
    do {
      make_directories(place);
    } while (options_.take_into_use && !options_.take_into_use(place));
    GitMirror mirror(git, place, options_.temp_name, clock_, retry_);
    try {
      return work(mirror);
    } catch (const MirrorError& error) {
      spdlog::debug("the mirror of {} is made anew: {}", without_credentials(git.remote()), error.what());
    }
    mirror.reset();
    remove_tree(directory);
    make_directories(directory);
    return work(mirror);
  }

  static std::string mirror_name(const std::string& remote) {
    return Sha256::hex_of(without_credentials(remote)).substr(0, 40);
  }

  GitRevision find_revision(const GitSource& source, GitMirror& mirror) {
    GitRevision revision;
    if (is_commit_id(source.ref)) {
      revision.object = source.ref;
    } else if (source.fetch_by_commit) {
      revision.object = source.checksum;
    } else {
      revision = mirror.resolve(source.ref);
      // Before anything is downloaded. A tag may be meant by its own id or by that of its commit, which comes later.
      if (!revision.name.starts_with("refs/tags/")) check(source, revision, revision.object);
    }
    revision.object = mirror.fetch(revision);
    if (source.fetch_by_commit && !source.ref.empty() && !is_commit_id(source.ref)) {
      revision.name = source.ref.starts_with("refs/") ? source.ref : "refs/heads/" + source.ref;
    }
    return revision;
  }

  static std::string commit_of(const GitMirror& mirror, const GitRevision& revision) {
    if (const auto commit = mirror.commit_of(revision.object)) return *commit;
    throw Error(ErrorKind::failure, fmt::format("{} names no commit", revision.name));
  }

  static void check(const GitSource& source, const GitRevision& revision, const std::string& commit) {
    if (commit.starts_with(source.checksum) || revision.object.starts_with(source.checksum)) return;
    const auto other = revision.object == commit ? "" : " or " + revision.object;
    throw Error(ErrorKind::failure,
                fmt::format("expected checksum to match {}, got {}{}", source.checksum, commit, other));
  }

  void add_submodule(const GitSource& parent, const Submodule& submodule, const std::filesystem::path& directory,
                     int depth) {
    try {
      if (depth >= k_max_depth) throw Error(ErrorKind::failure, "submodules are nested too deep");
      GitSource source;
      source.remote = resolve_submodule_url(parent.remote, submodule.url);
      source.ref = submodule.commit;
      source.subdir = subdir_below(parent.subdir, submodule.path);
      const bool same_host = http_scope(source.remote) == http_scope(parent.remote);
      if (same_host) source.authorization = parent.authorization;
      if (!is_allowed_remote(source.remote, options_.allow_file)) {
        throw Error(ErrorKind::failure, fmt::format("the URL {} is not allowed: git repositories are fetched by https, "
                                                    "http, ssh and git",
                                                    escape_control(without_credentials(source.remote))));
      }
      // Proves that no symlink is on the way.
      fs::RootedDir(directory).open_no_symlinks(submodule.path, O_PATH | O_DIRECTORY);
      run(source, directory / submodule.path, depth + 1);
    } catch (Error& error) {
      if (error.kind() != ErrorKind::interrupted) {
        error.add_context("submodule " + escape_control(submodule.path));
      }
      throw;
    }
  }

  const GitFetcherOptions& options_;
  Clock& clock_;
  const net::RetryPolicy& retry_;
  const std::stop_token& stop_;
};

// The subdirectory, which must be one: BuildKit refuses symlinks on the way too.
std::filesystem::path enter_subdir(const std::filesystem::path& directory, const std::string& subdir) {
  if (subdir.empty()) return directory;
  const fs::RootedDir root(directory);
  const auto opened = root.try_open(subdir, O_PATH | O_DIRECTORY);
  if (!opened.fd) {
    throw Error(ErrorKind::failure, fmt::format("the repository has no directory {}", escape_control(subdir)));
  }
  try {
    root.open_no_symlinks(subdir, O_PATH | O_DIRECTORY);
  } catch (const Error&) {
    throw Error(ErrorKind::failure, fmt::format("the subdirectory {} leads through a symlink", escape_control(subdir)));
  }
  return directory / subdir;
}

}  // namespace

GitCheckout GitFetcher::checkout(const GitSource& source, const std::stop_token& stop) {
  try {
    if (!is_allowed_remote(source.remote, options_.allow_file)) {
      throw Error(ErrorKind::usage, "git repositories are fetched by https, http, ssh and git");
    }
    const auto directory = options_.temp_name("git-tree");
    make_directories(directory);
    Checkout checkout(options_, clock_, retry_, stop);
    auto result = checkout.run(source, directory, 0);
    normalise_tree(directory, result.commit_time);
    result.directory = enter_subdir(directory, source.subdir);
    return result;
  } catch (Error& error) {
    if (error.kind() != ErrorKind::interrupted) {
      error.add_context("git " + escape_control(without_credentials(source.remote)));
    }
    throw;
  }
}

}  // namespace tektii::fetch
