#include "api/fake_transport.hpp"
#include "cli/foreground_process.hpp"
#include "cli/git_sha.hpp"
#include "cli/signals.hpp"
#include "support/sanitizers.hpp"
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <sstream>
#include <stop_token>
#include <thread>

namespace tektii::cli {
namespace {

int run(const std::vector<std::string>& argv, const std::vector<std::string>& extra_env) {
  std::ostringstream out;
  std::ostringstream err;
  Terminal terminal(out, err, {});
  return run_in_foreground(argv, extra_env, terminal);
}

TEST(Foreground, ExitCodes) {
  EXPECT_EQ(run({"sh", "-c", "exit 7"}, {}), 7);
  EXPECT_EQ(run({"true"}, {}), 0);
  EXPECT_EQ(run({"sh", "-c", "kill -KILL $$"}, {}), 128 + SIGKILL);
  EXPECT_EQ(run({"no-such-program-anywhere"}, {}), 127);
}

TEST(Foreground, TheEnvironmentIsReplacedAndKept) {
  ::setenv("TEKTII_TEST_A", "old", 1);
  ::setenv("TEKTII_TEST_B", "kept", 1);
  EXPECT_EQ(run({"sh", "-c", "test \"$TEKTII_TEST_A$TEKTII_TEST_B\" = newkept"}, {"TEKTII_TEST_A=new"}), 0);
  EXPECT_EQ(run({"sh", "-c", "test $(env | grep -c ^TEKTII_TEST_A=) = 1"}, {"TEKTII_TEST_A=new"}), 0);
  ::unsetenv("TEKTII_TEST_A");
  ::unsetenv("TEKTII_TEST_B");
}

void expect_passed_on(int signal, const std::string& name) {
  if (k_thread_sanitizer) GTEST_SKIP() << "the handler runs late under ThreadSanitizer";
  const TempDir directory;
  const std::filesystem::path ready = directory.path() / "ready";
  std::jthread terminator([&] {
    while (!std::filesystem::exists(ready)) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    ::kill(::getpid(), signal);
  });
  const std::string script = "trap 'exit 9' " + name + "; : > " + ready.string() + "; while :; do sleep 0.02; done";
  EXPECT_EQ(run({"sh", "-c", script}, {}), 9);
}

TEST(Foreground, PassesSigtermOn) {
  expect_passed_on(SIGTERM, "TERM");
}

TEST(Foreground, PassesSighupOn) {
  ::signal(SIGHUP, SIG_DFL);  // the test itself may run under nohup
  expect_passed_on(SIGHUP, "HUP");
}

TEST(Foreground, ABrokenPipeEndsTheChildAsUsual) {
  const auto before = ::signal(SIGPIPE, SIG_IGN);  // as the server library leaves it
  EXPECT_EQ(run({"sh", "-c", "kill -PIPE $$; exit 5"}, {}), 128 + SIGPIPE);
  ::signal(SIGPIPE, before);
}

TEST(Foreground, AMissingCommandIsAnErrorOnTheTerminal) {
  std::ostringstream out;
  std::ostringstream err;
  Terminal terminal(out, err, {});
  EXPECT_EQ(run_in_foreground({"no-such-program-anywhere"}, {}, terminal), 127);
  EXPECT_EQ(err.str(), "Error: no-such-program-anywhere: command not found\n");
  err.str("");
  const TempDir directory;
  const std::string plain = (directory.path() / "plain").string();
  write_file_atomic(plain, "no program", 0644);
  EXPECT_EQ(run_in_foreground({plain}, {}, terminal), 126);
  EXPECT_EQ(err.str(), "Error: " + plain + ": can't be executed\n");
}

TEST(Foreground, SurvivesTheInterruptOfTheChild) {
  EXPECT_EQ(run({"sh", "-c", "kill -INT $PPID; sleep 0.05; exit 4"}, {}), 4);
}

TEST(Signals, TheFirstOneRequestsAStop) {
  const SignalScope scope;
  std::stop_token token = scope.token();
  EXPECT_FALSE(token.stop_requested());
  ::kill(::getpid(), SIGINT);
  for (int i = 0; i < 1000 && !token.stop_requested(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_TRUE(token.stop_requested());
}

TEST(Signals, TheSecondOneEndsTheProcess) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        const SignalScope scope;
        ::kill(::getpid(), SIGTERM);
        ::kill(::getpid(), SIGINT);
        ::sleep(20);
      },
      ::testing::ExitedWithCode(130), "");
}

TEST(Signals, AHangupRequestsAStop) {
  ::signal(SIGHUP, SIG_DFL);
  const SignalScope scope;
  std::stop_token token = scope.token();
  ::kill(::getpid(), SIGHUP);
  for (int i = 0; i < 1000 && !token.stop_requested(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_TRUE(token.stop_requested());
}

TEST(Signals, AHangupThatIsIgnoredStaysSo) {
  ::signal(SIGHUP, SIG_IGN);
  {
    const SignalScope scope;
    ::kill(::getpid(), SIGHUP);
    ::kill(::getpid(), SIGHUP);
    EXPECT_FALSE(scope.token().stop_requested());
  }
  EXPECT_EQ(::signal(SIGHUP, SIG_DFL), SIG_IGN);
}

TEST(Signals, ChildrenStartWithTheDefaults) {
  const SignalScope scope;
  survive_broken_pipes();
  EXPECT_EQ(run({"sh", "-c", "kill -PIPE $$; exit 0"}, {}), 128 + SIGPIPE);
  ::signal(SIGPIPE, SIG_DFL);
}

ProcessResult result_of(int exit_code, std::string out, std::string err = {}) {
  ProcessResult result;
  result.exit_code = exit_code;
  result.out = std::move(out);
  result.err = std::move(err);
  return result;
}

GitSha detect(const ProcessResult& result) {
  const test::FakeClock clock;
  return detect_git_sha(
      "/dir", [&](const auto&) { return result; }, clock);
}

TEST(GitSha, IsTheStartOfTheCommit) {
  const GitSha sha = detect(result_of(0, "0123456789abcdef0123456789abcdef01234567\n"));
  EXPECT_EQ(sha.text, "0123456");
  EXPECT_TRUE(sha.detected);
}

TEST(GitSha, FallsBackToTheTime) {
  ProcessResult missing;
  missing.not_found = true;
  const std::vector<ProcessResult> failures = {result_of(128, "", "fatal: not a git repository\n"), missing,
                                               result_of(0, "HEAD\n"), result_of(128, "0123456789abcdef")};
  for (const ProcessResult& failure : failures) {
    const GitSha sha = detect(failure);
    EXPECT_EQ(sha.text, "ts-1705314600");
    EXPECT_FALSE(sha.detected);
  }
  EXPECT_EQ(detect(failures[0]).reason, "fatal: not a git repository");
  EXPECT_EQ(detect(missing).reason, "git is not installed");
}

TEST(GitSha, AsksInTheContext) {
  const test::FakeClock clock;
  std::vector<std::string> seen;
  detect_git_sha(
      "/some/dir",
      [&](const std::vector<std::string>& argv) {
        seen = argv;
        return ProcessResult{};
      },
      clock);
  EXPECT_THAT(seen, ::testing::ElementsAre("git", "-c", "safe.directory=*", "-c", "core.fsmonitor=false", "-c",
                                           "protocol.allow=never", "-C", "/some/dir", "rev-parse", "--verify", "HEAD"));
}

TEST(GitSha, OfTheOption) {
  EXPECT_EQ(normalise_git_sha("abc1234"), "abc1234");
  EXPECT_EQ(normalise_git_sha(" ABC1234DEADBEEF "), "abc1234");
  EXPECT_EQ(normalise_git_sha("ts-1705314600"), "ts-1705314600");
  for (const char* text : {"", "abc123", "main", "abc123g", "ts-", "ts-x", "ts--5"}) {
    EXPECT_THROW(normalise_git_sha(text), Error) << text;
  }
}

}  // namespace
}  // namespace tektii::cli
