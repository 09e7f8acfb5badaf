#include "cli/progress/progress.hpp"

#include "cli/progress/build_times.hpp"
#include "cli/progress/transfer.hpp"
#include <tektii/builder/byte_meter.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/fd.hpp>
#include <tektii/util/text.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <regex>

namespace tektii::cli {
namespace {

using builder::Activity;
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
  const auto renderer = make_plain_progress(written.fd());
  const auto& progress = renderer.sink;
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
  const auto renderer = make_plain_progress(written.fd());
  const auto& progress = renderer.sink;
  const int step = progress->step_started("x");
  progress->step_output(step, "\x1b]0;title\x07\n" + std::string(20000, 'a'));
  progress->step_finished(step, StepOutcome::failed, milliseconds(0));
  const auto text = written.text();
  EXPECT_THAT(text, HasSubstr("\\x1b]0;title\\x07"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(text, Not(HasSubstr(std::string(8193, 'a'))));
  EXPECT_THAT(text, HasSubstr("#1 ERROR 0.0s"));
}

// A clock that stands still until it is moved.
class HandClock {
 public:
  ProgressClock clock() {
    return [this] { return now_; };
  }
  void pass(milliseconds time) { now_ += time; }

 private:
  std::chrono::steady_clock::time_point now_;
};

TEST(PlainProgress, ALongTransferTellsHowFarItIsAndWhatItCame) {
  Written written;
  HandClock hands;
  const auto renderer = make_plain_progress(written.fd(), 0, hands.clock());
  const auto& progress = renderer.sink;
  const int step = progress->step_started("push layer a");
  progress->step_progress(step, {Activity::upload, 0, 20'000'000});
  for (std::uint64_t second = 1; second <= 10; ++second) {
    hands.pass(milliseconds(1000));
    progress->step_progress(step, {Activity::upload, second * 2'000'000, 20'000'000});
  }
  progress->step_finished(step, StepOutcome::done, milliseconds(10000));
  EXPECT_EQ(written.text(),
            "#1 push layer a\n#1 pushing 10.0 MB of 20.0 MB, 2.0 MB/s\n#1 pushing 20.0 MB of 20.0 MB, 2.0 MB/s\n"
            "#1 pushed 20.0 MB in 10.0s, 2.0 MB/s\n#1 DONE 10.0s\n");
}

TEST(PlainProgress, WhatIsDoneWithFilesOfOurOwnIsToldWhenItTookLong) {
  Written written;
  HandClock hands;
  const auto renderer = make_plain_progress(written.fd(), 0, hands.clock());
  const auto& progress = renderer.sink;
  const int step = progress->step_started("COPY a /a");
  progress->step_progress(step, {Activity::read_files, 0, 0});
  hands.pass(milliseconds(500));
  progress->step_progress(step, {Activity::read_files, 1'000'000, 0});
  progress->step_progress(step, {Activity::look_in_cache, 0, 0});
  progress->step_progress(step, {Activity::write_layer, 0, 0});
  hands.pass(milliseconds(2000));
  progress->step_progress(step, {Activity::write_layer, 1'000'000, 0});
  progress->step_finished(step, StepOutcome::done, milliseconds(2500));
  EXPECT_EQ(written.text(), "#1 COPY a /a\n#1 wrote 1.0 MB in 2.0s, 500.0 kB/s\n#1 DONE 2.5s\n");
}

TEST(Transfer, TheShortTextIsTheLongestThatFits) {
  const std::chrono::steady_clock::time_point begin;
  Transfer transfer(Activity::write_layer, begin);
  transfer.update({Activity::write_layer, 0, 0}, begin);
  EXPECT_EQ(transfer.short_text(begin, 20), "writing");
  const auto later = begin + milliseconds(1000);
  transfer.update({Activity::write_layer, 2'000'000, 4'000'000}, later);
  EXPECT_EQ(transfer.short_text(later, 40), "writing 2.0 MB of 4.0 MB  2.0 MB/s");
  EXPECT_EQ(transfer.short_text(later, 30), "writing 2.0 MB of 4.0 MB");
  EXPECT_EQ(transfer.short_text(later, 10), "2.0 MB");
  EXPECT_EQ(transfer.short_text(later, 3), "");
  transfer.update({Activity::write_layer, 500'000, 4'000'000}, later);
  EXPECT_EQ(transfer.short_text(later, 40), "writing 500.0 kB of 4.0 MB") << "it began anew: no rate yet";
}

TEST(BuildTimes, TheTableFitsATerminal) {
  HandClock hands;
  const auto quiet = make_quiet_progress();
  BuildTimes times(*quiet.sink, hands.clock());
  const int first = times.step_started("[build 1/2] COPY a file with a name that is much too long for a table /a");
  times.step_progress(first, {Activity::read_files, 0, 0});
  hands.pass(milliseconds(100));
  times.step_progress(first, {Activity::read_files, 123'456'789, 0});
  times.step_progress(first, {Activity::look_in_cache, 0, 0});
  times.step_progress(first, {Activity::write_layer, 0, 0});
  const int upload = times.step_started("push layer x");
  times.step_progress(upload, {Activity::upload, 0, 900'000'000});
  const int other = times.step_started("push layer y");
  times.step_progress(other, {Activity::upload, 0, 900'000'000});
  hands.pass(milliseconds(2000));
  for (const int step : {upload, other}) {
    times.step_progress(step, {Activity::upload, 900'000'000, 900'000'000});
    times.step_finished(step, StepOutcome::done, milliseconds(2000));
  }
  times.step_progress(first, {Activity::write_layer, 50'000'000, 0});
  times.step_finished(first, StepOutcome::done, milliseconds(2100));
  const int second = times.step_started("[build 2/2] RUN x");
  times.step_progress(second, {Activity::look_in_cache, 0, 0});
  times.step_finished(second, StepOutcome::cached, milliseconds(0));
  const auto table = times.table();
  for (const auto& line : split(table, '\n')) EXPECT_LE(display_width(line), 80U) << line;
  EXPECT_THAT(table, HasSubstr("│ read files                           │ 100ms  │ 123.5 MB │ 1.2 GB/s   │"));
  EXPECT_THAT(table, HasSubstr("│ push                                 │ 2.0s   │ 1.8 GB   │ 900.0 MB/s │"))
      << "side by side counts once";
  EXPECT_THAT(table, HasSubstr("│ [build 2/2] RUN x                    │ cached │"));
  EXPECT_THAT(table, HasSubstr("│ all in all                           │ 2.1s   │"));
  EXPECT_THAT(table, HasSubstr("Cache: 1 of 2 steps were cached"));
}

TEST(ByteMeter, TellsSeldomAndAtTheEnd) {
  struct Sink : builder::ProgressSink {
    int step_started(std::string_view) override { return 1; }
    void step_output(int, std::string_view) override {}
    void step_progress(int, const builder::StepProgress& progress) override {
      ++told;
      last = progress;
    }
    void step_finished(int, StepOutcome, milliseconds) override {}
    int told = 0;
    builder::StepProgress last;
  } sink;
  const auto began = std::chrono::steady_clock::now();
  {
    builder::ByteMeter meter(sink, 1, Activity::download, 7000);
    for (int i = 0; i < 1000; ++i) meter.add(7);
  }
  const auto intervals = (std::chrono::steady_clock::now() - began) / milliseconds(100);
  EXPECT_LE(sink.told, 2 + intervals);
  EXPECT_EQ(sink.last.done, 7000U);
  EXPECT_EQ(sink.last.total, 7000U);
  EXPECT_EQ(sink.last.activity, Activity::download);
}

TEST(JsonProgress, EveryLineIsAnObject) {
  Written written;
  const auto renderer = make_json_progress(written.fd());
  const auto& progress = renderer.sink;
  const int step = progress->step_started("RUN \"x\"");
  progress->step_progress(step, {Activity::download, 3, 10});
  progress->step_output(step, "half of \xc3");
  progress->step_finished(step, StepOutcome::canceled, milliseconds(5));
  std::vector<nlohmann::json> events;
  for (const auto& line : split(written.text(), '\n')) {
    if (!line.empty()) events.push_back(nlohmann::json::parse(line));
  }
  ASSERT_EQ(events.size(), 4U);
  EXPECT_EQ(events[0]["title"], "RUN \"x\"");
  EXPECT_EQ(events[1].dump(), R"({"activity":"download","bytes":3,"event":"progress","step":1,"total":10})");
  EXPECT_EQ(events[2]["text"], "half of \xef\xbf\xbd");
  EXPECT_EQ(events[3]["outcome"], "canceled");
  EXPECT_EQ(events[3]["milliseconds"], 5);
}

// A pseudo-terminal has a size, so that the live display is drawn as for a person.
UniqueFd open_pseudo_terminal() {
  UniqueFd master(::posix_openpt(O_RDWR | O_NOCTTY));
  if (!master || ::grantpt(master.get()) != 0 || ::unlockpt(master.get()) != 0) throw_errno("pseudo-terminal");
  return master;
}

// All that was written, once nobody has the other end open any more.
std::string read_to_end(const UniqueFd& master) {
  std::string text;
  std::array<char, 4096> buffer{};
  for (ssize_t count = 0; (count = ::read(master.get(), buffer.data(), buffer.size())) > 0;) {
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
  return text;
}

TEST(TtyProgress, ALineHasItsBytesAndFitsTheTerminal) {
  for (const std::size_t columns : {80U, 40U, 20U}) {
    SCOPED_TRACE(columns);
    const auto master = open_pseudo_terminal();
    const winsize size{24, static_cast<unsigned short>(columns), 0, 0};
    ASSERT_EQ(::ioctl(master.get(), TIOCSWINSZ, &size), 0);
    {
      const UniqueFd terminal(::open(::ptsname(master.get()), O_RDWR | O_NOCTTY));
      ASSERT_TRUE(terminal);
      const auto renderer = make_tty_progress(terminal.get(), false);
      const int step = renderer.sink->step_started("push layer 0123456789ab (900.0 MB)");
      renderer.sink->step_progress(step, {Activity::upload, 123'456'789, 900'000'000});
      renderer.settle();
    }
    const auto text = read_to_end(master);
    EXPECT_EQ(text.find("123.5 MB of 900.0 MB") != std::string::npos, columns == 80) << text;
    EXPECT_EQ(text.find("123.5 MB") != std::string::npos, columns >= 40) << text;
    for (const auto& line : split(text, '\n')) {
      const auto visible = std::regex_replace(line, std::regex("\x1b\\[[0-9]*[A-Z]|\r"), "");
      EXPECT_LE(display_width(visible), columns) << visible;
    }
  }
}

TEST(TtyProgress, WhatIsPrintedAfterSettleIsNotDrawnOver) {
  const auto master = open_pseudo_terminal();
  {
    const UniqueFd terminal(::open(::ptsname(master.get()), O_RDWR | O_NOCTTY));
    ASSERT_TRUE(terminal);
    const auto renderer = make_tty_progress(terminal.get(), false);
    const auto& progress = renderer.sink;
    const int step = progress->step_started("[build 1/1] RUN x");
    progress->step_output(step, "line\n");
    progress->step_finished(step, StepOutcome::done, milliseconds(10));
    renderer.settle();
    write_fully(terminal.get(), as_byte_span("sha256:abc\n"), "terminal");
  }
  const auto text = read_to_end(master);
  EXPECT_THAT(text, HasSubstr("✓ [build 1/1] RUN x"));
  const auto result = text.find("sha256:abc");
  ASSERT_NE(result, std::string::npos);
  EXPECT_EQ(text.find('\x1b', result), std::string::npos) << "something was drawn after the result";
}

}  // namespace
}  // namespace tektii::cli
