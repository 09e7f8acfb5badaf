#include "ns_fixture.hpp"
#include <tektii/util/error.hpp>

#include <gmock/gmock.h>

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

namespace tektii::exec {
namespace {

using testing::HasSubstr;
using SteadyClock = std::chrono::steady_clock;

class RunTest : public NsTest {};

TEST_F(RunTest, ReportsExitCodesAndSignals) {
  EXPECT_TRUE(run("exit 0").status.success());
  new_upper();
  EXPECT_EQ(run("exit 42").status.exit_code, 42);
  new_upper();
  const ExitStatus killed = run("kill -9 $$").status;
  EXPECT_EQ(killed.exit_code, 128 + SIGKILL);
  EXPECT_EQ(killed.signal, SIGKILL);
}

TEST_F(RunTest, KeepsTheStreamsApart) {
  const RunResult result = run("echo out; echo err >&2; echo out2");
  EXPECT_EQ(result.out, "out\nout2\n");
  EXPECT_EQ(result.err, "err\n");
}

TEST_F(RunTest, PassesEnvironmentDirectoryAndArguments) {
  RunSpec spec = shell("pwd; env; echo \"[$1][$0]\"");
  spec.argv.insert(spec.argv.end(), {"name", "an arg\nwith \xFF bytes"});
  spec.env = {"PATH=/bin", "A=b c", "BYTES=\xFE"};
  spec.working_dir = "/tmp";
  const RunResult result = run(spec);
  EXPECT_THAT(result.out, HasSubstr("/tmp\n"));
  EXPECT_THAT(result.out, HasSubstr("\nA=b c\n"));
  EXPECT_THAT(result.out, HasSubstr("BYTES=\xFE\n"));
  EXPECT_THAT(result.out, HasSubstr("[an arg\nwith \xFF bytes][name]\n"));
  EXPECT_THAT(result.out, testing::Not(HasSubstr("HOME=")));
}

TEST_F(RunTest, RunsAsTheUserOfTheSpec) {
  RunSpec spec = shell("id -u; id -g; id -G; umask; cat /proc/self/status; touch /etc/x");
  spec.uid = 1000;
  spec.gid = 1001;
  spec.supplementary_groups = {5, 27};
  const RunResult result = run(spec);
  EXPECT_THAT(result.out, testing::StartsWith("1000\n1001\n1001 5 27\n0022\n"));
  EXPECT_THAT(result.out, HasSubstr("CapEff:\t0000000000000000"));
  EXPECT_THAT(result.out, HasSubstr("CapBnd:\t00000000a80425fb"));
  EXPECT_THAT(result.out, HasSubstr("NoNewPrivs:\t0"));
  EXPECT_NE(result.status.exit_code, 0);
  EXPECT_THAT(result.err, HasSubstr("Permission denied"));
}

TEST_F(RunTest, AnyUserCanOpenTheStandardStreams) {
  RunSpec spec = shell("echo out >/dev/stdout; echo err >/dev/stderr; cat /dev/stdin");
  spec.uid = 1000;
  spec.gid = 1000;
  const RunResult result = run(spec);
  EXPECT_TRUE(result.status.success());
  EXPECT_EQ(result.out, "out\n");
  EXPECT_EQ(result.err, "err\n");
}

TEST_F(RunTest, RootHasDockersCapabilities) {
  const RunResult result = run("id -u; cat /proc/self/status");
  EXPECT_THAT(result.out, testing::StartsWith("0\n"));
  for (const char* line : {"CapInh:\t0000000000000000", "CapPrm:\t00000000a80425fb", "CapEff:\t00000000a80425fb",
                           "CapBnd:\t00000000a80425fb", "CapAmb:\t0000000000000000", "SigBlk:\t0000000000000000"}) {
    EXPECT_THAT(result.out, HasSubstr(line));
  }
  new_upper();
  EXPECT_NE(run("mount -t tmpfs none /tmp").status.exit_code, 0);
}

TEST_F(RunTest, ShellWithoutAShellIsAClearFailure) {
  rootfs_.lower_dirs.clear();
  const RunResult result = run("echo hi");
  EXPECT_EQ(result.status.exit_code, 127);
  EXPECT_EQ(result.err, "exec /bin/sh: no such file or directory\n");
  EXPECT_THAT(changes(), testing::IsEmpty());
}

TEST_F(RunTest, LooksProgramsUpInThePathOfTheSpec) {
  RunSpec spec;
  spec.argv = {"id", "-u"};
  spec.env = {"PATH=/nowhere:/bin"};
  EXPECT_EQ(run(spec).out, "0\n");
  new_upper();
  spec.env = {"PATH=/nowhere"};
  const RunResult missing = run(spec);
  EXPECT_EQ(missing.status.exit_code, 127);
  EXPECT_EQ(missing.err, "exec id: no such file or directory\n");
  new_upper();
  spec.env.clear();
  EXPECT_EQ(run(spec).out, "0\n");
  new_upper();
  spec.argv = {"/etc/passwd"};
  const RunResult forbidden = run(spec);
  EXPECT_EQ(forbidden.status.exit_code, 126);
  EXPECT_EQ(forbidden.err, "exec /etc/passwd: permission denied\n");
}

TEST_F(RunTest, SaysWhenOnlyTheInterpreterIsMissing) {
  const auto layer = new_layer("script");
  write_file_atomic(layer / "run.sh", "#!/no/such/interpreter\n", 0755);
  rootfs_.lower_dirs.insert(rootfs_.lower_dirs.begin(), layer);
  RunSpec spec;
  spec.argv = {"/run.sh"};
  const RunResult result = run(spec);
  EXPECT_EQ(result.status.exit_code, 127);
  EXPECT_THAT(result.err, HasSubstr("interpreter or dynamic loader is not"));
}

TEST_F(RunTest, NamesAWorkingDirectoryThatCannotBe) {
  RunSpec spec = shell("true");
  spec.working_dir = "/etc/keep/here";
  try {
    run(spec);
    FAIL() << "the run went on in another directory";
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "can't make the working directory: /etc/keep/here: Not a directory");
  }
}

TEST_F(RunTest, NamesTheStepThatFailed) {
  rootfs_.lower_dirs.push_back(temp_.path() / "missing-layer");
  try {
    run("true");
    FAIL() << "a missing layer was accepted";
  } catch (const Error& error) {
    EXPECT_THAT(error.message(), HasSubstr("can't open a layer directory"));
    EXPECT_THAT(error.message(), HasSubstr("missing-layer: No such file or directory"));
  }
}

TEST_F(RunTest, LosesNoOutput) {
  // 200 MB, on both streams at once.
  RunSpec spec = shell("head -c 100000000 /dev/zero & head -c 100000000 /dev/zero >&2; wait");
  class Counter : public OutputSink {
   public:
    void write(OutputStream stream, std::string_view bytes) override {
      (stream == OutputStream::standard_output ? out : err) += bytes.size();
    }
    std::size_t out = 0;
    std::size_t err = 0;
  } counter;
  EXPECT_TRUE(executor_->run(rootfs_, spec, counter, {}).success());
  EXPECT_EQ(counter.out, 100000000U);
  EXPECT_EQ(counter.err, 100000000U);
}

TEST_F(RunTest, BackgroundProcessesEndWithTheCommand) {
  const auto start = SteadyClock::now();
  const RunResult result = run("sleep 1000 & (sleep 1000; echo late) & echo started");
  EXPECT_EQ(result.out, "started\n");
  EXPECT_LT(SteadyClock::now() - start, std::chrono::seconds(10));
}

TEST_F(RunTest, StopEndsASleepingCommand) {
  std::stop_source stop;
  CollectingSink sink;
  SteadyClock::time_point stopped;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    stopped = SteadyClock::now();
    stop.request_stop();
  });
  try {
    executor_->run(rootfs_, shell("echo before; sleep 1000"), sink, stop.get_token());
    FAIL() << "the run was not interrupted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::interrupted);
  }
  // Well below the 2 seconds after which it would have been killed; on an idle machine it takes milliseconds.
  EXPECT_LT(SteadyClock::now() - stopped, std::chrono::milliseconds(1500));
  EXPECT_EQ(sink.out, "before\n");
}

