#include "lint_cases.hpp"
#include <tektii/dockerfile/lint.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace tektii::dockerfile {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAreArray;

std::optional<BaseImageFacts> stub_image(const std::string& name) {
  BaseImageFacts facts;
  facts.env = {"PATH=/bin"};
  if (name == "unreachable") return std::nullopt;
  if (name == "with-env") facts.env = {"PATH=/bin", "FOO=bar", "APP_HOME=/app"};
  if (name == "with-shell") facts.has_shell = true;
  if (name == "with-onbuild") facts.on_build = {"ENV A=$UNKNOWN", "WORKDIR rel", "CMD run it"};
  if (name == "arm-image") {
    facts.platform = "linux/arm64";
    facts.expected_platform = "linux/amd64";
  }
  return facts;
}

LintReport run_lint(const LintCase& test) {
  LintFacts facts;
  facts.build_args = test.build_args;
  facts.target = test.target;
  facts.all_stages = test.target.empty();
  facts.platform_args = {{"TARGETPLATFORM", "linux/amd64"},
                         {"TARGETOS", "linux"},
                         {"TARGETARCH", "amd64"},
                         {"TARGETVARIANT", ""},
                         {"TARGETOSVERSION", ""},
                         {"BUILDPLATFORM", "linux/amd64"},
                         {"BUILDOS", "linux"},
                         {"BUILDARCH", "amd64"},
                         {"BUILDVARIANT", ""},
                         {"BUILDOSVERSION", ""}};
  facts.base_image = [](const FromImage& from) { return stub_image(from.image); };
  if (!test.excluded.empty()) {
    facts.is_excluded = [&test](const std::string& path) {
      return std::any_of(test.excluded.begin(), test.excluded.end(), [&](const std::string& pattern) {
        return path == pattern || path.starts_with(pattern + "/");
      });
    };
  }
  return lint(parse_dockerfile(test.dockerfile, "Dockerfile"), facts);
}

std::vector<std::string> lines_of(const LintReport& report) {
  std::vector<std::string> lines;
  for (const LintWarning& warning : report.warnings) {
    lines.push_back(fmt::format("{} {}: {}", warning.lines.first, info_of(warning.rule).name, warning.message));
  }
  return lines;
}

std::vector<LintCase> all_cases() {
  std::vector<LintCase> all;
  for (const auto& cases : {lint_structure_cases(), lint_from_cases(), lint_stage_cases(), lint_option_cases()}) {
    all.insert(all.end(), cases.begin(), cases.end());
  }
  return all;
}

class LintTableTest : public ::testing::TestWithParam<LintCase> {};

TEST_P(LintTableTest, FindsWhatItShould) {
  const LintReport report = run_lint(GetParam());
  EXPECT_THAT(lines_of(report), UnorderedElementsAreArray(GetParam().warnings)) << GetParam().dockerfile;
  EXPECT_EQ(report.problem ? report.problem->message() : "", GetParam().problem);
  EXPECT_TRUE(std::is_sorted(report.warnings.begin(), report.warnings.end(),
                             [](const auto& a, const auto& b) { return a.lines.first < b.lines.first; }));
}

INSTANTIATE_TEST_SUITE_P(Cases, LintTableTest, ::testing::ValuesIn(all_cases()),
                         [](const auto& test) { return test.param.name; });

TEST(LintTest, EveryRuleIsFoundBySeveralCases) {
  std::map<std::string, int> found;
  for (const LintCase& test : all_cases()) {
    for (const LintRuleInfo& rule : lint_rules()) {
      const auto names_rule = [&](const std::string& line) {
        return line.find(" " + std::string(rule.name) + ": ") != std::string::npos;
      };
      if (std::any_of(test.warnings.begin(), test.warnings.end(), names_rule)) ++found[std::string(rule.name)];
    }
  }
  EXPECT_EQ(lint_rules().size(), 22U);
  for (const LintRuleInfo& rule : lint_rules()) EXPECT_GE(found[std::string(rule.name)], 4) << rule.name;
}

TEST(LintTest, SpanPointsAtTheWord) {
  const LintReport report = run_lint({"", "FROM scratch\nLABEL a=1 \\\n  b=${NOPE}\n", {}});
  ASSERT_EQ(report.warnings.size(), 1U);
  const LintWarning& warning = report.warnings.front();
  EXPECT_EQ(warning.lines.first, 2);
  EXPECT_EQ(warning.lines.last, 3);
  EXPECT_EQ(warning.span.first_line, 3);
  EXPECT_EQ(warning.span.column, 5);
  EXPECT_EQ(warning.span.text, "  b=${NOPE}");
}

