#include "api/fake_transport.hpp"
#include "cli/command_line.hpp"
#include "cli/commands/build.hpp"
#include <tektii/util/file.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <sstream>

namespace tektii::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class BuildCallTest : public ::testing::Test {
 protected:
  BuildCallTest() {
    ::setenv("TEKTII_CACHE_DIR", (directory_.path() / "store").c_str(), 1);
    ::unsetenv("SOURCE_DATE_EPOCH");
    make_directories(directory_.path() / "context");
  }
  ~BuildCallTest() override { ::unsetenv("TEKTII_CACHE_DIR"); }

  void write(const std::string& text, const std::string& name = "Dockerfile") {
    write_file_atomic(directory_.path() / "context" / name, text);
  }
  int run(std::vector<std::string> args) {
    out_.str("");
    err_.str("");
    Terminal terminal(out_, err_, {});
    CommandContext context(terminal, clock_, [] { return std::make_unique<test::FakeTransport>(); });
    args.push_back((directory_.path() / "context").string());
    return run_command_line(args, context, setup_build);
  }
  std::string out() const { return out_.str(); }
  std::string err() const { return err_.str(); }

 private:
  TempDir directory_;
  test::FakeClock clock_;
  std::ostringstream out_;
  std::ostringstream err_;
};

constexpr const char* k_two_warnings = "FROM scratch AS Base\nLABEL a=1 \\\n\tb=$NOPE\nENV KEEP=1\n";

TEST_F(BuildCallTest, CheckPrintsEachWarningWithItsLines) {
  write(k_two_warnings);
  EXPECT_EQ(run({"build", "--check"}), 1);
  EXPECT_EQ(out(),
            "Check complete, 2 warnings have been found!\n"
            "\n"
            "WARNING: StageNameCasing - Stage names should be lowercase\n"
            "Stage name 'Base' should be lowercase\n"
            "hint: Write the name behind AS in lower case; names are compared without case.\n"
            "Dockerfile:1\n"
            "--------------------\n"
            "   1 | >>> FROM scratch AS Base\n"
            "     |                     ^^^^\n"
            "   2 |     LABEL a=1 \\\n"
            "   3 |     \tb=$NOPE\n"
            "--------------------\n"
            "\n"
            "WARNING: UndefinedVar - Variables should be defined before their use\n"
            "Usage of undefined variable '$NOPE'\n"
            "hint: Define it with ARG or ENV in this stage; a dollar sign that is meant as such is written \\$.\n"
            "Dockerfile:2\n"
            "--------------------\n"
            "   1 |     FROM scratch AS Base\n"
            "   2 | >>> LABEL a=1 \\\n"
            "   3 | >>> \tb=$NOPE\n"
            "     |     \t  ^^^^^\n"
            "   4 |     ENV KEEP=1\n"
            "--------------------\n");
  EXPECT_THAT(err(), IsEmpty());
}

TEST_F(BuildCallTest, CheckOfAFileWithoutWarnings) {
  write("FROM scratch\n");
  EXPECT_EQ(run({"build", "--check"}), 0);
  EXPECT_EQ(out(), "Check complete, no warnings found.\n");
}

TEST_F(BuildCallTest, CheckAsJsonInEachSpelling) {
  write(k_two_warnings);
  EXPECT_EQ(run({"build", "--check", "--output", "json"}), 1);
  const std::string first = out();
  const auto json = nlohmann::json::parse(first);
  ASSERT_EQ(json.at("warnings").size(), 2U);
  const auto& warning = json.at("warnings")[1];
  EXPECT_EQ(warning.at("ruleName"), "UndefinedVar");
  EXPECT_EQ(warning.at("description"), "Variables should be defined before their use");
  EXPECT_EQ(warning.at("detail"), "Usage of undefined variable '$NOPE'");
  EXPECT_EQ(warning.at("location").at("ranges").dump(),
            R"([{"end":{"line":2},"start":{"line":2}},{"end":{"line":3},"start":{"line":3}}])");
  EXPECT_EQ(json.at("sources")[0].at("filename"), "Dockerfile");
  EXPECT_EQ(json.at("sources")[0].at("language"), "Dockerfile");
  EXPECT_FALSE(json.contains("buildError"));
  for (const auto& args : std::vector<std::vector<std::string>>{{"--output", "json", "build", "--check"},
                                                                {"build", "--call=check", "-o", "json"},
                                                                {"build", "--call=check,format=json"},
                                                                {"build", "--call", "lint,format=json"},
                                                                {"build", "--check", "-ojson"}}) {
    EXPECT_EQ(run(args), 1);
    EXPECT_EQ(out(), first);
  }
  EXPECT_EQ(run({"build", "--check", "--output", "table"}), 1);
  EXPECT_THAT(out(), HasSubstr("WARNING: "));
}

