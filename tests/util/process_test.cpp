#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/process.hpp>

#include <gmock/gmock.h>

#include <signal.h>
#include <sys/wait.h>

#include <cerrno>
#include <chrono>
#include <thread>

namespace tektii {
namespace {

using namespace std::chrono_literals;

TEST(Process, CollectsOutputAndExitCode) {
  const auto result = run_process({"sh", "-c", "echo out; echo err >&2; exit 3"});
  EXPECT_EQ(result.out, "out\n");
  EXPECT_EQ(result.err, "err\n");
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_FALSE(result.timed_out);
  EXPECT_FALSE(result.not_found);
}

TEST(Process, FeedsLargeInputWhileReadingOutput) {
  ProcessOptions options;
  options.stdin_text = std::string(600000, 'x');
  EXPECT_EQ(run_process({"cat"}, options).out, options.stdin_text);
}

TEST(Process, SurvivesAProgramThatIgnoresItsInput) {
  ProcessOptions options;
  options.stdin_text = std::string(1000000, 'x');
  EXPECT_EQ(run_process({"true"}, options).exit_code, 0);
}

TEST(Process, MissingProgramIsAValue) {
  const auto result = run_process({"tektii-no-such-program"});
  EXPECT_TRUE(result.not_found);
  EXPECT_EQ(result.exit_code, 127);
}

TEST(Process, UsesDirectoryAndEnvironment) {
  const TempDir dir;
  ProcessOptions options;
  options.cwd = dir.path();
  options.extra_env = {"TEKTII_TEST_VALUE=a b", "HOME=/changed"};
  const auto result =
      run_process({"sh", "-c", "pwd -P; echo \"$TEKTII_TEST_VALUE $HOME\"; env | grep -c ^HOME="}, options);
  EXPECT_EQ(result.out, std::filesystem::canonical(dir.path()).string() + "\na b /changed\n1\n");
  options.cwd = dir.path() / "missing";
  EXPECT_THROW(run_process({"true"}, options), Error);
}

TEST(Process, TimeoutKillsTheWholeGroup) {
  ProcessOptions options;
  options.timeout = 200ms;
  const auto start = std::chrono::steady_clock::now();
  const auto result = run_process({"sh", "-c", "sleep 60 & echo $!; wait"}, options);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 20s);
  EXPECT_TRUE(result.timed_out);
  EXPECT_EQ(result.exit_code, 128 + SIGKILL);
  const auto grandchild = static_cast<pid_t>(std::stol(result.out));
  // It is init's to reap now; a zombie still answers signal 0.
  bool gone = false;
  for (int i = 0; i < 500 && !gone; ++i) {
    const auto stat = run_process({"sh", "-c", "cat /proc/" + std::to_string(grandchild) + "/stat"}).out;
    gone = stat.empty() || stat.find(") Z ") != std::string::npos;
    if (!gone) std::this_thread::sleep_for(10ms);
  }
  EXPECT_TRUE(gone);
}

TEST(Process, DoesNotWaitForADaemonThatKeepsThePipes) {
  const auto start = std::chrono::steady_clock::now();
  const auto result = run_process({"sh", "-c", "sleep 8 & echo started; exit 0"});
  EXPECT_LT(std::chrono::steady_clock::now() - start, 6s);
  EXPECT_EQ(result.out, "started\n");
  EXPECT_FALSE(result.timed_out);
}

TEST(Process, SignalIsReportedLikeAShellDoes) {
  EXPECT_EQ(run_process({"sh", "-c", "kill -TERM $$"}).exit_code, 128 + SIGTERM);
}

TEST(Process, TooMuchOutputIsAnErrorAndLeavesNoChild) {
  ProcessOptions options;
  options.output_limit = 1000;
  try {
    run_process({"sh", "-c", "while :; do echo xxxxxxxxxxxxxxxxxxxxxxxx; done"}, options);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "run sh: more output than the allowed 1000 bytes");
  }
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

TEST(Process, AStopAsksTheProgramToEnd) {
  const TempDir dir;
  std::stop_source source;
  ProcessOptions options;
  options.stop = source.get_token();
  options.timeout = 60s;
  options.cwd = dir.path();
  std::jthread stopper([&] {
    while (!std::filesystem::exists(dir.path() / "ready")) std::this_thread::sleep_for(5ms);
    source.request_stop();
  });
  try {
    run_process({"sh", "-c", "trap 'rm ready; exit 1' TERM; : > ready; while :; do sleep 0.02; done"}, options);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::interrupted);
    EXPECT_STREQ(error.what(), "interrupted");
  }
  EXPECT_FALSE(std::filesystem::exists(dir.path() / "ready"));
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
}

TEST(Process, LeavesVariablesOut) {
  ::setenv("TEKTII_TEST_SECRET", "x", 1);
  ProcessOptions options;
  options.leave_out = [](std::string_view name) { return name.starts_with("TEKTII_TEST_"); };
  options.extra_env = {"TEKTII_TEST_OTHER=y"};
  EXPECT_EQ(run_process({"sh", "-c", "env | grep ^TEKTII_TEST_"}, options).out, "TEKTII_TEST_OTHER=y\n");
  ::unsetenv("TEKTII_TEST_SECRET");
}

}  // namespace
}  // namespace tektii
