#include "build_fixture.hpp"
#include <tektii/builder/lint.hpp>
#include <tektii/oci/image.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace tektii::builder {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// An image without layers.
class StubImage : public oci::ImageSource {
 public:
  explicit StubImage(oci::SealedImage sealed) : sealed_(std::move(sealed)) {}
  oci::ResolvedImage resolve(const oci::Platform& platform, std::stop_token) override {
    return oci::make_resolved_image("base", sealed_.manifest, sealed_.manifest_bytes, sealed_.config_bytes, platform,
                                    std::nullopt);
  }
  void fetch(const oci::Descriptor&, ByteSink&, std::stop_token) override {}

 private:
  oci::SealedImage sealed_;
};

class LintBuildTest : public BuildTest {
 protected:
  oci::ImageOpener opener() {
    return [this](const std::string& name) -> std::unique_ptr<oci::ImageSource> {
      opened_.push_back(name);
      if (name == "missing") throw Error(ErrorKind::network, "no registry in this test");
      oci::ImageConfig config;
      config.config.env = {"PATH=/bin", "FOO=bar"};
      if (name == "shell") config.config.shell = {"/bin/bash", "-c"};
      if (name == "arm") config.platform.architecture = "arm64";
      return std::make_unique<StubImage>(oci::seal_image(config, {}, {}));
    };
  }

  DockerfileCheck check(const std::string& dockerfile) {
    request_.dockerfile_text = dockerfile;
    return check_dockerfile(request_, opener(), {});
  }

  static std::vector<std::string> lines_of(const std::vector<dockerfile::LintWarning>& warnings) {
    std::vector<std::string> lines;
    for (const auto& warning : warnings) {
      lines.push_back(fmt::format("{} {}", warning.lines.first, dockerfile::info_of(warning.rule).name));
    }
    return lines;
  }
};

TEST_F(LintBuildTest, BuildReturnsItsWarnings) {
  const auto result = build("FROM scratch AS Base\nMAINTAINER me\nLABEL a=$NOPE\n");
  EXPECT_THAT(lines_of(result.lint_warnings),
              ElementsAre("1 StageNameCasing", "2 MaintainerDeprecated", "3 UndefinedVar"));
  EXPECT_THAT(result.warnings, IsEmpty());
}

TEST_F(LintBuildTest, BuildLooksAtWhatItReaches) {
  const auto result = build("FROM scratch AS a\nLABEL a=$NOPE\nFROM scratch\nLABEL b=$NOPE\n");
  EXPECT_THAT(lines_of(result.lint_warnings), ElementsAre("4 UndefinedVar"));
}

TEST_F(LintBuildTest, NotesBecomeWarnings) {
  const auto result = build("# check=skip=StageNameCase\nFROM scratch\n");
  EXPECT_THAT(result.warnings,
              ElementsAre("Dockerfile:1: there is no check StageNameCase (did you mean StageNameCasing?)"));
}

TEST_F(LintBuildTest, ErrorsEndTheBuildBeforeItRuns) {
  const Error error = build_error("# check=error=true\nFROM scratch AS Base\nWORKDIR /a\nMAINTAINER me\n");
  EXPECT_EQ(error.kind(), ErrorKind::usage);
  EXPECT_EQ(error.message(), "lint violation found for rules: StageNameCasing, MaintainerDeprecated");
  EXPECT_THAT(error.hints(), ElementsAre("Dockerfile:2: StageNameCasing: Stage name 'Base' should be lowercase",
                                         HasSubstr("Dockerfile:4: MaintainerDeprecated: "), HasSubstr("--check")));
  ASSERT_TRUE(error.span());
  EXPECT_EQ(error.span()->first_line, 2);
  EXPECT_THAT(progress_.titles, IsEmpty());
}

TEST_F(LintBuildTest, BuildArgumentReplacesTheDirective) {
  request_.build_args["BUILDKIT_DOCKERFILE_CHECK"] = "skip=StageNameCasing;error=true";
  EXPECT_THAT(build("FROM scratch AS Base\n").lint_warnings, IsEmpty());
  EXPECT_EQ(build_error("# check=skip=all\nFROM scratch\nMAINTAINER me\n").message(),
            "lint violation found for rules: MaintainerDeprecated");
  request_.build_args["BUILDKIT_DOCKERFILE_CHECK"] = "nonsense";
  EXPECT_STREQ(build_error("FROM scratch\n").what(),
               "--build-arg BUILDKIT_DOCKERFILE_CHECK: invalid check option \"nonsense\"");
}

