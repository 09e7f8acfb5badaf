#include "cli/exit_code.hpp"
#include "cli/render_error.hpp"
#include "cli/scenario_view.hpp"
#include "cli/table.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace tektii::cli {
namespace {

std::string rendered(const Error& error, bool colour = false) {
  std::ostringstream out;
  std::ostringstream err;
  return render_error(error, Terminal(out, err, {false, colour, colour, 80}));
}

SourceSpan span(std::string text, int column, int length, int line = 7) {
  return {"Dockerfile", line, line, column, length, std::move(text)};
}

TEST(RenderError, MessageContextAndHints) {
  Error error(ErrorKind::denied, "denied");
  error.add_context("push 127.0.0.1:5000/a:1").add_hint("log in").add_hint("or ask");
  EXPECT_EQ(rendered(error), "Error: push 127.0.0.1:5000/a:1: denied\nhint: log in\nhint: or ask\n");
}

TEST(RenderError, TheCaretStandsUnderTheWord) {
  Error error(ErrorKind::usage, "unknown instruction RUNN");
  error.set_span(span("  RUNN pip install .", 3, 4)).add_hint("did you mean RUN?");
  EXPECT_EQ(rendered(error),
            "Error: unknown instruction RUNN\n"
            "  --> Dockerfile:7:3\n"
            "    |\n"
            "  7 |   RUNN pip install .\n"
            "    |   ^^^^\n"
            "hint: did you mean RUN?\n");
}

TEST(RenderError, TabsAndWideCharactersKeepTheCaretInPlace) {
  Error error(ErrorKind::usage, "bad");
  error.set_span(span("\t日本 X", 9, 1, 1234));
  EXPECT_EQ(rendered(error),
            "Error: bad\n"
            "   --> Dockerfile:1234:9\n"
            "     |\n"
            "1234 |     日本 X\n"
            "     |          ^\n");
}

TEST(RenderError, AWholeLineHasNoCaret) {
  Error error(ErrorKind::run_failed, "failed");
  error.set_span(span("RUN false", 0, 0));
  EXPECT_EQ(rendered(error), "Error: failed\n  --> Dockerfile:7\n    |\n  7 | RUN false\n");
}

TEST(RenderError, APlaceWithoutALine) {
  Error error(ErrorKind::failure, "empty");
  error.set_span(span("", 0, 0, 0));
  EXPECT_EQ(rendered(error), "Error: empty\n  --> Dockerfile\n");
}

TEST(RenderError, ACaretBeyondTheLineStandsAtItsEnd) {
  Error error(ErrorKind::usage, "unexpected end");
  error.set_span(span("ENV", 9, 5));
  EXPECT_EQ(rendered(error), "Error: unexpected end\n  --> Dockerfile:7:9\n    |\n  7 | ENV\n    |    ^\n");
}

TEST(RenderError, ControlCharactersAreEscapedEverywhere) {
  Error error(ErrorKind::failure, "server says \x1b[2J");
  error.set_span(span("a\x07 b", 4, 1)).add_hint("x\x1b]0;y");
  const std::string text = rendered(error);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(text.find('\x07'), std::string::npos);
}

TEST(RenderError, ColourOnlyWhereThereIsSome) {
  Error error(ErrorKind::failure, "x");
  error.add_hint("y");
  EXPECT_EQ(rendered(error, true), "\x1b[1;31mError:\x1b[0m x\n\x1b[36mhint:\x1b[0m y\n");
}

TEST(ExitCode, FollowsTheTable) {
  EXPECT_EQ(exit_code_of(ErrorKind::failure), 1);
  EXPECT_EQ(exit_code_of(ErrorKind::usage), 2);
  EXPECT_EQ(exit_code_of(ErrorKind::run_failed), 3);
  EXPECT_EQ(exit_code_of(ErrorKind::denied), 4);
  EXPECT_EQ(exit_code_of(ErrorKind::network), 5);
  EXPECT_EQ(exit_code_of(ErrorKind::platform_mismatch), 6);
  EXPECT_EQ(exit_code_of(ErrorKind::immutable_tag), 7);
  EXPECT_EQ(exit_code_of(ErrorKind::not_found), 8);
  EXPECT_EQ(exit_code_of(ErrorKind::rate_limited), 9);
  EXPECT_EQ(exit_code_of(ErrorKind::content), 10);
  EXPECT_EQ(exit_code_of(ErrorKind::interrupted), 130);
}

TEST(Table, ShortRowsAreFilledUp) {
  EXPECT_EQ(render_table({"A", "Bé"}, {{"1"}, {"22", "x\ny"}}),
            "┌────┬────────┐\n"
            "│ A  │ Bé     │\n"
            "├────┼────────┤\n"
            "│ 1  │        │\n"
            "│ 22 │ x\\x0ay │\n"
            "└────┴────────┘\n");
}

TEST(Table, ShortTime) {
  EXPECT_EQ(short_time("2024-01-15T10:30:59Z"), "2024-01-15 10:30");
  EXPECT_EQ(short_time("2024-01-15T10:30:59.123-01:00"), "2024-01-15 11:30");
  EXPECT_EQ(short_time("yesterday"), "yesterday");
  EXPECT_EQ(short_time(""), "");
}

TEST(Table, WordsOfCamelCase) {
  EXPECT_EQ(words_of_camel_case("totalReturn"), "Total Return");
  EXPECT_EQ(words_of_camel_case("x"), "X");
  EXPECT_EQ(words_of_camel_case(""), "");
}

TEST(ScenarioView, Metrics) {
  EXPECT_EQ(format_metric({"totalReturn", -3.456}), "-3.46%");
  EXPECT_EQ(format_metric({"winRatePct", 50}), "50.00%");
  EXPECT_EQ(format_metric({"totalTrades", 1200}), "1200");
  EXPECT_EQ(format_metric({"sharpeRatio", 1.005}), "1.00");
}

}  // namespace
}  // namespace tektii::cli
