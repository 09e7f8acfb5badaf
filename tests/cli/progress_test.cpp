#include "cli/progress/progress.hpp"

#include <tektii/util/error.hpp>
#include <tektii/util/fd.hpp>
#include <tektii/util/text.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <regex>

namespace tektii::cli {
namespace {

using builder::StepOutcome;
using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::Not;

// What a renderer wrote into a pipe.
class Written {
 public:
  Written() : pipe_(make_pipe()) {}
  int fd() const { return pipe_.write_end.get(); }
  std::string text() {
    pipe_.write_end.reset();
    FdSource source(std::move(pipe_.read_end), "pipe");
    return read_all(source);
  }

 private:
  Pipe pipe_;
};

TEST(Progress, ModesHaveTheirNames) {
  EXPECT_EQ(parse_progress_mode("auto"), ProgressMode::automatic);
  EXPECT_EQ(parse_progress_mode("rawjson"), ProgressMode::json);
  EXPECT_EQ(parse_progress_mode("quiet"), ProgressMode::quiet);
  EXPECT_THROW(parse_progress_mode("fancy"), Error);
}

TEST(Progress, LinesAreCutToTheWidthByColumns) {
  EXPECT_EQ(fit_line("short", 10), "short");
  EXPECT_EQ(fit_line("exactly 10", 10), "exactly 10");
  EXPECT_EQ(fit_line("more than ten", 10), "more than…");
  EXPECT_EQ(fit_line("日本語の文字列", 7), "日本語…");
  EXPECT_EQ(fit_line("two\nlines\tand \x1b[31mred", 40), "two lines and \\x1b[31mred");
}

TEST(PlainProgress, OneLinePerEvent) {
  Written written;
  const auto progress = make_plain_progress(written.fd());
  const int first = progress->step_started("[build 1/2] RUN a &&\n b");
  progress->step_output(first, "one\ntw");
  progress->step_output(first, "o\n10%\r20%\r100%\npartial");
  progress->step_finished(first, StepOutcome::done, milliseconds(1234));
  const int second = progress->step_started("[build 2/2] COPY . .");
  progress->step_finished(second, StepOutcome::cached, milliseconds(0));
  const auto text = std::regex_replace(written.text(), std::regex(R"( \d+\.\d{3} )"), " T ");
  EXPECT_EQ(text,
            "#1 [build 1/2] RUN a &&  b\n#1 T one\n#1 T two\n#1 T 100%\n#1 T partial\n#1 DONE 1.2s\n"
            "#2 [build 2/2] COPY . .\n#2 CACHED\n");
}

TEST(PlainProgress, ControlCharactersAreShownAndLongLinesBroken) {
  Written written;
  const auto progress = make_plain_progress(written.fd());
  const int step = progress->step_started("x");
  progress->step_output(step, "\x1b]0;title\x07\n" + std::string(20000, 'a'));
  progress->step_finished(step, StepOutcome::failed, milliseconds(0));
  const auto text = written.text();
  EXPECT_THAT(text, HasSubstr("\\x1b]0;title\\x07"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(text, Not(HasSubstr(std::string(8193, 'a'))));
  EXPECT_THAT(text, HasSubstr("#1 ERROR 0.0s"));
}

TEST(JsonProgress, EveryLineIsAnObject) {
  Written written;
  const auto progress = make_json_progress(written.fd());
  const int step = progress->step_started("RUN \"x\"");
  progress->step_output(step, "half of \xc3");
  progress->step_finished(step, StepOutcome::canceled, milliseconds(5));
  std::vector<nlohmann::json> events;
  for (const auto& line : split(written.text(), '\n')) {
    if (!line.empty()) events.push_back(nlohmann::json::parse(line));
  }
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[0]["title"], "RUN \"x\"");
  EXPECT_EQ(events[1]["text"], "half of \xef\xbf\xbd");
  EXPECT_EQ(events[2]["outcome"], "canceled");
  EXPECT_EQ(events[2]["milliseconds"], 5);
}

// A pseudo-terminal has a size, so that the live display is drawn as for a person.
TEST(TtyProgress, WhatIsPrintedAfterSettleIsNotDrawnOver) {
  const UniqueFd master(::posix_openpt(O_RDWR | O_NOCTTY));
  ASSERT_TRUE(master);
  ASSERT_EQ(::grantpt(master.get()), 0);
  ASSERT_EQ(::unlockpt(master.get()), 0);
  {
    const UniqueFd terminal(::open(::ptsname(master.get()), O_RDWR | O_NOCTTY));
    ASSERT_TRUE(terminal);
    const auto progress = make_tty_progress(terminal.get(), false);
    const int step = progress->step_started("[build 1/1] RUN x");
    progress->step_output(step, "line\n");
    progress->step_finished(step, StepOutcome::done, milliseconds(10));
    progress->settle();
    write_fully(terminal.get(), as_byte_span("sha256:abc\n"), "terminal");
    ASSERT_EQ(::fcntl(master.get(), F_SETFL, O_NONBLOCK), 0);
  }
  std::string text(65536, '\0');
  const auto count = ::read(master.get(), text.data(), text.size());
  ASSERT_GT(count, 0);
  text.resize(static_cast<std::size_t>(count));
  EXPECT_THAT(text, HasSubstr("✓ [build 1/1] RUN x"));
  const auto result = text.find("sha256:abc");
  ASSERT_NE(result, std::string::npos);
  EXPECT_EQ(text.find('\x1b', result), std::string::npos) << "something was drawn after the result";
}

}  // namespace
}  // namespace tektii::cli