TEST(LintTest, UnknownBasesAreNamedOnce) {
  const LintReport report = run_lint({"", "FROM unreachable AS a\nFROM unreachable\n", {}});
  EXPECT_THAT(report.unknown_bases, ElementsAre("unreachable"));
}

TEST(LintTest, NotesUnknownRules) {
  const LintReport report = run_lint({"", "# check=skip=StageNameCasin\nFROM scratch\n", {}});
  ASSERT_EQ(report.notes.size(), 1U);
  EXPECT_EQ(report.notes.front().message, "there is no check StageNameCasin (did you mean StageNameCasing?)");
  EXPECT_EQ(report.notes.front().span.first_line, 1);
}

TEST(LintTest, NotesAnotherFrontend) {
  const LintReport report = run_lint({"", "# syntax=example.com/frontend:2\nFROM scratch\n", {}});
  ASSERT_EQ(report.notes.size(), 1U);
  EXPECT_THAT(report.notes.front().message, HasSubstr("the frontend example.com/frontend:2"));
  EXPECT_EQ(report.notes.front().span.first_line, 1);
  EXPECT_THAT(run_lint({"", "# syntax=docker/dockerfile:1\nFROM scratch\n", {}}).notes, IsEmpty());
}

TEST(LintTest, NotesOptionsBehindABlank) {
  const LintReport report = run_lint({"", "# check=skip=StageNameCasing, FromAsCasing\nFROM scratch\n", {}});
  ASSERT_EQ(report.notes.size(), 1U);
  EXPECT_EQ(report.notes.front().message, "check options end at the first blank: \"FromAsCasing\" is ignored");
}

TEST(LintTest, NotesCommentsThatAreIgnored) {
  const LintReport malformed = run_lint({"", "FROM scratch\n# check=skpi=all\nUSER 1\n", {}});
  ASSERT_EQ(malformed.notes.size(), 1U);
  EXPECT_THAT(malformed.notes.front().message, HasSubstr("invalid check option \"skpi\""));
  EXPECT_EQ(malformed.notes.front().span.first_line, 3);
  const LintReport error = run_lint({"", "FROM scratch\n# check=error=true\nUSER 1\n", {}});
  ASSERT_EQ(error.notes.size(), 1U);
  EXPECT_FALSE(error.warnings_are_errors);
  const LintReport words = run_lint({"", "FROM scratch\n# check=skip=all for a reason\nUSER 1\n", {}});
  EXPECT_THAT(words.notes, IsEmpty());
}

TEST(LintTest, ErrorsNameTheRules) {
  const std::string file = "FROM scratch AS Base\nMAINTAINER a\nMAINTAINER b\n";
  EXPECT_EQ(violation_message(run_lint({"", file, {}})), "");
  EXPECT_EQ(violation_message(run_lint({"", "# check=error=true\n" + file, {}})),
            "lint violation found for rules: StageNameCasing, MaintainerDeprecated");
  EXPECT_EQ(violation_message(run_lint({"", "# check=error=true\nFROM scratch\n", {}})), "");
  EXPECT_EQ(violation_message(run_lint({"", "# check=error=true\n" + file, {}, {{"BUILDKIT_DOCKERFILE_CHECK", ""}}})),
            "");
}

struct OptionsCase {
  std::string text;
  std::string error;  // empty: fine
};

TEST(CheckOptionsTest, Errors) {
  const OptionsCase cases[] = {
      {"", ""},
      {" skip=all ", ""},
      {"skip=A,B;error=1;experimental=all", ""},
      {"skip= A , B ", ""},
      {"error=T", ""},
      {"skip=", ""},
      {"skip", "invalid check option \"skip\""},
      {"skip=A;", "invalid check option \"\""},
      {"skp=A", "invalid check option \"skp\""},
      {"error=yes", "failed to parse check option \"error=yes\": \"yes\" is no boolean"},
      {"error=true;skip=A;experimental=B;error=false", ""},
      {"skip=A;error=true;error=false;skip=B",
       "failed to parse check option \"error=false;skip=B\": \"false;skip=B\" is no boolean"},
  };
  for (const OptionsCase& test : cases) {
    std::string error;
    try {
      parse_check_options(test.text);
    } catch (const Error& caught) {
      error = caught.message();
    }
    EXPECT_EQ(error, test.error) << test.text;
  }
}

TEST(CheckOptionsTest, MalformedDirectiveNamesItsLine) {
  try {
    run_lint({"", "# syntax=docker/dockerfile:1\n# check=skip=all;errr=true\nFROM scratch\n", {}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    ASSERT_TRUE(error.span());
    EXPECT_EQ(error.span()->first_line, 2);
  }
}

}  // namespace
}  // namespace tektii::dockerfile