TEST_F(RunTest, StopKillsACommandThatIgnoresTheSignal) {
  std::stop_source stop;
  CollectingSink sink;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    stop.request_stop();
  });
  const auto start = SteadyClock::now();
  EXPECT_THROW(executor_->run(rootfs_, shell("trap '' TERM; while :; do sleep 1000; done"), sink, stop.get_token()),
               Error);
  EXPECT_LT(SteadyClock::now() - start, std::chrono::seconds(8));
}

TEST_F(RunTest, StopBeforeTheStartRunsNothing) {
  std::stop_source stop;
  stop.request_stop();
  CollectingSink sink;
  EXPECT_THROW(executor_->run(rootfs_, shell("touch /ran"), sink, stop.get_token()), Error);
  EXPECT_THAT(changes(), testing::IsEmpty());
}

TEST_F(RunTest, AFailingSinkEndsTheRun) {
  class FailingSink : public OutputSink {
   public:
    void write(OutputStream, std::string_view) override { throw Error(ErrorKind::failure, "sink is full"); }
  } sink;
  EXPECT_THROW(executor_->run(rootfs_, shell("echo x; sleep 1000"), sink, {}), Error);
}

// Whether a process of this machine has been started with this argument.
bool is_running(const std::string& argument) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::ifstream file(entry.path() / "cmdline");
    const std::string line((std::istreambuf_iterator<char>(file)), {});
    if (line == std::string("sleep") + '\0' + argument + '\0') return true;
  }
  return false;
}

bool wait_until_running(const std::string& argument, bool expected) {
  for (int i = 0; i < 100 && is_running(argument) != expected; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return is_running(argument) == expected;
}

TEST_F(RunTest, NothingSurvivesTheDeathOfTheProduct) {
  const std::string argument = "86400." + std::to_string(::getpid());
  const pid_t product = ::fork();
  ASSERT_GE(product, 0);
  if (product == 0) {
    CollectingSink sink;
    executor_->run(rootfs_, shell("sleep " + argument), sink, {});
    ::_exit(0);
  }
  const bool started = wait_until_running(argument, true);
  ::kill(product, SIGKILL);
  ASSERT_EQ(::waitpid(product, nullptr, 0), product);
  EXPECT_TRUE(started);
  EXPECT_TRUE(wait_until_running(argument, false));
  // Nobody is left to empty it; the next start of the product removes it with its store.
  std::filesystem::remove_all(rootfs_.work_dir);
  std::filesystem::create_directory(rootfs_.work_dir);
}

TEST_F(RunTest, SeveralRunsAtOnce) {
  const auto other_upper = new_layer("other-upper");
  const auto other_work = new_layer("other-work");
  const Rootfs other{rootfs_.lower_dirs, other_upper, other_work};
  CollectingSink sink;
  std::jthread thread([&] { executor_->run(other, shell("sleep 1; echo other; touch /other"), sink, {}); });
  EXPECT_EQ(run("sleep 1; echo this; touch /this").out, "this\n");
  thread.join();
  EXPECT_EQ(sink.out, "other\n");
  EXPECT_TRUE(std::filesystem::exists(other_upper / "other"));
  EXPECT_FALSE(std::filesystem::exists(upper() / "other"));
}

}  // namespace
}  // namespace tektii::exec
