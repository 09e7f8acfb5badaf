#include "dockerfile/lint/image_name.hpp"
#include "dockerfile/lint/suggest.hpp"
#include "lint_cases.hpp"
#include <tektii/dockerfile/lint.hpp>
#include <tektii/dockerfile/outline.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tektii::dockerfile {
namespace {

TEST(ImageNameTest, Valid) {
  for (const char* name : {"a", "alpine:3", "library/a", "reg.io/a/b:V-1.x_", "reg.io:5000/a", "localhost/a",
                           "localhost:5000/a:b", "[::1]:5000/a", "127.0.0.1/a", "a__b/c--d/e.f", "User/a", "a_b.c/d",
                           "a@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                           "a:1@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}) {
    EXPECT_TRUE(is_image_name(name)) << name;
  }
}

TEST(ImageNameTest, Invalid) {
  for (const char* name : {"",
                           ":",
                           "a:",
                           "A",
                           "a/B",
                           "/a",
                           "a/",
                           "a//b",
                           "a..b",
                           "a___b",
                           "-a",
                           "a-",
                           "a:.b",
                           "a:b/c",
                           "reg.io:x/a",
                           "[::1/a",
                           "a@",
                           "a@sha256:aa",
                           "a@md5:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                           "a b",
                           "a@sha256:Aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                           "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}) {
    EXPECT_FALSE(is_image_name(name)) << name;
  }
  EXPECT_FALSE(is_image_name("a:" + std::string(129, 'b')));
  EXPECT_FALSE(is_image_name(std::string(300, 'a')));
}

struct PlatformCase {
  std::string text;
  std::string expected;  // "os arch"; empty: none
};

TEST(PlatformNameTest, Table) {
  const PlatformCase cases[] = {
      {"linux/amd64", "linux amd64"},
      {"Linux/X86_64", "linux amd64"},
      {"linux", "linux amd64"},
      {"aarch64", "linux arm64"},
      {"armhf", "linux arm"},
      {"linux/arm/v7", "linux arm"},
      {"macos/arm64", "darwin arm64"},
      {"windows(10.0)/amd64", "windows amd64"},
      {"linux/whatever", "linux whatever"},
      {"", ""},
      {"linus", ""},
      {"linux/", ""},
      {"a/b/c/d", ""},
      {"arm(10.0)", ""},
      {"linux/*", ""},
      {"windows(1/amd64", ""},
  };
  for (const PlatformCase& test : cases) {
    const auto platform = parse_platform_name(test.text);
    EXPECT_EQ(platform ? platform->os + " " + platform->architecture : "", test.expected) << test.text;
  }
}

TEST(SuggestTest, ClosestOfFewerThanThreeEdits) {
  const std::vector<std::string> names = {"VERSION", "", "COLOUR", "COLORS", "X"};
  EXPECT_EQ(suggest_name("VERSOIN", names), "VERSION");
  EXPECT_EQ(suggest_name("COLOR", names), "COLOUR");  // the first of two
  EXPECT_EQ(suggest_name("COL", names), "");
  EXPECT_EQ(suggest_name("version", names), "");
  EXPECT_EQ(suggest_name("VERSION", names), "");  // it is there
  EXPECT_EQ(suggest_name("YY", names), "X");
  EXPECT_EQ(suggest_name("COL\xC3\x96R", names), "COLOUR");
  EXPECT_EQ(suggest_name("A", {}), "");
}

// Every case with one byte left out or replaced: whatever that makes of it, only an Error may come out.
TEST(LintTest, SurvivesMutations) {
  LintFacts facts;
  facts.all_stages = true;
  facts.is_excluded = [](const std::string& path) { return path.size() % 2 == 0; };
  int linted = 0;
  for (const auto& cases : {lint_structure_cases(), lint_from_cases(), lint_stage_cases(), lint_option_cases()}) {
    for (const LintCase& test : cases) {
      for (std::size_t i = 0; i < test.dockerfile.size(); i += 7) {
        for (const std::string& instead : {std::string(), std::string("$"), std::string("\xFF"), std::string("\n")}) {
          std::string text = test.dockerfile;
          text.replace(i, 1, instead);
          try {
            const Dockerfile file = parse_dockerfile(text, "Dockerfile");
            lint(file, facts);
            list_targets(file);
            outline(file, {});
            ++linted;
          } catch (const Error&) {
          }
        }
      }
    }
  }
  EXPECT_GT(linted, 2000);
}

}  // namespace
}  // namespace tektii::dockerfile
