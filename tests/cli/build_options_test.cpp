#include "cli/build/options.hpp"
#include <tektii/store/store.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/process.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace tektii::cli {
namespace {

using ::testing::HasSubstr;

class BuildOptionsTest : public ::testing::Test {
 protected:
  BuildOptionsTest() {
    ::unsetenv("SOURCE_DATE_EPOCH");
    write("Dockerfile", "FROM scratch\nCOPY a /\n");
    options_.context = directory_.path().string();
  }

  void write(const std::string& name, const std::string& text) { write_file_atomic(directory_.path() / name, text); }
  BuildInputs read() const {
    std::optional<store::Store> store;
    ContextLoader loader([&]() -> store::Store& { return store.emplace(store_.path()); }, ProgressMode::quiet);
    return read_build_inputs(options_, loader);
  }
  Error error() const {
    try {
      read();
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "the options were accepted";
    return Error(ErrorKind::failure, "");
  }
  void git(std::vector<std::string> arguments) const {
    std::vector<std::string> argv = {"git", "-C",          directory_.path().string(), "-c", "user.name=a",
                                     "-c",  "user.email=b"};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    ProcessOptions process;
    process.extra_env = {"GIT_COMMITTER_DATE=2024-02-03T04:05:06Z"};
    const auto result = run_process(argv, process);
    ASSERT_EQ(result.exit_code, 0) << result.err;
  }

  TempDir directory_;
  TempDir store_;
  BuildOptions options_;
};

TEST_F(BuildOptionsTest, Defaults) {
  const auto inputs = read();
  EXPECT_EQ(inputs.request.dockerfile_name, "Dockerfile");
  EXPECT_EQ(inputs.request.platform.str(), "linux/amd64");
  EXPECT_EQ(inputs.request.source_date_epoch, 315532800);
  EXPECT_EQ(inputs.request.created, 315532800);
  EXPECT_FALSE(inputs.may_run_commands);
}

TEST_F(BuildOptionsTest, MissingDockerfileHasTheDocumentedText) {
  options_.file = "./nowhere/Dockerfile";
  EXPECT_STREQ(error().what(), "Dockerfile not found at ./nowhere/Dockerfile");
  EXPECT_THAT(error().hints(), ::testing::Contains(HasSubstr("--file")));
}

TEST_F(BuildOptionsTest, IgnoreFileOfTheDockerfileComesFirst) {
  write(".dockerignore", "general");
  EXPECT_EQ(read().request.ignore_text, "general");
  write("Dockerfile.dockerignore", "special");
  EXPECT_EQ(read().request.ignore_text, "special");
  EXPECT_EQ(read().request.ignore_name, "Dockerfile.dockerignore");
}

TEST_F(BuildOptionsTest, BuildArgumentWithoutValueComesFromTheEnvironment) {
  ::setenv("TEKTII_TEST_ARG", "from env", 1);
  options_.build_args = {"A=1=2", "TEKTII_TEST_ARG", "TEKTII_TEST_UNSET"};
  EXPECT_EQ(read().request.build_args,
            (std::map<std::string, std::string>{{"A", "1=2"}, {"TEKTII_TEST_ARG", "from env"}}));
  ::unsetenv("TEKTII_TEST_ARG");
}

TEST_F(BuildOptionsTest, CommitDatesTheImageAndNotItsFiles) {
  git({"init", "-q"});
  git({"add", "."});
  git({"commit", "-q", "-m", "one"});
  EXPECT_EQ(read().request.created, 1706933106);
  EXPECT_EQ(read().request.source_date_epoch, 315532800);
  options_.build_args = {"SOURCE_DATE_EPOCH=1000"};
  EXPECT_EQ(read().request.created, 1000);
  EXPECT_EQ(read().request.source_date_epoch, 1000);
  options_.timestamps = "2000";
  EXPECT_EQ(read().request.source_date_epoch, 2000);
}

TEST_F(BuildOptionsTest, ACommitOfAnImpossibleTimeHasNone) {
  git({"init", "-q"});
  git({"add", "."});
  const std::string script =
      "cd \"$0\" && tree=$(git write-tree) && commit=$(printf 'tree %s\\nauthor a <b> 1 +0000\\ncommitter a <b> %s "
      "+0000\\n\\nm\\n' $tree $1 | git hash-object -t commit -w --literally --stdin) && git update-ref HEAD $commit";
  for (const std::string time : {"999999999999999", "8589934592", "-1"}) {
    const auto result = run_process({"sh", "-c", script, directory_.path().string(), time});
    ASSERT_EQ(result.exit_code, 0) << result.err;
    options_.build_args.clear();
    EXPECT_EQ(read().request.created, 315532800) << time;
    options_.build_args = {"SOURCE_DATE_EPOCH=context"};
    EXPECT_EQ(read().request.created, 315532800) << time;
  }
}

TEST_F(BuildOptionsTest, LayoutContextsAreImagesUnderTheirName) {
  make_directories(directory_.path() / "layout");
  write("layout/oci-layout", "{}");
  const auto layout = (directory_.path() / "layout").string();
  options_.build_contexts = {"python:3.11-slim=oci-layout://" + layout + ":tag", "data=" + directory_.path().string()};
  const auto inputs = read();
  ASSERT_TRUE(inputs.request.named_contexts.contains("python:3.11-slim"));
  const auto& context = inputs.request.named_contexts.at("python:3.11-slim");
  EXPECT_EQ(context.kind, builder::NamedContext::Kind::image);
  EXPECT_EQ(context.image, "oci-layout://" + layout + ":tag");
  EXPECT_TRUE(inputs.request.named_contexts.contains("data"));
}

TEST_F(BuildOptionsTest, RunNeedsNamespacesAndCopyFromDoesNot) {
  write("Dockerfile", "FROM scratch\nRUN x\n");
  EXPECT_TRUE(read().may_run_commands);
  write("Dockerfile", "FROM scratch AS a\nFROM scratch\nCOPY --from=a x /\n");
  EXPECT_FALSE(read().may_run_commands);
}

TEST_F(BuildOptionsTest, ImageMayHaveTriggersThatRunCommands) {
  write("Dockerfile", "FROM python\nLABEL a=b\n");
  EXPECT_TRUE(read().may_run_commands);
}

TEST_F(BuildOptionsTest, LabelsAndJobsReachTheRequest) {
  options_.labels = {"a=1", "b=x=y", "c", "a=2"};
  options_.jobs = 3;
  const auto request = read().request;
  EXPECT_EQ(request.labels, (std::map<std::string, std::string>{{"a", "2"}, {"b", "x=y"}, {"c", ""}}));
  EXPECT_EQ(request.jobs, 3);
}

TEST_F(BuildOptionsTest, EpochComesFromAnArgOfTheDockerfile) {
  write("Dockerfile", "ARG T=77\nARG SOURCE_DATE_EPOCH=$T\nFROM scratch\n");
  EXPECT_EQ(read().request.source_date_epoch, 77);
  EXPECT_EQ(read().request.created, 77);
  options_.build_args = {"SOURCE_DATE_EPOCH=1000"};
  EXPECT_EQ(read().request.source_date_epoch, 1000);
  // Outside of a repository the context has no time: everything is as if nothing was given.
  options_.build_args = {"SOURCE_DATE_EPOCH=context"};
  EXPECT_EQ(read().request.source_date_epoch, 315532800);
  EXPECT_FALSE(read().request.build_args.contains("SOURCE_DATE_EPOCH"));
}

struct Faulty {
  const char* what;
  void (*set)(BuildOptions&);
  ErrorKind kind;
  const char* text;
};

class FaultyOptions : public BuildOptionsTest, public ::testing::WithParamInterface<Faulty> {};

TEST_P(FaultyOptions, AreRefusedBeforeAnythingRuns) {
  GetParam().set(options_);
  EXPECT_EQ(error().kind(), GetParam().kind);
  EXPECT_THAT(error().what(), HasSubstr(GetParam().text));
}

INSTANTIATE_TEST_SUITE_P(
    Table, FaultyOptions,
    ::testing::Values(
        Faulty{"platform", [](BuildOptions& o) { o.platform = "linux/arm64"; }, ErrorKind::platform_mismatch,
               "--platform linux/arm64 is not supported"},
        Faulty{"platforms", [](BuildOptions& o) { o.platform = "linux/amd64,linux/arm64"; },
               ErrorKind::platform_mismatch, "tektii builds one platform"},
        Faulty{"no context", [](BuildOptions& o) { o.context = "/no/such/dir"; }, ErrorKind::usage, "does not exist"},
        Faulty{"bad git context", [](BuildOptions& o) { o.context = "https://example.com/x.git?rev=1"; },
               ErrorKind::usage, "unexpected query \"rev\""},
        Faulty{"both from stdin",
               [](BuildOptions& o) {
                 o.context = "-";
                 o.file = "-";
               },
               ErrorKind::usage, "can't both come from standard input"},
        Faulty{"output type", [](BuildOptions& o) { o.outputs = {"type=local,dest=x"}; }, ErrorKind::usage,
               "type local is not supported"},
        Faulty{"output dest", [](BuildOptions& o) { o.outputs = {"type=oci"}; }, ErrorKind::usage, "dest is missing"},
        Faulty{"output key", [](BuildOptions& o) { o.outputs = {"type=oci,destt=x"}; }, ErrorKind::usage,
               "unknown key destt"},
        Faulty{"output json", [](BuildOptions& o) { o.outputs = {"json"}; }, ErrorKind::usage, "where the image goes"},
        Faulty{"output parent", [](BuildOptions& o) { o.outputs = {"type=oci,dest=/no/such/x.tar"}; }, ErrorKind::usage,
               "there is no directory /no/such"},
        Faulty{"metadata parent", [](BuildOptions& o) { o.metadata_file = "/no/such/x.json"; }, ErrorKind::usage,
               "there is no directory /no/such"},
        Faulty{"jobs", [](BuildOptions& o) { o.jobs = -1; }, ErrorKind::usage, "at least 1"},
        Faulty{"label", [](BuildOptions& o) { o.labels = {"=x"}; }, ErrorKind::usage, "the name is missing"},
        Faulty{"epoch", [](BuildOptions& o) { o.build_args = {"SOURCE_DATE_EPOCH=soon"}; }, ErrorKind::usage,
               "soon is not a time in seconds since 1970"},
        Faulty{"context syntax", [](BuildOptions& o) { o.build_contexts = {"name"}; }, ErrorKind::usage,
               "expected NAME=CONTEXT"},
        Faulty{"context scheme", [](BuildOptions& o) { o.build_contexts = {"a=ftp://x"}; }, ErrorKind::usage,
               "ftp://x is of a kind that is not supported"},
        Faulty{"context target", [](BuildOptions& o) { o.build_contexts = {"a=target:x"}; }, ErrorKind::usage,
               "target: contexts come from bake files"},
        Faulty{"context missing", [](BuildOptions& o) { o.build_contexts = {"a=/no/such"}; }, ErrorKind::usage,
               "/no/such is not a directory"},
        Faulty{"context name", [](BuildOptions& o) { o.build_contexts = {"A B=/tmp"}; }, ErrorKind::usage,
               "--build-context A B=/tmp: "},
        Faulty{"layout digest", [](BuildOptions& o) { o.build_contexts = {"a=oci-layout:///tmp@sha256:1"}; },
               ErrorKind::usage, "is not a digest"},
        Faulty{"not a layout", [](BuildOptions& o) { o.build_contexts = {"a=oci-layout:///tmp"}; }, ErrorKind::usage,
               "is not an OCI layout"},
        Faulty{"compression", [](BuildOptions& o) { o.compression = "lz4"; }, ErrorKind::usage,
               "unknown --compression"},
        Faulty{"level", [](BuildOptions& o) { o.compression = "gzip:13"; }, ErrorKind::usage, "1 to 12"},
        Faulty{"timestamps", [](BuildOptions& o) { o.timestamps = "yesterday"; }, ErrorKind::usage,
               "is not a time in seconds"},
        Faulty{"build arg", [](BuildOptions& o) { o.build_args = {"=x"}; }, ErrorKind::usage, "the name is missing"}),
    [](const auto& row) {
      std::string name = row.param.what;
      std::replace(name.begin(), name.end(), ' ', '_');
      return name;
    });

}  // namespace
}  // namespace tektii::cli
