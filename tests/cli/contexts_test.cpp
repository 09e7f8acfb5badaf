// Contexts of every kind, end to end: the binary builds out of them.
#include "support/git_server.hpp"
#include "support/guarded.hpp"
#include "support/http_server.hpp"
#include <tektii/util/file.hpp>
#include <tektii/util/process.hpp>
#include <tektii/util/text.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <signal.h>
#include <sys/stat.h>

#include <filesystem>
#include <thread>

namespace tektii {
namespace {

using testing::GitServer;
using ::testing::HasSubstr;
using testing::HttpServer;
using testing::ServerRequest;
using testing::ServerResponse;

namespace fs = std::filesystem;

class ContextsTest : public ::testing::Test {
 protected:
  ContextsTest() {
    write("ctx/Dockerfile", "FROM scratch\nCOPY . /all/\n");
    write("ctx/a", "a");
    write("ctx/skipped", "s");
    write("ctx/sub/Other", "FROM scratch\nCOPY sub/b /b\n");
    write("ctx/sub/b", "b");
    write("ctx/.dockerignore", "skipped\n.git\n");
  }

  void write(const std::string& path, const std::string& text) {
    make_directories((directory_.path() / path).parent_path());
    write_file_atomic(directory_.path() / path, text);
  }
  // Builds into a layout; the result of the process.
  ProcessResult build(std::vector<std::string> arguments, const std::string& input = {}) {
    fs::remove_all(directory_.path() / "out");
    std::vector<std::string> argv = {TEKTII_BINARY, "build",    "--progress",
                                     "plain",       "--output", "type=oci,dest=" + path("out")};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    ProcessOptions options;
    options.cwd = directory_.path();
    options.stdin_text = input;
    options.extra_env = {"TEKTII_CACHE_DIR=" + path("cache"), "NO_COLOR=1"};
    options.leave_out = [](std::string_view name) { return name == "SOURCE_DATE_EPOCH"; };
    return run_process(argv, options);
  }
  // The digest of the image, which says all about it.
  std::string digest(const std::vector<std::string>& arguments, const std::string& input = {}) {
    const auto result = build(arguments, input);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    expect_nothing_left();
    return std::string(trim(result.out));
  }
  void expect_failure(const std::vector<std::string>& arguments, int code, const std::string& text,
                      const std::string& input = {}) {
    const auto result = build(arguments, input);
    EXPECT_EQ(result.exit_code, code) << result.err;
    EXPECT_THAT(result.err, HasSubstr(text));
    expect_nothing_left();
  }
  void expect_nothing_left() const {
    std::error_code missing;
    for (const auto& entry : fs::directory_iterator(directory_.path() / "cache/tmp", missing)) {
      EXPECT_EQ(entry.path().filename(), ".lock");
    }
  }
  std::string path(const std::string& name) const { return (directory_.path() / name).string(); }
  std::string tar(const std::vector<std::string>& options) const {
    std::vector<std::string> argv = {"tar", "-C", path("ctx"), "--mtime=2024-01-01 00:00:00Z", "-c"};
    argv.insert(argv.end(), options.begin(), options.end());
    argv.emplace_back(".");
    const auto result = run_process(argv);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return result.out;
  }

