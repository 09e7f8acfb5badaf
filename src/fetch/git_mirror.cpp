#include "fetch/git_mirror.hpp"

#include "fetch/git_url.hpp"
#include <tektii/util/file.hpp>
#include <tektii/util/hash.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <map>

namespace tektii::fetch {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view k_heads = "refs/heads/";
constexpr std::string_view k_tags = "refs/tags/";
constexpr std::size_t k_sha256_length = 64;

// Names of branches may be directories of one another over time ("a", later "a/b"), their hashes never are.
std::string own_ref(std::string_view name) {
  return "refs/tektii/" + Sha256::hex_of(name).substr(0, 32);
}

// "<id>\t<name>" of each line of ls-remote; "ref: <name>\tHEAD" comes under "ref:".
std::map<std::string, std::string> parse_refs(const std::string& text) {
  std::map<std::string, std::string> refs;
  for (const auto& line : split(text, '\n')) {
    const auto tab = line.find('\t');
    if (tab == std::string::npos) continue;
    if (line.starts_with("ref: ")) {
      refs["ref:"] = line.substr(5, tab - 5);
    } else {
      refs[line.substr(tab + 1)] = line.substr(0, tab);
    }
  }
  return refs;
}

std::string prefixed(std::string_view prefix, const std::string& name) {
  return name.starts_with(prefix) ? name : std::string(prefix) + name;
}

}  // namespace

GitMirror::GitMirror(const GitCommand& git, fs::path directory, std::function<fs::path(std::string_view)> temp_name,
                     Clock& clock, net::RetryPolicy retry)
    : git_(git), directory_(std::move(directory)), temp_name_(std::move(temp_name)), clock_(clock), retry_(retry) {
  make_directories(directory_);
  lock();
}

void GitMirror::lock() {
  constexpr std::chrono::milliseconds k_pause{100};
  constexpr int k_patience = 10;  // pauses
  int pauses = 0;
  while (!(lock_ = FileLock::try_acquire(directory_ / "lock", LockMode::exclusive))) {
    if (++pauses == k_patience) {
      spdlog::warn("another build fetches from {}: waiting for it", without_credentials(git_.remote()));
    }
    clock_.sleep_for(k_pause, git_.stop());
    throw_if_stopped(git_.stop());
  }
}

std::string GitMirror::git_dir_argument() const {
  return "--git-dir=" + repository_.string();
}

// A repository has one hash function; which one shows in the length of its ids.
void GitMirror::open(const std::string& object_id) {
  const bool sha256 = object_id.size() == k_sha256_length;
  repository_ = directory_ / (sha256 ? "sha256.git" : "sha1.git");
  if (fs::exists(repository_ / "HEAD")) return remove_stale_locks();
  const auto temporary = temp_name_("git-mirror");
  std::vector<std::string> arguments = {"-c", "init.defaultBranch=main", "init", "-q", "--bare", "--template="};
  if (sha256) arguments.emplace_back("--object-format=sha256");
  arguments.push_back(temporary.string());
  git_.local(arguments);
  fs::rename(temporary, repository_);
}

// Nobody else is in here: what a process that was killed held is free.
void GitMirror::remove_stale_locks() const {
  std::vector<fs::path> stale;
  for (const auto& directory : {repository_, repository_ / "refs/tektii", repository_ / "objects/pack"}) {
    std::error_code missing;
    for (const auto& entry : fs::directory_iterator(directory, missing)) {
      const auto name = entry.path().filename().string();
      if (name.ends_with(".lock") || name.starts_with("tmp_")) stale.push_back(entry.path());
    }
  }
  for (const auto& path : stale) remove_tree(path);
}

void GitMirror::reset() const {
  if (!repository_.empty()) remove_tree(repository_);
}

ProcessResult GitMirror::ask(const std::vector<std::string>& arguments) const {
  net::Backoff backoff(retry_, clock_);
  while (true) {
    auto result = git_.ask_server(arguments);
    if (result.exit_code == 0 || !may_pass(result) || !backoff.next_attempt(git_.stop())) return result;
  }
}

GitRevision GitMirror::resolve(const std::string& ref) {
  const bool wants_head = ref.empty() || ref == "HEAD";
  std::vector<std::string> arguments = {"ls-remote", "-q", "--symref", "--", git_.remote(), wants_head ? "HEAD" : ref};
  if (!wants_head) arguments.push_back(ref + "^{}");
  const auto result = ask(arguments);
  if (result.exit_code != 0) throw git_.explain(result, "the repository can't be read");
  const auto refs = parse_refs(result.out);
  std::vector<std::string> candidates = {"HEAD"};
  if (wants_head && refs.contains("ref:")) candidates = {refs.at("ref:"), "HEAD"};
  if (!wants_head) candidates = {prefixed("refs/", ref), prefixed(k_heads, ref), prefixed(k_tags, ref)};
  for (const auto& name : candidates) {
    if (const auto found = refs.find(name); found != refs.end()) return {name, found->second};
    // ls-remote was asked for HEAD alone, and says for which branch it stands.
    if (wants_head && name != "HEAD" && refs.contains("HEAD")) return {name, refs.at("HEAD")};
  }
  if (wants_head) throw Error(ErrorKind::failure, "the repository has no HEAD: is it empty?");
  fail_unknown_ref(ref);
}

