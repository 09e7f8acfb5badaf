// Stages side by side: what runs at once, what a failure does to the others, and what threads share.
#include "builder/build_fixture.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <thread>

namespace tektii::builder {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// Counts the commands that run at one time.
class Meeting {
 public:
  // Waits until `count` commands are in at once, or for some seconds.
  void join(int count) {
    std::unique_lock lock(mutex_);
    most_ = std::max(most_, ++inside_);
    changed_.notify_all();
    changed_.wait_for(lock, 10s, [&] { return most_ >= count; });
    --inside_;
  }
  int most() const {
    const std::lock_guard lock(mutex_);
    return most_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  int inside_ = 0;
  int most_ = 0;
};

// `count` stages that do not need each other, and one that copies from them all.
std::string wide_dockerfile(int count) {
  std::string text = "FROM scratch AS base\nCOPY shared /shared\n";
  std::string copies;
  for (int i = 0; i < count; ++i) {
    text += "FROM base AS s" + std::to_string(i) + "\nRUN made" + std::to_string(i) + "\n";
    copies += "COPY --from=s" + std::to_string(i) + " /made" + std::to_string(i) + " /shared/* /all/\n";
  }
  return text + "FROM scratch\n" + copies;
}

exec::ExitStatus make_file(const exec::Rootfs& rootfs, const exec::RunSpec& spec) {
  write_file_atomic(rootfs.upper_dir / spec.argv.back(), spec.argv.back());
  return {};
}

TEST_F(RunTest, IndependentStagesRunAtOnce) {
  Meeting meeting;
  write("shared/f", "x");
  request_.jobs = 4;
  executor_.command = [&](const auto& rootfs, const auto& spec, auto&) {
    meeting.join(4);
    return make_file(rootfs, spec);
  };
  const auto tree = tree_of(build(wide_dockerfile(4)));
  EXPECT_EQ(meeting.most(), 4);
  for (const char* path : {"all/made0", "all/made3", "all/f"}) EXPECT_NE(tree.find(path), nullptr) << path;
}

TEST_F(RunTest, OneJobIsOneStageAtATimeInOrder) {
  Meeting meeting;
  write("shared/f", "x");
  request_.jobs = 1;
  executor_.command = [&](const auto& rootfs, const auto& spec, auto&) {
    meeting.join(1);
    return make_file(rootfs, spec);
  };
  build(wide_dockerfile(3));
  EXPECT_EQ(meeting.most(), 1);
  std::vector<std::string> ran;
  for (const auto& spec : executor_.specs) ran.push_back(spec.argv.back());
  EXPECT_THAT(ran, ElementsAre("made0", "made1", "made2"));
}

TEST_F(RunTest, ResultDoesNotDependOnTheNumberOfJobs) {
  write("shared/f", "x");
  executor_.command = [](const auto& rootfs, const auto& spec, auto&) { return make_file(rootfs, spec); };
  request_.no_cache = true;
  request_.jobs = 1;
  const auto one = build(wide_dockerfile(12)).image.manifest.digest;
  request_.jobs = 8;
  EXPECT_EQ(build(wide_dockerfile(12)).image.manifest.digest, one);
}

TEST_F(RunTest, FailureEndsTheOtherStagesAndIsTheOneReported) {
  std::atomic<int> waiting{0};
  request_.jobs = 3;
  executor_.interruptible = [&](const exec::RunSpec& spec, const std::stop_token& stop) -> exec::ExitStatus {
    if (spec.argv.back() == "fail") {
      while (waiting < 2) std::this_thread::sleep_for(1ms);
      return {7, 0};
    }
    ++waiting;
    for (int i = 0; i < 10000 && !stop.stop_requested(); ++i) std::this_thread::sleep_for(1ms);
    throw_if_stopped(stop);
    return {};
  };
  const auto error = build_error(
      "FROM scratch AS a\nRUN wait-a\nFROM scratch AS b\nRUN fail\nFROM scratch AS c\nRUN wait-c\nFROM scratch\n"
      "COPY --from=a /x /\nCOPY --from=b /x /\nCOPY --from=c /x /\n");
  EXPECT_EQ(error.kind(), ErrorKind::run_failed);
  EXPECT_THAT(error.what(), HasSubstr("exit code 7"));
  EXPECT_EQ(error.span()->first_line, 4);
  EXPECT_EQ(progress_.outcomes.at("[a 1/1] RUN wait-a"), StepOutcome::canceled);
  EXPECT_EQ(progress_.outcomes.at("[b 1/1] RUN fail"), StepOutcome::failed);
  EXPECT_EQ(progress_.outcomes.at("[c 1/1] RUN wait-c"), StepOutcome::canceled);
  EXPECT_THAT(progress_.titles, Not(Contains(HasSubstr("COPY --from=a"))));
}

TEST_F(RunTest, StopOfTheCallerIsAnInterruption) {
  std::stop_source caller;
  request_.jobs = 2;
  executor_.interruptible = [&](const exec::RunSpec&, const std::stop_token& stop) -> exec::ExitStatus {
    caller.request_stop();
    throw_if_stopped(stop);
    return {};
  };
  request_.dockerfile_text = wide_dockerfile(2);
  write("shared/f", "x");
  try {
    build_image(request_, deps(), caller.get_token());
    ADD_FAILURE() << "the build went on";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::interrupted);
  }
  for (const auto& [title, outcome] : progress_.outcomes) EXPECT_NE(outcome, StepOutcome::failed) << title;
}

TEST_F(BuildTest, ImagesAreLookedUpAtOnceBeforeAnyStep) {
  images_.add("one", {}, store_, {{"a", "1"}});
  images_.add("two", {}, store_, {{"b", "2"}});
  write("f", "x");
  build("FROM scratch AS local\nCOPY f /f\nFROM one AS x\nCOPY f /g\nFROM two\nCOPY f /h\n");
  EXPECT_THAT(opened_, ElementsAre("two"));
  request_.target = "x";
  EXPECT_THAT(build_error("FROM gone AS x\nCOPY --from=local f /\n").what(), HasSubstr("no registry in this test"));
  EXPECT_THAT(progress_.titles, Not(Contains("[x 1/1] COPY --from=local f /")));
}

// Two stages with the same command on the same files, which gives another result each time.
constexpr const char* k_twins =
    "FROM scratch AS a\nRUN made\nFROM scratch AS b\nRUN made\nFROM scratch\nCOPY --from=a /made /a\n"
    "COPY --from=b /made /b\n";

TEST_F(RunTest, SameStepOfStagesSideBySideIsMadeOnce) {
  std::atomic<int> runs{0};
  request_.jobs = 2;
  executor_.command = [&](const auto& rootfs, const auto&, auto&) {
    const int run = ++runs;
    std::this_thread::sleep_for(200ms);
    write_file_atomic(rootfs.upper_dir / "made", std::to_string(run));
    return exec::ExitStatus{};
  };
  const auto first = build(k_twins).image.manifest.digest;
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(progress_.outcomes.at("[a 1/1] RUN made") == StepOutcome::done,
            progress_.outcomes.at("[b 1/1] RUN made") == StepOutcome::cached);
  EXPECT_EQ(build(k_twins).image.manifest.digest, first);
  EXPECT_EQ(runs, 1);
  request_.no_cache = true;
  EXPECT_NE(build(k_twins).image.manifest.digest, first);
  EXPECT_EQ(runs, 2);
}

TEST_F(RunTest, FailureOfASharedStepIsToldOnce) {
  std::atomic<int> runs{0};
  request_.jobs = 2;
  executor_.command = [&](const auto&, const auto&, auto&) {
    ++runs;
    std::this_thread::sleep_for(200ms);
    return exec::ExitStatus{7, 0};
  };
  EXPECT_EQ(build_error(k_twins).kind(), ErrorKind::run_failed);
  EXPECT_EQ(runs, 1);
  int failed = 0;
  for (const auto& [title, outcome] : progress_.outcomes) failed += outcome == StepOutcome::failed ? 1 : 0;
  EXPECT_EQ(failed, 1);
}

TEST_F(RunTest, StopWakesAStageThatWaitsForAnother) {
  std::stop_source caller;
  request_.jobs = 2;
  executor_.interruptible = [&](const exec::RunSpec&, const std::stop_token& stop) -> exec::ExitStatus {
    std::this_thread::sleep_for(200ms);
    caller.request_stop();
    throw_if_stopped(stop);
    return {};
  };
  request_.dockerfile_text = k_twins;
  EXPECT_THROW(build_image(request_, deps(), caller.get_token()), Error);
  EXPECT_EQ(executor_.specs.size(), 1U);
  for (const auto& [title, outcome] : progress_.outcomes) EXPECT_EQ(outcome, StepOutcome::canceled) << title;
}

struct Unknown {
  const char* dockerfile;
  int line;
  const char* hint;
};

class UnknownImageTest : public BuildTest, public ::testing::WithParamInterface<Unknown> {};

TEST_P(UnknownImageTest, IsShownWhereItIsNamed) {
  write("f", "x");
  const auto error = build_error(GetParam().dockerfile);
  EXPECT_THAT(error.what(), HasSubstr("no registry in this test"));
  ASSERT_TRUE(error.span());
  EXPECT_EQ(error.span()->first_line, GetParam().line);
  if (*GetParam().hint != '\0') {
    EXPECT_THAT(error.hints(), Contains(HasSubstr(GetParam().hint)));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, UnknownImageTest,
    ::testing::Values(Unknown{"FROM gone\n", 1, ""},
                      Unknown{"FROM scratch AS builder\nFROM bulider\n", 2, "the stage builder?"},
                      Unknown{"FROM later\nFROM scratch AS later\nFROM scratch\nCOPY --from=0 f /\n", 1, "comes later"},
                      Unknown{"FROM scratch\nCOPY --from=gone f /\n", 2, ""}));

struct Platform {
  const char* flag;
  const char* message;  // empty: accepted
};

class FromPlatformTest : public BuildTest, public ::testing::WithParamInterface<Platform> {};

TEST_P(FromPlatformTest, IsThatOfTheBuild) {
  const auto text = std::string("ARG P=linux/arm64\nARG EMPTY\nFROM --platform=") + GetParam().flag + " scratch\n";
  if (*GetParam().message == '\0') {
    EXPECT_NO_THROW(build(text));
    return;
  }
  const auto error = build_error(text);
  EXPECT_THAT(error.what(), HasSubstr(GetParam().message));
  EXPECT_EQ(error.span()->first_line, 3);
}

INSTANTIATE_TEST_SUITE_P(Table, FromPlatformTest,
                         ::testing::Values(Platform{"linux/amd64", ""}, Platform{"amd64", ""}, Platform{"linux", ""},
                                           Platform{"linux/amd64/v1", ""}, Platform{"$BUILDPLATFORM", ""},
                                           Platform{"${TARGETOS}/${TARGETARCH}", ""},
                                           Platform{"$P", "tektii builds linux/amd64 only"},
                                           Platform{"arm64", "tektii builds linux/amd64 only"},
                                           Platform{"$EMPTY", "empty platform value from expression $EMPTY"},
                                           Platform{"a/b/c/d", "platform"}));

TEST_F(BuildTest, TheLastStageOfANameCounts) {
  const std::string file = "FROM scratch AS a\nLABEL v=1\nFROM scratch AS A\nLABEL v=2\nFROM a\n";
  EXPECT_EQ(build(file).config.config.labels["v"], "2");
  request_.target = "a";
  EXPECT_EQ(build(file).config.config.labels["v"], "2");
}

}  // namespace
}  // namespace tektii::builder