TEST_F(LintBuildTest, RequireNoWarningsLooksUpOnlyWhatItMust) {
  request_.dockerfile_text = "FROM base\nLABEL a=$FOO\nMAINTAINER me\n";
  require_no_warnings(request_, opener(), {});
  EXPECT_THAT(opened_, IsEmpty());
  request_.dockerfile_text = "# check=error=true\n" + request_.dockerfile_text;
  EXPECT_THROW(require_no_warnings(request_, opener(), {}), Error);
  EXPECT_THAT(opened_, ElementsAre("base"));
}

TEST_F(LintBuildTest, CheckKnowsTheBases) {
  EXPECT_THAT(lines_of(check("FROM base\nLABEL a=$FOO b=$BAR\nCMD x\n").report.warnings),
              ElementsAre("2 UndefinedVar", "3 JSONArgsRecommended"));
  EXPECT_THAT(check("FROM shell\nCMD x\n").report.warnings, IsEmpty());
}

TEST_F(LintBuildTest, CheckLooksEachBaseUpOnce) {
  check("FROM base AS a\nFROM base AS b\nFROM scratch AS c\nFROM a\n");
  EXPECT_THAT(opened_, ElementsAre("base"));
}

TEST_F(LintBuildTest, CheckGoesOnWithoutABase) {
  const auto result = check("FROM missing AS a\nLABEL a=$NOPE\nMAINTAINER me\nFROM scratch\nLABEL a=$NOPE\n");
  EXPECT_THAT(lines_of(result.report.warnings), ElementsAre("3 MaintainerDeprecated", "5 UndefinedVar"));
  EXPECT_THAT(result.unreachable, ElementsAre("missing: no registry in this test"));
}

TEST_F(LintBuildTest, CheckNamesThePlatformOfTheBase) {
  const auto result = check("FROM arm\n");
  ASSERT_EQ(result.report.warnings.size(), 1U);
  EXPECT_EQ(result.report.warnings.front().message,
            "Base image arm was pulled with platform \"linux/arm64\", expected \"linux/amd64\" for current build");
  EXPECT_THAT(result.unreachable, IsEmpty());
}

TEST_F(LintBuildTest, CheckTakesNamedContexts) {
  request_.named_contexts["dir"] = {NamedContext::Kind::directory, directory_.path(), {}};
  request_.named_contexts["img"] = {NamedContext::Kind::image, {}, "base"};
  EXPECT_THAT(lines_of(check("FROM dir\nLABEL a=$FOO\nFROM img\nLABEL a=$FOO\n").report.warnings),
              ElementsAre("2 UndefinedVar"));
  EXPECT_THAT(opened_, ElementsAre("base"));
}

struct IgnoreCase {
  std::string ignore;
  std::string instruction;
  std::vector<std::string> warnings;
};

TEST_F(LintBuildTest, IgnoredSources) {
  const IgnoreCase cases[] = {
      {"", "COPY a /", {}},
      {"# a\n\n", "COPY a /", {}},
      {"a\n", "COPY a /", {"2 CopyIgnoredFile"}},
      {"/a\n", "COPY ./a/b /", {"2 CopyIgnoredFile"}},
      {"**/*.log\n", "COPY x/y/z.log /", {"2 CopyIgnoredFile"}},
      {"*.log\n", "ADD x/z.log /", {}},
      {"*\n!b\n", "COPY a /", {}},  // with a negation it can't be told
      {"*\n", "COPY . /", {"2 CopyIgnoredFile"}},
      {"**\n", "COPY / /", {"2 CopyIgnoredFile"}},
      {"a*\n", "COPY . /", {}},
      {"a\r\n", "COPY a /", {"2 CopyIgnoredFile"}},
  };
  for (const IgnoreCase& test : cases) {
    request_.ignore_text = test.ignore;
    EXPECT_THAT(lines_of(check("FROM scratch\n" + test.instruction + "\n").report.warnings),
                ::testing::ElementsAreArray(test.warnings))
        << test.ignore << test.instruction;
  }
}

TEST_F(LintBuildTest, OutlineTakesBuildArguments) {
  request_.build_args["A"] = "given";
  request_.dockerfile_text = "ARG A=1\nFROM base:$A\nARG TARGETARCH\nARG B=$TARGETARCH\n";
  const auto outline = outline_dockerfile(request_);
  ASSERT_EQ(outline.args.size(), 2U);
  EXPECT_EQ(outline.args[0].value, "given");
  EXPECT_EQ(outline.args[1].value, "amd64");
  EXPECT_THAT(opened_, IsEmpty());
}

}  // namespace
}  // namespace tektii::builder