TEST_F(BuildCallTest, JsonWithoutWarnings) {
  write("FROM scratch\n");
  EXPECT_EQ(run({"build", "--check", "--output", "json"}), 0);
  EXPECT_EQ(nlohmann::json::parse(out()).at("warnings").dump(), "[]");
}

TEST_F(BuildCallTest, StatusCanBeIgnored) {
  write(k_two_warnings);
  EXPECT_EQ(run({"build", "--call=check,ignorestatus=true"}), 0);
  EXPECT_THAT(out(), HasSubstr("2 warnings"));
}

TEST_F(BuildCallTest, CheckTellsWhatWouldFailTheBuild) {
  write("FROM scratch AS Base\nFROM ${NOPE}\n");
  EXPECT_EQ(run({"build", "--check"}), 2);
  EXPECT_THAT(out(), HasSubstr("StageNameCasing"));
  EXPECT_THAT(err(), HasSubstr("base name (${NOPE}) should not be blank"));
  EXPECT_EQ(run({"build", "--check", "-o", "json"}), 2);
  const auto json = nlohmann::json::parse(out());
  EXPECT_EQ(json.at("buildError").at("message"), "base name (${NOPE}) should not be blank");
  EXPECT_EQ(json.at("buildError").at("location").at("ranges")[0].at("start").at("line"), 2);
}

TEST_F(BuildCallTest, CheckOfAFileThatIsNone) {
  write("FROM scratch\nRUNN x\n");
  EXPECT_EQ(run({"build", "--check"}), 2);
  EXPECT_THAT(out(), IsEmpty());
  EXPECT_THAT(err(), HasSubstr("unknown instruction: RUNN (did you mean RUN?)"));
  EXPECT_EQ(run({"build", "--check", "-o", "json"}), 2);
  const auto json = nlohmann::json::parse(out());
  EXPECT_EQ(json.at("buildError").at("message"), "unknown instruction: RUNN (did you mean RUN?)");
  EXPECT_EQ(json.at("buildError").at("location").at("ranges")[0].at("start").at("line"), 2);
}

TEST_F(BuildCallTest, CheckWithWarningsAsErrors) {
  write("# check=error=true\nFROM scratch AS Base\n");
  EXPECT_EQ(run({"build", "--check"}), 1);
  EXPECT_THAT(err(), HasSubstr("lint violation found for rules: StageNameCasing"));
  EXPECT_EQ(run({"build", "--check", "-o", "json"}), 1);
  EXPECT_EQ(nlohmann::json::parse(out()).at("buildError").at("message"),
            "lint violation found for rules: StageNameCasing");
}

TEST_F(BuildCallTest, CheckSaysWhichOptionsAndBasesItDidWithout) {
  write("# check=skip=NoSuchRule\nFROM 127.0.0.1:1/a\nLABEL a=$NOPE\n");
  EXPECT_EQ(run({"build", "--check"}), 0);
  EXPECT_THAT(err(), HasSubstr("Warning: checks that need the base image are left out: 127.0.0.1:1/a: "));
  EXPECT_THAT(err(), HasSubstr("Warning: Dockerfile:1: there is no check NoSuchRule"));
  EXPECT_EQ(run({"build", "--check", "-q"}), 0);
  EXPECT_THAT(err(), IsEmpty());
}

TEST_F(BuildCallTest, CheckReadsTheIgnoreFileAndArguments) {
  write("FROM scratch\nARG F=b\nCOPY $F /\n");
  write("a\n", ".dockerignore");
  EXPECT_EQ(run({"build", "--check"}), 0);
  EXPECT_EQ(run({"build", "--check", "--build-arg", "F=a"}), 1);
  EXPECT_THAT(out(), HasSubstr("Attempting to Copy file \"a\" that is excluded by .dockerignore"));
  EXPECT_EQ(run({"build", "--check", "--build-arg", "F=a", "--build-arg", "BUILDKIT_DOCKERFILE_CHECK=skip=all"}), 0);
}

TEST_F(BuildCallTest, Outline) {
  write(
      "# TAG is shipped\nARG TAG=1\n# app runs it\nFROM alpine:$TAG AS app\nRUN --mount=type=secret,id=tok,required "
      "--mount=type=ssh --mount=type=cache,target=/c true\n");
  EXPECT_EQ(run({"build", "--call=outline"}), 0);
  EXPECT_EQ(out(),
            "TARGET:        app\n"
            "DESCRIPTION:   runs it\n"
            "\n"
            "BUILD ARG   VALUE   DESCRIPTION\n"
            "TAG         1       is shipped\n"
            "\n"
            "SECRET   REQUIRED\n"
            "tok      true\n"
            "\n"
            "SSH       REQUIRED\n"
            "default\n"
            "\n"
            "CACHE\n"
            "/c\n"
            "\n");
  EXPECT_EQ(run({"build", "--call=outline,format=json"}), 0);
  const auto json = nlohmann::json::parse(out());
  EXPECT_EQ(json.at("name"), "app");
  EXPECT_EQ(json.at("description"), "runs it");
  EXPECT_EQ(json.at("args")[0].at("value"), "1");
  EXPECT_EQ(json.at("args")[0].at("location").at("ranges")[0].at("start").at("line"), 2);
  EXPECT_EQ(json.at("secrets")[0].at("required"), true);
  EXPECT_EQ(json.at("ssh")[0].at("name"), "default");
  EXPECT_EQ(json.at("cache")[0].at("ID"), "/c");
  EXPECT_EQ(json.at("sources").size(), 1U);
}