  TempDir directory_;
  testing::Guarded<std::string> served_;
  HttpServer server_{[this](const ServerRequest& request) {
    if (request.path() == "/missing") return ServerResponse{404, {}, "no"};
    if (request.path() == "/slow") {
      ServerResponse slow{200, {}, "FROM scratch"};
      slow.stall_after_head = std::chrono::seconds(30);
      return slow;
    }
    return ServerResponse{200, {}, served_.get()};
  }};
};

TEST_F(ContextsTest, EveryWayToTheSameFilesGivesTheSameImage) {
  const auto expected = digest({"ctx"});
  for (const auto& options : std::vector<std::vector<std::string>>{{}, {"-z"}, {"-j"}, {"-J"}, {"--zstd"}}) {
    SCOPED_TRACE(join(options, " "));
    if (options == std::vector<std::string>{"--zstd"} && run_process({"zstd", "--version"}).not_found) continue;
    served_ = tar(options);
    EXPECT_EQ(digest({"-"}, served_.get()), expected);
    EXPECT_EQ(digest({server_.url("/ctx.tar")}), expected);
  }
}

TEST_F(ContextsTest, AGitContextIsDatedByItsCommit) {
  GitServer git;
  git.create("a");
  git.commit("a", {{"Dockerfile", "FROM scratch\nCOPY f /\n"},
                   {"f", "1"},
                   {"sub/Dockerfile", "FROM scratch\nCOPY g /\n"},
                   {"sub/g", "2"},
                   {"other/D", "FROM scratch\nCOPY sub/g /\n"}});
  const auto expected = digest({git.repository("a").string()});
  EXPECT_EQ(digest({git.url("a")}), expected);
  EXPECT_EQ(digest({git.url("a") + "#main"}), expected);
  EXPECT_EQ(digest({git.url("a") + "#main:sub"}), digest({(git.repository("a") / "sub").string()}));
  EXPECT_EQ(digest({git.url("a"), "-f", "other/D"}),
            digest({git.repository("a").string(), "-f", (git.repository("a") / "other/D").string()}));
  EXPECT_NE(digest({git.url("a"), "--build-arg", "SOURCE_DATE_EPOCH=0"}), expected);
  expect_failure({git.url("a") + "#mian"}, 1, "did you mean main?");
  expect_failure({git.url("a"), "-f", "none"}, 2, "Dockerfile not found at none in " + git.url("a"));
}

TEST_F(ContextsTest, TheGitDirectoryStaysOnRequest) {
  GitServer git;
  git.create("a");
  git.commit("a", {{"Dockerfile", "FROM scratch\nCOPY .git/HEAD /\n"}});
  expect_failure({git.url("a")}, 2, ".git/HEAD not found");
  digest({git.url("a"), "--build-arg", "BUILDKIT_CONTEXT_KEEP_GIT_DIR=1"});
  digest({git.url("a") + "?keep-git-dir=true"});
}

TEST_F(ContextsTest, ALoneDockerfile) {
  write("empty/Dockerfile", "FROM scratch\nENV A=1\n");
  served_ = read_file(path("empty/Dockerfile"));
  const auto expected = digest({"empty"});
  EXPECT_EQ(digest({"-"}, served_.get()), expected);
  EXPECT_EQ(digest({server_.url("/Dockerfile")}), expected);
  EXPECT_EQ(digest({"ctx", "-f", "-"}, served_.get()), expected);
  EXPECT_EQ(digest({"ctx", "-f", server_.url("/Dockerfile")}), expected);
  expect_failure({"-", "-f", "x"}, 2, "ambiguous Dockerfile", served_.get());
  expect_failure({server_.url("/x"), "-f", "x"}, 2, "ambiguous Dockerfile");
}

TEST_F(ContextsTest, StepsAreCountedThrough) {
  served_ = tar({});
  EXPECT_THAT(build({server_.url("/c.tar")}).err,
              ::testing::AllOf(HasSubstr("#1 load " + server_.url("/c.tar")), HasSubstr("#2 [stage-0 1/1] COPY")));
}

TEST_F(ContextsTest, TheTimeOfAContextByName) {
  served_ = tar({});
  const auto expected = digest({"ctx", "--build-arg", "SOURCE_DATE_EPOCH=1704067200"});
  EXPECT_EQ(digest({server_.url("/c.tar"), "--build-arg", "SOURCE_DATE_EPOCH=context"}), expected);
  EXPECT_EQ(digest({"ctx", "--build-arg", "SOURCE_DATE_EPOCH=n", "--build-context", "n=" + server_.url("/c.tar")}),
            expected);
}

TEST_F(ContextsTest, NeitherUmaskNorClockGetIntoTheImage) {
  write("ctx/Dockerfile", "FROM scratch\nCOPY sub /sub\nCOPY --from=file / /file/\n");
  const auto archive = run_process({"tar", "-C", path("ctx"), "-c", "Dockerfile", "sub/b"}).out;
  served_ = "plain";
  const std::vector<std::string> arguments = {"-",        "--preserve-modes", "--timestamps",
                                              "preserve", "--build-context",  "file=" + server_.url("/f")};
  const auto expected = digest(arguments, archive);
  std::this_thread::sleep_for(std::chrono::seconds(1));  // what times of files are rounded to
  const auto before = ::umask(077);
  const auto again = digest(arguments, archive);
  ::umask(before);
  EXPECT_EQ(again, expected);
}

TEST_F(ContextsTest, TheDockerfileInAnArchive) {
  const auto archive = tar({});
  EXPECT_EQ(digest({"-", "-f", "sub/Other"}, archive), digest({"ctx", "-f", "ctx/sub/Other"}));
  EXPECT_EQ(digest({"-", "-f", path("ctx/sub/Other")}, archive), digest({"ctx", "-f", "ctx/sub/Other"}));
  expect_failure({"-", "-f", "none"}, 2, "Dockerfile not found at none in the archive on standard input", archive);
  fs::rename(directory_.path() / "ctx/Dockerfile", directory_.path() / "ctx/dockerfile");
  EXPECT_EQ(digest({"-"}, tar({})), digest({"ctx"}));
}

TEST_F(ContextsTest, IgnoreFiles) {
  write("ctx/Dockerfile", "FROM scratch\nCOPY skipped /\n");
  expect_failure({"ctx"}, 2, "skipped is excluded by .dockerignore");
  expect_failure({"-"}, 2, "skipped is excluded by .dockerignore", tar({}));
  expect_failure({"ctx", "-f", "-"}, 2, "skipped is excluded by .dockerignore", read_file(path("ctx/Dockerfile")));
  write("ctx/Dockerfile.dockerignore", "a\nDockerfile\n.dockerignore\n");
  digest({"ctx"});
  digest({"-"}, tar({}));
  write("elsewhere/My", "FROM scratch\nCOPY skipped /\n");
  expect_failure({"ctx", "-f", "elsewhere/My"}, 2, "skipped is excluded");
  write("elsewhere/My.dockerignore", "\n");
  digest({"ctx", "-f", "elsewhere/My"});
}

TEST_F(ContextsTest, SymlinksInAContextFromElsewhereStayInside) {
  write("ctx/real", "FROM scratch\nCOPY a /\n");
  fs::remove(directory_.path() / "ctx/Dockerfile");
  fs::create_symlink("real", directory_.path() / "ctx/Dockerfile");
  digest({"-"}, tar({}));
  write("outside", "FROM scratch\n");
  fs::remove(directory_.path() / "ctx/Dockerfile");
  fs::create_symlink(path("outside"), directory_.path() / "ctx/Dockerfile");
  expect_failure({"-"}, 2, "Dockerfile not found", tar({}));
}

TEST_F(ContextsTest, NamedContexts) {
  write("main/Dockerfile", "FROM scratch\nCOPY --from=other f /\n");
  write("other/f", "x");
  write("other/skipped", "y");
  write("other/.dockerignore", "skipped\n");
  GitServer git;
  git.create("o");
  git.commit("o", {{"f", "x"}, {"d/f", "x"}});
  const auto expected = digest({"main", "--build-context", "other=other"});
  EXPECT_EQ(digest({"main", "--build-context", "other=" + git.url("o")}), expected);
  EXPECT_EQ(digest({"main", "--build-context", "other=" + git.url("o") + "#main:d"}), expected);
  served_ = run_process({"tar", "-C", path("other"), "-cz", "."}).out;
  EXPECT_EQ(digest({"main", "--build-context", "other=" + server_.url("/o.tgz")}), expected);
  write("main/Dockerfile", "FROM scratch\nCOPY --from=other skipped /\n");
  expect_failure({"main", "--build-context", "other=other"}, 2, "skipped");
  write("main/Dockerfile", "FROM scratch\nCOPY --from=other context /\n");
  served_ = "plain";
  digest({"main", "--build-context", "other=" + server_.url("/f")});
}

TEST_F(ContextsTest, TheIgnoreFileOfAFetchedContextStaysInside) {
  write("main/Dockerfile", "FROM scratch\nCOPY --from=other f /\n");
  write("secret", "f\n!\n");  // a bad pattern: reading it would fail, and show it
  write("other/f", "x");
  const auto expected = digest({"main", "--build-context", "other=other"});
  fs::create_symlink(path("secret"), directory_.path() / "other/.dockerignore");
  served_ = run_process({"tar", "-C", path("other"), "-c", "."}).out;
  EXPECT_EQ(digest({"main", "--build-context", "other=" + server_.url("/o.tar")}), expected);
  expect_failure({"main", "--build-context", "other=other"}, 2, ".dockerignore");  // a link of the user's own
}

TEST_F(ContextsTest, ImagesAsNamedContexts) {
  write("base/Dockerfile", "FROM scratch\nENV FROM_BASE=1\n");
  const auto base = digest({"base"});
  fs::rename(directory_.path() / "out", directory_.path() / "layout");
  write("main/Dockerfile", "FROM python:3.12\nENV A=1\n");
  const auto layout = "oci-layout://" + path("layout");
  const auto expected = digest({"main", "--build-context", "python:3.12=" + layout});
  EXPECT_EQ(digest({"main", "--build-context", "docker.io/library/python:3.12=" + layout + "@" + base}), expected);
  expect_failure({"main", "--build-context", "python:3.12=" + layout + ":none"}, 2, "none");
  write("main/Dockerfile", "FROM scratch AS one\nENV X=1\nFROM one\nENV A=1\n");
  digest({"main", "--build-context", "one=" + layout});
  digest({"main", "--build-context", "one=docker-image://scratch"});
}

TEST_F(ContextsTest, Failures) {
  expect_failure({"none"}, 2, "context none does not exist");
  expect_failure({"ctx/a"}, 2, "context ctx/a is not a directory");
  expect_failure({"-"}, 2, "standard input is empty");
  expect_failure({"ctx", "-f", "-"}, 2, "standard input is empty");
  expect_failure({"-"}, 2, "neither a tar archive nor a Dockerfile", std::string("PK\x03\x04\0\0", 6));
  expect_failure({"-"}, 1, "not a valid tar", tar({"-z"}).substr(0, 100));
  expect_failure({"-", "-f", "-"}, 2, "can't both come from standard input");
  expect_failure({server_.url("/missing")}, 5, "status 404");
  expect_failure({"http://127.0.0.1:1/x.tar"}, 5, "Connection refused");
  expect_failure({"http://127.0.0.1:1/x.git"}, 5, "Failed to connect");
  expect_failure({"ctx", "--build-context", "a=" + server_.url("/missing")}, 5, "--build-context a: ");
}

TEST_F(ContextsTest, PasswordsOfURLsAreNotPrinted) {
  served_ = run_process({"tar", "-C", path("ctx"), "-c", "a"}).out;
  const auto host = server_.host_port();
  const auto url = "http://user:TOPSECRET@" + host + "/c.tar?token=TOPSECRET";
  const auto shown = "http://...@" + host + "/c.tar";
  for (const auto& [arguments, expected] : std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{url}, "Dockerfile not found at Dockerfile in " + shown},
           {{url, "-f", "x"}, "Dockerfile not found at x in " + shown},
           {{"ftp://user:TOPSECRET@host/c.tar"}, "context ftp://...@host/c.tar does not exist"},
           {{"ctx", "-f", "ftp://user:TOPSECRET@host/D"}, "Dockerfile not found at ftp://...@host/D"},
           {{"ctx", "--build-context", url}, "--build-context " + shown},
           {{"ctx", "--build-context", "UP..:per=" + url}, "--build-context UP..:per=" + shown},
           {{"ctx", "--build-context", "n=ftp://user:TOPSECRET@host/c.tar"}, "ftp://...@host/c.tar is of a kind"}}) {
    const auto result = build(arguments);
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_THAT(result.err, ::testing::AllOf(HasSubstr(expected), ::testing::Not(HasSubstr("TOPSECRET"))));
  }
  served_ = "FROM scratch\n";
  const auto result = build({url, "-f", "x"});
  EXPECT_THAT(result.err, ::testing::AllOf(HasSubstr("ambiguous Dockerfile: the context " + shown),
                                           ::testing::Not(HasSubstr("TOPSECRET"))));
}

TEST_F(ContextsTest, CtrlCDuringADownloadLeavesNothing) {
  std::jthread killer([&] {
    while (server_.count("GET", "/slow") == 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    ::kill(static_cast<pid_t>(std::stol(read_file(path("pid")))), SIGINT);
  });
  ProcessOptions options;
  options.cwd = directory_.path();
  options.extra_env = {"TEKTII_CACHE_DIR=" + path("cache")};
  const auto result = run_process(
      {"sh", "-c", "echo $$ > pid; exec \"$0\" build --progress plain \"$1\"", TEKTII_BINARY, server_.url("/slow")},
      options);
  EXPECT_EQ(result.exit_code, 130) << result.err;
  expect_nothing_left();
}

}  // namespace
}  // namespace tektii
