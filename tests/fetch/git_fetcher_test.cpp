#include "support/fake_clock.hpp"
#include "support/git_server.hpp"
#include <tektii/fetch/git_fetcher.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/process.hpp>
#include <tektii/util/text.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <atomic>
#include <thread>

namespace tektii::fetch {
namespace {

using ::testing::ElementsAre;
using testing::GitServer;
using ::testing::HasSubstr;
using testing::run_git;

namespace fs = std::filesystem;

constexpr std::int64_t k_commit_time = 1706933106;  // of every commit that run_git makes

class GitFetcherTest : public ::testing::Test {
 protected:
  GitFetcherTest() { server_.create("a"); }

  GitCheckout fetch(const GitSource& source) { return fetch(source, clock_); }
  GitCheckout fetch(const GitSource& source, Clock& clock) {
    GitFetcherOptions options;
    options.mirrors = directory_.path() / "mirrors";
    options.temp_name = [this](std::string_view prefix) {
      return directory_.path() / (std::string(prefix) + std::to_string(counter_++));
    };
    options.allow_file = allow_file_;
    return GitFetcher(options, clock).checkout(source, stop_.get_token());
  }
  GitSource source(const std::string& ref = {}, const std::string& name = "a") const {
    GitSource result;
    result.remote = server_.url(name);
    result.ref = ref;
    return result;
  }
  Error error(const GitSource& source) {
    try {
      fetch(source);
    } catch (const Error& failure) {
      return failure;
    }
    ADD_FAILURE() << "no error";
    return Error(ErrorKind::failure, "");
  }
  std::vector<std::string> files(const fs::path& directory) const {
    std::vector<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(directory)) {
      if (!entry.is_directory()) names.push_back(entry.path().lexically_relative(directory).string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  GitServer server_;
  TempDir directory_;
  testing::FakeClock clock_;
  std::stop_source stop_;
  std::atomic<int> counter_ = 0;
  bool allow_file_ = false;
};

TEST_F(GitFetcherTest, TheHeadOfTheRemote) {
  server_.commit("a", {{"old", "1"}});
  const auto id = server_.commit("a", {{"f", "hello"}, {"d/g", "x"}});
  const auto result = fetch(source());
  EXPECT_EQ(result.commit, id);
  EXPECT_EQ(result.commit_time, k_commit_time);
  EXPECT_THAT(files(result.directory), ElementsAre("d/g", "f", "old"));
  EXPECT_EQ(read_file(result.directory / "f"), "hello");
}

TEST_F(GitFetcherTest, BranchesTagsAndCommits) {
  const auto first = server_.commit("a", {{"f", "1"}});
  run_git(server_.repository("a"), {"tag", "light"});
  run_git(server_.repository("a"), {"tag", "-a", "-m", "x", "annotated"});
  const auto tag = run_git(server_.repository("a"), {"rev-parse", "annotated"});
  run_git(server_.repository("a"), {"checkout", "-q", "-b", "feature/x"});
  const auto second = server_.commit("a", {{"f", "2"}});
  run_git(server_.repository("a"), {"branch", "both"});
  run_git(server_.repository("a"), {"tag", "both", first});
  run_git(server_.repository("a"), {"checkout", "-q", "main"});
  server_.commit("a", {{"f", "3"}});
  const std::vector<std::pair<std::string, std::string>> rows = {{"light", first},
                                                                 {"annotated", first},
                                                                 {"refs/tags/annotated", first},
                                                                 {"feature/x", second},
                                                                 {"refs/heads/feature/x", second},
                                                                 {"heads/feature/x", second},
                                                                 {"both", second},
                                                                 {"refs/tags/both", first},
                                                                 {"tags/both", first},
                                                                 {first, first},
                                                                 {tag, first}};
  for (const auto& [ref, expected] : rows) EXPECT_EQ(fetch(source(ref)).commit, expected) << ref;
}

TEST_F(GitFetcherTest, ASecondBuildFetchesOnlyWhatIsNew) {
  const auto first = server_.commit("a", {{"f", "1"}});
  fetch(source("main"));
  server_.http().clear_requests();
  fetch(source("main"));
  EXPECT_EQ(server_.http().count("POST", "/a/.git/git-upload-pack"), 1);  // ls-remote alone
  server_.http().clear_requests();
  EXPECT_EQ(fetch(source(first)).commit, first);
  EXPECT_TRUE(server_.http().requests().empty());
  const auto second = server_.commit("a", {{"f", "2"}});
  const auto result = fetch(source("main"));
  EXPECT_EQ(result.commit, second);
  EXPECT_EQ(read_file(result.directory / "f"), "2");
}

TEST_F(GitFetcherTest, ABranchThatWasRewrittenIsFollowed) {
  server_.commit("a", {{"f", "1"}});
  run_git(server_.repository("a"), {"branch", "b"});
  fetch(source("b"));
  run_git(server_.repository("a"), {"branch", "-m", "b", "b/c"});
  const auto amended = server_.commit("a", {{"f", "2"}});
  run_git(server_.repository("a"), {"branch", "-f", "b/c", amended});
  EXPECT_EQ(fetch(source("b/c")).commit, amended);
  EXPECT_THAT(error(source("b")).what(), HasSubstr("no branch or tag \"b\""));
}

TEST_F(GitFetcherTest, ACommitThatOnlyAFullFetchFinds) {
  GitServer dumb(true);
  dumb.create("a");
  const auto first = dumb.commit("a", {{"f", "1"}});
  const auto second = dumb.commit("a", {{"f", "2"}});
  GitSource wanted;
  wanted.remote = dumb.url("a");
  EXPECT_EQ(fetch(wanted).commit, second);
  wanted.ref = first;
  const auto result = fetch(wanted);
  EXPECT_EQ(read_file(result.directory / "f"), "1");
  wanted.ref = std::string(40, 'a');
  EXPECT_THAT(error(wanted).what(), HasSubstr("no branch or tag of the repository has the commit aaaa"));
}

TEST_F(GitFetcherTest, Checksums) {
  const auto id = server_.commit("a", {{"f", "1"}});
  run_git(server_.repository("a"), {"tag", "-a", "-m", "x", "v1"});
  const auto tag = run_git(server_.repository("a"), {"rev-parse", "v1"});
  for (const auto& checksum : {id, id.substr(0, 7), tag, tag.substr(0, 4)}) {
    auto wanted = source("v1");
    wanted.checksum = checksum;
    EXPECT_EQ(fetch(wanted).commit, id);
  }
  auto wrong = source("main");
  wrong.checksum = "0123456";
  EXPECT_EQ(error(wrong).kind(), ErrorKind::failure);
  EXPECT_THAT(error(wrong).what(), HasSubstr("expected checksum to match 0123456, got " + id));
  wrong.ref = "v1";
  EXPECT_THAT(error(wrong).what(), HasSubstr("got " + id + " or " + tag));
}

TEST_F(GitFetcherTest, FetchByCommitDoesNotAskForTheName) {
  const auto first = server_.commit("a", {{"f", "1"}});
  server_.commit("a", {{"f", "2"}});
  auto wanted = source("main");
  wanted.checksum = first;
  EXPECT_THROW(fetch(wanted), Error);
  wanted.fetch_by_commit = true;
  EXPECT_EQ(fetch(wanted).commit, first);
}

TEST_F(GitFetcherTest, ModesAndTimesDependOnTheCommitAlone) {
  server_.commit("a", {{"plain", "1"}, {"d/program", "2"}});
  fs::permissions(server_.repository("a") / "d/program", fs::perms::owner_all);
  fs::create_symlink("plain", server_.repository("a") / "link");
  server_.commit("a", {});
  const auto before = ::umask(077);
  const auto result = fetch(source());
  ::umask(before);
  const auto check = [&](const std::string& path, unsigned mode) {
    struct stat status {};
    ASSERT_EQ(::lstat((result.directory / path).c_str(), &status), 0);
    const bool is_link = S_ISLNK(status.st_mode);
    EXPECT_EQ(is_link ? 0U : status.st_mode & 07777U, mode) << path;
    EXPECT_EQ(status.st_mtime, k_commit_time) << path;
  };
  check("plain", 0644);
  check("d", 0755);
  check("d/program", 0755);
  check("link", 0);
  check("", 0755);
}

TEST_F(GitFetcherTest, Subdirectories) {
  server_.commit("a", {{"d/e/f", "1"}, {"d/x", "2"}, {"g", "3"}});
  fs::create_symlink("d", server_.repository("a") / "s");
  fs::create_symlink("/etc", server_.repository("a") / "out");
  server_.commit("a", {});
  auto wanted = source();
  wanted.subdir = "d/e";
  EXPECT_THAT(files(fetch(wanted).directory), ElementsAre("f"));
  wanted.subdir = "missing";
  EXPECT_THAT(error(wanted).what(), HasSubstr("the repository has no directory missing"));
  wanted.subdir = "g";
  EXPECT_THAT(error(wanted).what(), HasSubstr("the repository has no directory g"));
  for (const std::string through : {"s", "s/e", "out"}) {
    wanted.subdir = through;
    EXPECT_EQ(error(wanted).kind(), ErrorKind::failure) << through;
  }
}

TEST_F(GitFetcherTest, SubmodulesWithTheirOwn) {
  server_.create("b");
  server_.create("c");
  server_.commit("c", {{"deep", "3"}});
  const auto pinned = server_.commit("b", {{"inner", "2"}});
  run_git(server_.repository("b"), {"submodule", "add", "-q", server_.url("c"), "sub/c"});
  server_.commit("b", {});
  run_git(server_.repository("a"), {"submodule", "add", "-q", "--name", "n", "../../b/.git", "b"},
          {"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=remote.origin.url", "GIT_CONFIG_VALUE_0=" + server_.url("a")});
  server_.commit("a", {{"f", "1"}});
  server_.commit("b", {{"inner", "changed"}});
  EXPECT_THAT(files(fetch(source()).directory),
              ElementsAre(".gitmodules", "b/.gitmodules", "b/inner", "b/sub/c/deep", "f"));
  auto wanted = source();
  wanted.submodules = false;
  EXPECT_THAT(files(fetch(wanted).directory), ElementsAre(".gitmodules", "f"));
  wanted.submodules = true;
  wanted.subdir = "b/sub";
  EXPECT_THAT(files(fetch(wanted).directory), ElementsAre("c/deep"));
}

TEST_F(GitFetcherTest, HostileSubmodulesAreRefused) {
  const auto id = server_.commit("a", {{"f", "1"}});
  for (const std::string url :
       {"/etc", "file:///etc", "ext::sh -c touch% x", "--upload-pack=touch x", "../../../../x"}) {
    run_git(server_.repository("a"), {"update-index", "--add", "--cacheinfo", "160000," + id + ",sub"});
    write_file_atomic(server_.repository("a") / ".gitmodules",
                      "[submodule \"x\"]\n\tpath = sub\n\turl = \"" + url + "\"\n\tupdate = !touch /tmp/never\n");
    run_git(server_.repository("a"), {"add", ".gitmodules"});
    run_git(server_.repository("a"), {"commit", "-q", "-m", "x"});
    const auto failure = error(source());
    EXPECT_THAT(failure.what(), HasSubstr("submodule sub")) << url;
  }
  run_git(server_.repository("a"), {"rm", "-q", "-f", ".gitmodules"});
  run_git(server_.repository("a"), {"commit", "-q", "-m", "x"});
  EXPECT_THAT(error(source()).what(), HasSubstr("submodule sub has no URL in .gitmodules"));
}

TEST_F(GitFetcherTest, TheGitDirectoryIsTheSameEveryTime) {
  server_.commit("a", {{"f", "1"}});
  const auto id = server_.commit("a", {{"f", "2"}, {"d/g", "3"}});
  run_git(server_.repository("a"), {"tag", "-a", "-m", "x", "v1"});
  auto wanted = source("v1");
  wanted.keep_git_dir = true;
  const auto first = fetch(wanted).directory;
  EXPECT_EQ(run_git(first, {"rev-parse", "HEAD"}), id);
  EXPECT_EQ(run_git(first, {"describe"}), "v1");
  EXPECT_EQ(run_git(first, {"status", "--porcelain"}), "");
  EXPECT_EQ(run_git(first, {"log", "--format=%H"}), id);
  EXPECT_EQ(run_git(first, {"remote", "get-url", "origin"}), server_.url("a"));
  EXPECT_EQ(run_git(first, {"fsck"}), "");
  remove_tree(first);
  fetch(source("main"));
  remove_tree(directory_.path() / "mirrors");
  const auto second = fetch(wanted).directory;
  const auto third = fetch(wanted).directory;
  ASSERT_EQ(files(second), files(third));
  for (const auto& file : files(second)) EXPECT_EQ(read_file(second / file), read_file(third / file)) << file;
  wanted.subdir = "d";
  EXPECT_THAT(files(fetch(wanted).directory), ElementsAre("g"));
}

TEST_F(GitFetcherTest, NothingOfTheMachineChangesTheFiles) {
  server_.commit("a", {{".gitattributes", "*.txt text\nlfs filter=evil\n"}, {"a.txt", "1\n2\n"}, {"lfs", "pointer"}});
  const auto home = directory_.path() / "home";
  make_directories(home / "hooks");
  write_file_atomic(home / "hooks/reference-transaction", "#!/bin/sh\ntouch " + (home / "ran").string() + "\n", 0755);
  write_file_atomic(home / "hooks/post-checkout", "#!/bin/sh\ntouch " + (home / "ran").string() + "\n", 0755);
  write_file_atomic(home / ".gitconfig", "[core]\n\tautocrlf = true\n\thooksPath = " + (home / "hooks").string() +
                                             "\n[filter \"evil\"]\n\tsmudge = touch " + (home / "ran").string() +
                                             "\n\trequired = true\n[init]\n\ttemplateDir = " + home.string() + "\n");
  const std::string before = ::getenv("HOME");
  ::setenv("HOME", home.c_str(), 1);
  ::setenv("GIT_DIR", "/nowhere", 1);
  const auto result = fetch(source());
  ::setenv("HOME", before.c_str(), 1);
  ::unsetenv("GIT_DIR");
  EXPECT_EQ(read_file(result.directory / "a.txt"), "1\n2\n");
  EXPECT_EQ(read_file(result.directory / "lfs"), "pointer");
  EXPECT_FALSE(fs::exists(home / "ran"));
}

TEST_F(GitFetcherTest, TheRepositoryWeAreInHasNoSay) {
  const auto id = server_.commit("a", {{"f", "1"}});
  run_git(server_.repository("a"), {"config", "url.http://127.0.0.1:1/.insteadOf", server_.http().url("/")});
  const auto before = fs::current_path();
  fs::current_path(server_.repository("a"));
  const auto result = fetch(source());
  fs::current_path(before);
  EXPECT_EQ(result.commit, id);
}

TEST_F(GitFetcherTest, ADamagedMirrorIsMadeAnew) {
  const auto id = server_.commit("a", {{"f", "1"}});
  fetch(source());
  for (const auto& entry : fs::recursive_directory_iterator(directory_.path() / "mirrors")) {
    if (entry.path().extension() == ".pack") {
      fs::permissions(entry.path(), fs::perms::owner_all);
      write_file_atomic(entry.path(), "rubbish");
    }
  }
  const auto result = fetch(source(id));
  EXPECT_EQ(read_file(result.directory / "f"), "1");
}

TEST_F(GitFetcherTest, SeveralAtOnceTakeTurns) {
  std::vector<std::string> ids;
  for (int i = 0; i < 4; ++i) ids.push_back(server_.commit("a", {{"f", std::to_string(i)}}));
  std::atomic<int> good = 0;
  SystemClock clock;  // that of the test takes no time to wait
  std::vector<std::jthread> threads;
  for (const auto& id : ids) {
    threads.emplace_back([&, id] { good += fetch(source(id), clock).commit == id ? 1 : 0; });
  }
  threads.clear();
  EXPECT_EQ(good, 4);
}

TEST_F(GitFetcherTest, UnknownNamesComeWithNearOnes) {
  server_.commit("a", {{"f", "1"}});
  run_git(server_.repository("a"), {"tag", "release-1"});
  const auto failure = error(source("relese-1"));
  EXPECT_EQ(failure.kind(), ErrorKind::failure);
  EXPECT_EQ(std::string(failure.what()),
            "git " + server_.url("a") + ": the repository has no branch or tag \"relese-1\"");
  EXPECT_THAT(failure.hints(), ElementsAre("did you mean release-1?"));
  EXPECT_THAT(error(source("0123abc")).hints(),
              ElementsAre("there are main, release-1", "a commit is named by its whole id"));
}

TEST_F(GitFetcherTest, AnEmptyRepositoryHasNoHead) {
  EXPECT_THAT(error(source()).what(), HasSubstr("is it empty?"));
}

TEST_F(GitFetcherTest, Credentials) {
  server_.commit("a", {{"f", "1"}});
  server_.require("Basic dG9rZW4=");
  const auto refused = error(source());
  EXPECT_EQ(refused.kind(), ErrorKind::denied);
  EXPECT_THAT(refused.hints(), ElementsAre(HasSubstr("GIT_AUTH_TOKEN")));
  auto wanted = source();
  wanted.authorization = Secret("Basic dG9rZW4=");
  EXPECT_THAT(files(fetch(wanted).directory), ElementsAre("f"));
}

// A git that writes down its arguments, first in PATH.
class SpiedGit {
 public:
  SpiedGit() {
    const auto real = std::string(trim(run_process({"sh", "-c", "command -v git"}).out));
    write_file_atomic(directory_.path() / "git",
                      "#!/bin/sh\nprintf '%s\\n' \"$*\" >>'" + log_.string() + "'\nexec " + real + " \"$@\"\n", 0755);
    ::setenv("PATH", (directory_.path().string() + ":" + path_).c_str(), 1);
  }
  SpiedGit(const SpiedGit&) = delete;
  SpiedGit& operator=(const SpiedGit&) = delete;
  ~SpiedGit() { ::setenv("PATH", path_.c_str(), 1); }
  std::string arguments() const { return read_file(log_); }

 private:
  TempDir directory_;
  fs::path log_ = directory_.path() / "log";
  std::string path_ = ::getenv("PATH");
};

TEST_F(GitFetcherTest, CredentialsOfTheUrlAreNoArguments) {
  const auto id = server_.commit("a", {{"f", "1"}});
  server_.require("Basic b2F1dGgyOlRPUCBTRUNSRVQ=");  // oauth2:TOP SECRET
  const SpiedGit git;
  auto wanted = source();
  wanted.remote = "http://oauth2:TOP%20SECRET@" + server_.http().host_port() + "/a/.git";
  wanted.keep_git_dir = true;
  const auto result = fetch(wanted);
  wanted.ref = id;
  fetch(wanted);
  wanted.ref = "missing";
  error(wanted);
  EXPECT_EQ(result.commit, id);
  EXPECT_THAT(git.arguments(), HasSubstr("ls-remote"));
  EXPECT_THAT(git.arguments(), ::testing::Not(HasSubstr("SECRET")));
  for (const auto& entry : fs::recursive_directory_iterator(directory_.path())) {
    if (!entry.is_regular_file()) continue;
    EXPECT_EQ(read_file(entry.path()).find("SECRET"), std::string::npos) << entry.path();
  }
}

TEST_F(GitFetcherTest, TheUserOfTheUrlIsKnownToACredentialHelper) {
  const auto id = server_.commit("a", {{"f", "1"}});
  server_.require("Basic c29tZWJvZHk6cHc=");  // somebody:pw
  const SpiedGit git;
  ::setenv("GIT_CONFIG_COUNT", "1", 1);
  ::setenv("GIT_CONFIG_KEY_0", "credential.helper", 1);
  ::setenv("GIT_CONFIG_VALUE_0", "!f() { grep -q username=somebody && echo password=pw; }; f", 1);
  auto wanted = source();
  wanted.remote = "http://somebody@" + server_.http().host_port() + "/a/.git";
  const auto result = fetch(wanted);
  for (const auto* name : {"GIT_CONFIG_COUNT", "GIT_CONFIG_KEY_0", "GIT_CONFIG_VALUE_0"}) ::unsetenv(name);
  EXPECT_EQ(result.commit, id);
  EXPECT_THAT(git.arguments(), ::testing::Not(HasSubstr("somebody@")));
}

TEST_F(GitFetcherTest, PasswordsAreNotRepeated) {
  GitSource wanted;
  wanted.remote = "http://me:hunter2@" + server_.http().host_port() + "/none/.git";
  const auto failure = error(wanted);
  EXPECT_THAT(failure.what(), ::testing::Not(HasSubstr("hunter2")));
  EXPECT_THAT(failure.what(), HasSubstr("not found"));
}

TEST_F(GitFetcherTest, UnreachableServersAreTriedAgain) {
  GitSource wanted;
  wanted.remote = "http://127.0.0.1:1/a.git";
  EXPECT_EQ(error(wanted).kind(), ErrorKind::network);
  EXPECT_EQ(clock_.sleeps().size(), 2U);
}

TEST_F(GitFetcherTest, LocalRepositoriesAreRefused) {
  const auto id = server_.commit("a", {{"f", "1"}});
  GitSource wanted;
  wanted.remote = "file://" + server_.repository("a").string();
  EXPECT_EQ(error(wanted).kind(), ErrorKind::usage);
  allow_file_ = true;
  EXPECT_EQ(fetch(wanted).commit, id);
}

TEST_F(GitFetcherTest, SshGoesThroughTheUsersProgram) {
  const auto id = server_.commit("a", {{"f", "1"}});
  const auto program = directory_.path() / "ssh";
  write_file_atomic(program, "#!/bin/sh\nfor last; do :; done\neval \"$last\"\n", 0755);
  ::setenv("GIT_SSH", program.c_str(), 1);
  GitSource wanted;
  wanted.remote = "git@host:" + server_.repository("a").string();
  const auto result = fetch(wanted);
  EXPECT_EQ(result.commit, id);
  write_file_atomic(program, "#!/bin/sh\necho 'Host key verification failed.' >&2\nexit 255\n", 0755);
  wanted.ref = "other";
  const auto refused = error(wanted);
  ::unsetenv("GIT_SSH");
  EXPECT_EQ(refused.kind(), ErrorKind::denied);
  EXPECT_THAT(refused.hints(), ElementsAre(HasSubstr("known_hosts")));
}

TEST_F(GitFetcherTest, Sha256Repositories) {
  server_.create("s", {"--object-format=sha256"});
  const auto id = server_.commit("s", {{"f", "1"}});
  ASSERT_EQ(id.size(), 64U);
  auto wanted = source("", "s");
  wanted.keep_git_dir = true;
  const auto result = fetch(wanted);
  EXPECT_EQ(result.commit, id);
  EXPECT_EQ(run_git(result.directory, {"rev-parse", "HEAD"}), id);
}

TEST_F(GitFetcherTest, AMissingGitIsNamed) {
  const std::string before = ::getenv("PATH");
  ::setenv("PATH", directory_.path().c_str(), 1);
  const auto failure = error(source());
  ::setenv("PATH", before.c_str(), 1);
  EXPECT_THAT(failure.what(), HasSubstr("git is not installed"));
  EXPECT_FALSE(failure.hints().empty());
}

TEST_F(GitFetcherTest, AStopEndsIt) {
  stop_.request_stop();
  EXPECT_EQ(error(source()).kind(), ErrorKind::interrupted);
}

}  // namespace
}  // namespace tektii::fetch