void GitMirror::fail_unknown_ref(const std::string& ref) {
  Error error(ErrorKind::failure, fmt::format("the repository has no branch or tag \"{}\"", escape_control(ref)));
  const auto result = git_.ask_server({"ls-remote", "-q", "--heads", "--tags", "--refs", "--", git_.remote()});
  std::vector<std::string> names;
  for (const auto& [name, id] : parse_refs(result.out)) {
    names.push_back(name.substr(name.starts_with(k_heads) ? k_heads.size() : std::min(k_tags.size(), name.size())));
  }
  const auto shown = ref.starts_with(k_heads)  ? ref.substr(k_heads.size())
                     : ref.starts_with(k_tags) ? ref.substr(k_tags.size())
                                               : ref;
  const bool is_short_id =
      shown.size() >= 4 && shown.size() < 40 && shown.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (const auto near = closest_match(shown, names)) {
    error.add_hint(fmt::format("did you mean {}?", escape_control(*near)));
  } else if (!names.empty()) {
    std::string list;
    for (std::size_t i = 0; i < names.size() && i < 10; ++i) list += (i == 0 ? "" : ", ") + escape_control(names[i]);
    error.add_hint(fmt::format("there are {}{}", list, names.size() > 10 ? ", ..." : ""));
  }
  if (is_short_id) error.add_hint("a commit is named by its whole id");
  throw error;
}

std::optional<std::string> GitMirror::commit_of(const std::string& object) const {
  const auto result = git_.run_local({git_dir_argument(), "rev-parse", "-q", "--verify", object + "^{commit}"}, {});
  if (result.exit_code != 0) return std::nullopt;
  auto id = std::string(trim(result.out));
  // rev-parse takes any full id; the object must be there too, with the tree that a checkout needs.
  const auto there = git_.run_local({git_dir_argument(), "cat-file", "-e", id + "^{tree}"}, {});
  return there.exit_code == 0 ? std::optional(id) : std::nullopt;
}

std::string GitMirror::fetch(const GitRevision& revision) {
  open(revision.object);
  if (commit_of(revision.object)) return revision.object;
  if (revision.name.empty()) {
    fetch_commit(revision.object);
    return revision.object;
  }
  fetch_named(revision);
  // The remote may have moved on since it was asked: what came is what it is now.
  return std::string(trim(git_.local({git_dir_argument(), "rev-parse", "--verify", own_ref(revision.name)})));
}

ProcessResult GitMirror::fetch_into(std::vector<std::string> arguments, bool shallow) {
  std::vector<std::string> all = {git_dir_argument(), "fetch", "-q", "--no-tags", "--force", "--no-write-fetch-head"};
  if (shallow) all.emplace_back("--depth=1");
  all.insert(all.end(), arguments.begin(), arguments.end());
  auto result = ask(all);
  if (result.exit_code == 0 || !shallow || may_pass(result)) return result;
  // Servers of plain files ("dumb http") know no depth.
  if (says(result, "shallow") || says(result, "--depth")) return fetch_into(std::move(arguments), false);
  return result;
}

void GitMirror::fail_fetch(const ProcessResult& result, const std::string& what) const {
  auto error = git_.explain(result, what);
  if (error.kind() == ErrorKind::failure) throw MirrorError(std::move(error));
  throw error;
}

void GitMirror::fetch_named(const GitRevision& revision) {
  const auto result =
      fetch_into({"--", git_.remote(), fmt::format("+{}:{}", revision.name, own_ref(revision.name))}, true);
  if (result.exit_code != 0) fail_fetch(result, fmt::format("{} can't be fetched", revision.name));
}

void GitMirror::fetch_commit(const std::string& id) {
  const auto result = fetch_into({"--", git_.remote(), id}, true);
  const auto kind = result.exit_code == 0 ? ErrorKind::failure : git_.explain(result, "").kind();
  if (kind != ErrorKind::failure) throw git_.explain(result, fmt::format("commit {} can't be fetched", id));
  // Some servers give out only what a branch or tag names.
  if (result.exit_code != 0) fetch_everything(id);
  if (!commit_of(id)) throw Error(ErrorKind::failure, fmt::format("{} is no commit of the repository", id));
  // So that the next fetch can say what is here.
  git_.local({git_dir_argument(), "update-ref", own_ref(id), id});
}

void GitMirror::fetch_everything(const std::string& id) {
  spdlog::debug("the server does not give out a commit by its id: all branches and tags are fetched");
  std::vector<std::string> arguments = {"--prune"};
  if (fs::exists(repository_ / "shallow")) arguments.emplace_back("--unshallow");
  arguments.insert(arguments.end(), {"--", git_.remote(), "+refs/heads/*:refs/tektii-all/heads/*",
                                     "+refs/tags/*:refs/tektii-all/tags/*"});
  const auto result = fetch_into(arguments, false);
  if (result.exit_code != 0) fail_fetch(result, "the repository can't be fetched");
  if (commit_of(id)) return;
  throw Error(ErrorKind::failure, fmt::format("no branch or tag of the repository has the commit {}", id));
}

}  // namespace tektii::fetch