TEST_F(BuildCallTest, Targets) {
  write("# base builds it\nFROM alpine AS base\nFROM scratch AS app\n");
  EXPECT_EQ(run({"build", "--call", "targets"}), 0);
  EXPECT_EQ(out(),
            "TARGET          DESCRIPTION\n"
            "base            builds it\n"
            "app (default)\n");
  EXPECT_EQ(run({"build", "--call=targets", "--output=json"}), 0);
  const auto json = nlohmann::json::parse(out());
  EXPECT_EQ(json.at("targets")[0].at("base"), "alpine");
  EXPECT_FALSE(json.at("targets")[0].contains("default"));
  EXPECT_EQ(json.at("targets")[1].at("default"), true);
}

TEST_F(BuildCallTest, WrongCalls) {
  write("FROM scratch\n");
  struct Case {
    std::vector<std::string> args;
    std::string error;
  };
  const Case cases[] = {
      {{"--call=chek"}, "did you mean check?"},
      {{"--call=describe"}, "there are build, check, outline, targets"},
      {{"--call=check,format=jsn"}, "did you mean json?"},
      {{"--call=check,formt=json"}, "did you mean format?"},
      {{"--call=check,ignorestatus=maybe"}, "it must be true or false"},
      {{"--check", "--call=outline"}, "--check excludes --call"},
      {{"--check", "--push", "-t", "a"}, "--push has no meaning with --check: nothing is built"},
      {{"--check", "-o", "type=oci,dest=x"}, "--output type=oci,dest=x has no meaning with --check"},
      {{"--call=targets", "--iidfile", "x"}, "--iidfile has no meaning with --call targets"},
  };
  for (const Case& test : cases) {
    std::vector<std::string> args = {"build"};
    args.insert(args.end(), test.args.begin(), test.args.end());
    EXPECT_EQ(run(args), 2);
    EXPECT_THAT(err(), HasSubstr(test.error));
    EXPECT_THAT(out(), IsEmpty());
  }
}

TEST_F(BuildCallTest, BuildPrintsItsWarningsAtTheEnd) {
  write(k_two_warnings);
  EXPECT_EQ(run({"build", "--progress=plain"}), 0);
  EXPECT_THAT(out(), ::testing::StartsWith("sha256:"));
  EXPECT_THAT(err(), HasSubstr("\n 2 warnings found (use --check to expand):\n"
                               " - StageNameCasing: Stage name 'Base' should be lowercase (line 1)\n"
                               " - UndefinedVar: Usage of undefined variable '$NOPE' (line 2)\n"));
  EXPECT_EQ(run({"build", "--call=build", "-q"}), 0);
  EXPECT_THAT(err(), IsEmpty());
  write("FROM scratch\nMAINTAINER a\n");
  EXPECT_EQ(run({"build", "--progress=plain"}), 0);
  EXPECT_THAT(err(), HasSubstr(" 1 warning found (use --check to expand):\n"));
}

TEST_F(BuildCallTest, BuildFailsWhenWarningsAreErrors) {
  write("# check=error=true\nFROM scratch AS Base\nWORKDIR /a\n");
  EXPECT_EQ(run({"build", "--progress=plain"}), 2);
  EXPECT_THAT(out(), IsEmpty());
  EXPECT_THAT(err(), HasSubstr("lint violation found for rules: StageNameCasing"));
  EXPECT_THAT(err(), Not(HasSubstr("WORKDIR")));
  EXPECT_EQ(run({"build", "--build-arg", "BUILDKIT_DOCKERFILE_CHECK=error=false"}), 0);
}

TEST_F(BuildCallTest, MalformedCheckOptionsNameTheirLine) {
  write("# check=skp=all\nFROM scratch\n");
  EXPECT_EQ(run({"build", "--check"}), 2);
  EXPECT_THAT(err(), HasSubstr("invalid check option \"skp\""));
  EXPECT_THAT(err(), HasSubstr("Dockerfile:1"));
  EXPECT_EQ(run({"build"}), 2);
}

}  // namespace
}  // namespace tektii::cli
