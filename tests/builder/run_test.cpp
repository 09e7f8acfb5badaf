#include "builder/build_fixture.hpp"

#include <gmock/gmock.h>

#include <sys/stat.h>

namespace tektii::builder {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;

exec::ExitStatus write_upper(const exec::Rootfs& rootfs, const std::string& name, const std::string& content) {
  write_file_atomic(rootfs.upper_dir / name, content);
  return {};
}

TEST_F(RunTest, KeepsWhatACommandWrote) {
  executor_.command = [](const auto& rootfs, const auto&, auto&) { return write_upper(rootfs, "made", "by run"); };
  const auto result = build("FROM scratch\nRUN make it\n");
  const auto tree = tree_of(result);
  ASSERT_NE(tree.find("made"), nullptr);
  EXPECT_LE(tree.find("made")->metadata.mtime, request_.source_date_epoch);
  EXPECT_EQ(result.config.history.back().created_by, "RUN /bin/sh -c make it # buildkit");
  EXPECT_EQ(executor_.specs.at(0).argv, (std::vector<std::string>{"/bin/sh", "-c", "make it"}));
}

TEST_F(RunTest, CommandThatChangesNothingMakesNoLayer) {
  const auto result = build("FROM scratch\nRUN [\"/bin/true\"]\n");
  EXPECT_TRUE(result.image.layers.empty());
  EXPECT_TRUE(result.config.history.back().empty_layer);
  EXPECT_EQ(executor_.specs.at(0).argv, (std::vector<std::string>{"/bin/true"}));
}

TEST_F(RunTest, FailureCarriesCodeLineAndLastOutput) {
  executor_.command = [](const auto&, const auto&, auto& output) {
    output.write(exec::OutputStream::standard_error, "first\nERROR: no matching \x1b[31mdistribution\n");
    return exec::ExitStatus{23, 0};
  };
  const auto error = build_error("FROM scratch\n\nRUN pip install nothing\n");
  EXPECT_EQ(error.kind(), ErrorKind::run_failed);
  EXPECT_THAT(error.what(), HasSubstr("exit code 23"));
  EXPECT_THAT(error.what(), HasSubstr("pip install nothing"));
  EXPECT_THAT(error.what(), HasSubstr("| ERROR: no matching \\x1b[31mdistribution"));
  ASSERT_TRUE(error.span());
  EXPECT_EQ(error.span()->first_line, 3);
}

TEST_F(RunTest, EnvironmentOfACommand) {
  request_.build_args = {{"VERSION", "2"}, {"https_proxy", "http://proxy:1"}, {"UNDECLARED", "x"}};
  build("FROM scratch\nARG VERSION=1\nARG EMPTY\nENV A=1 B=$VERSION\nARG A=9\nRUN env\n");
  const auto& env = executor_.specs.at(0).env;
  EXPECT_THAT(env, IsSupersetOf({"VERSION=2", "B=2", "A=9", "https_proxy=http://proxy:1", "HOME=/",
                                 "SOURCE_DATE_EPOCH=1700000000",
                                 "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}));
  EXPECT_THAT(env, ::testing::Not(Contains(HasSubstr("UNDECLARED"))));
  EXPECT_THAT(env, ::testing::Not(Contains(HasSubstr("EMPTY"))));
}

TEST_F(RunTest, ProxyArgumentsStayOutOfHistoryAndKeys) {
  request_.build_args = {{"HTTP_PROXY", "http://one"}};
  const auto first = build("FROM scratch\nRUN x\n");
  EXPECT_EQ(first.config.history.back().created_by, "RUN /bin/sh -c x # buildkit");
  request_.build_args = {{"HTTP_PROXY", "http://two"}};
  build("FROM scratch\nRUN x\n");
  EXPECT_EQ(executor_.specs.size(), 1U);
}

TEST_F(RunTest, UserOfACommandComesFromTheImage) {
  write("etc/passwd", "app:x:1234:2345::/home/app:/bin/sh\n");
  write("etc/group", "extra:x:99:app\n");
  build("FROM scratch\nCOPY etc /etc\nUSER app\nWORKDIR /home/app\nRUN id\n");
  const auto& spec = executor_.specs.at(0);
  EXPECT_EQ(spec.uid, 1234U);
  EXPECT_EQ(spec.gid, 2345U);
  EXPECT_EQ(spec.supplementary_groups, (std::vector<std::uint32_t>{99}));
  EXPECT_EQ(spec.working_dir, "/home/app");
  EXPECT_THAT(spec.env, Contains("HOME=/home/app"));
}

TEST_F(RunTest, ImageWithoutAccountsHasRootAndNumbers) {
  build("FROM scratch\nRUN [\"/id\"]\nUSER 1234\nRUN [\"/id\"]\nUSER :77\nRUN [\"/id\"]\n");
  ASSERT_EQ(executor_.specs.size(), 3U);
  EXPECT_EQ(executor_.specs[0].uid, 0U);
  EXPECT_EQ(executor_.specs[0].gid, 0U);
  EXPECT_EQ(executor_.specs[1].uid, 1234U);
  EXPECT_EQ(executor_.specs[1].gid, 0U);
  EXPECT_EQ(executor_.specs[2].uid, 0U);
  EXPECT_EQ(executor_.specs[2].gid, 77U);
}

TEST_F(RunTest, AccountsAreFoundThroughLinksAndInShortLines) {
  write("etc/real", "app:x:500:501\n");
  write("etc/group", "team:x:700\n");
  std::filesystem::create_symlink("/etc/real", request_.context / "etc/passwd");
  build("FROM scratch\nCOPY etc /etc\nUSER app:team\nRUN [\"/id\"]\nUSER 500\nRUN [\"/id\"]\n");
  ASSERT_EQ(executor_.specs.size(), 2U);
  EXPECT_EQ(executor_.specs[0].uid, 500U);
  EXPECT_EQ(executor_.specs[0].gid, 700U);
  EXPECT_EQ(executor_.specs[1].gid, 501U);
}

TEST_F(RunTest, DeclaredProxyArgumentIsAnArgumentLikeOthers) {
  request_.build_args = {{"http_proxy", "http://one"}};
  const auto result = build("FROM scratch\nARG http_proxy=http://default\nRUN x\n");
  EXPECT_THAT(executor_.specs.at(0).env, Contains("http_proxy=http://one"));
  EXPECT_THAT(*result.config.history.back().created_by, HasSubstr("http_proxy=http://one"));
}

TEST_F(RunTest, SocketsOfACommandAreGoneForTheNextOne) {
  executor_.command = [](const auto& rootfs, const auto& spec, auto&) {
    if (spec.argv.back() == "two") return exec::ExitStatus{};
    EXPECT_EQ(::mknod((rootfs.upper_dir / "socket").c_str(), S_IFSOCK | 0600, 0), 0);
    return write_upper(rootfs, "file", "x");
  };
  build("FROM scratch\nRUN one\nRUN two\n");
  ASSERT_EQ(executor_.specs.size(), 2U);
  const auto result = build("FROM scratch\nRUN one\n");
  EXPECT_FALSE(std::filesystem::exists(snapshots_.directory(result.image.layers.at(0), {}) / "socket"));
}

TEST_F(RunTest, DamagedLayerIsMadeAgain) {
  executor_.command = [](const auto& rootfs, const auto&, auto&) { return write_upper(rootfs, "file", "x"); };
  const auto first = build("FROM scratch\nRUN one\n");
  const auto& layer = first.image.layers.at(0);
  std::filesystem::remove_all(store_.root() / "layers" / "v1");
  write_file_atomic(store_.blob_path(layer.blob.digest), std::string(layer.blob.size, 'x'));
  layer::Snapshots fresh(store_.root() / "layers" / "v1", store_);
  const auto error = build_error("FROM scratch\nRUN one\nRUN two\n");
  EXPECT_THAT(error.what(), HasSubstr("was damaged in the store"));
  EXPECT_EQ(build("FROM scratch\nRUN one\n").image.manifest.digest, first.image.manifest.digest);
}

TEST_F(RunTest, ATruncatedLayerIsMadeAgain) {
  executor_.command = [](const auto& rootfs, const auto&, auto&) { return write_upper(rootfs, "file", "x"); };
  const auto first = build("FROM scratch\nRUN one\n");
  const auto& layer = first.image.layers.at(0);
  std::filesystem::resize_file(store_.blob_path(layer.blob.digest), layer.blob.size - 1);
  try {
    first.ensure_blob(layer, {});
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::damaged);
  }
  EXPECT_FALSE(store_.size_of(layer.blob.digest));
  EXPECT_EQ(build("FROM scratch\nRUN one\n").image.manifest.digest, first.image.manifest.digest);
  EXPECT_EQ(store_.size_of(layer.blob.digest), layer.blob.size);
}

TEST_F(BuildTest, UnusedBuildArgumentIsAWarningWithASuggestion) {
  request_.build_args = {{"VERSOIN", "1"}, {"HTTPS_PROXY", "x"}, {"TARGETARCH", "amd64"}};
  const auto result = build("FROM scratch\nARG VERSION\nLABEL v=$VERSION\n");
  EXPECT_EQ(result.warnings,
            (std::vector<std::string>{"--build-arg VERSOIN is not used: no ARG declares it. Did you mean VERSION?"}));
}

TEST_F(RunTest, UnchangedCommandIsNotRunAgain) {
  executor_.command = [](const auto& rootfs, const auto&, auto&) { return write_upper(rootfs, "made", "x"); };
  const auto first = build("FROM scratch\nRUN a\nRUN b\n").image.manifest.digest;
  EXPECT_EQ(build("FROM scratch\nRUN a\nRUN b\n").image.manifest.digest, first);
  EXPECT_EQ(executor_.specs.size(), 2U);
  request_.no_cache = true;
  EXPECT_EQ(build("FROM scratch\nRUN a\nRUN b\n").image.manifest.digest, first);
  EXPECT_EQ(executor_.specs.size(), 4U);
}

TEST_F(RunTest, EpochOfTheBuildCountsAlsoWhereAVariableHidesIt) {
  executor_.command = [](const auto& rootfs, const auto&, auto&) { return write_upper(rootfs, "made", "x"); };
  const std::string dockerfile = "FROM scratch\nENV SOURCE_DATE_EPOCH=1\nRUN touch /made\n";
  for (const std::int64_t epoch : {1000000, 2000000}) {
    request_.source_date_epoch = epoch;
    EXPECT_EQ(tree_of(build(dockerfile)).find("made")->metadata.mtime, epoch);
  }
  EXPECT_EQ(executor_.specs.size(), 2U);
}

TEST_F(RunTest, MetadataBeforeACommandDoesNotMakeItRunAgain) {
  executor_.command = [](const auto& rootfs, const auto&, auto&) { return write_upper(rootfs, "made", "x"); };
  build("FROM scratch\nLABEL v=1\nRUN a\n");
  build("FROM scratch\nLABEL v=2\nRUN a\n");
  EXPECT_EQ(executor_.specs.size(), 1U);
  build("FROM scratch\nENV v=2\nRUN a\n");
  EXPECT_EQ(executor_.specs.size(), 2U);
}

TEST_F(RunTest, SameOutcomeOfAnEarlierStepStopsTheRebuild) {
  executor_.command = [](const auto& rootfs, const auto& spec, auto&) {
    return write_upper(rootfs, spec.argv.back() == "second" ? "two" : "one", "same");
  };
  build("FROM scratch\nRUN first\nRUN second\n");
  build("FROM scratch\nRUN first again\nRUN second\n");
  EXPECT_EQ(executor_.specs.size(), 3U);
}

TEST_F(RunTest, CopiesFromAnotherStage) {
  executor_.command = [](const auto& rootfs, const auto&, auto&) { return write_upper(rootfs, "artifact", "built"); };
  const auto result = build("FROM scratch AS Builder\nRUN make\nFROM scratch\nCOPY --from=builder /artifact /app/\n");
  const auto tree = tree_of(result);
  ASSERT_NE(tree.find("app/artifact"), nullptr);
  EXPECT_EQ(tree.find("artifact"), nullptr);
  EXPECT_EQ(result.image.layers.size(), 1U);
  EXPECT_TRUE(result.config.config.cmd == std::nullopt);
}

TEST_F(RunTest, OnlyStagesThatTheTargetReachesAreBuilt) {
  build("FROM scratch AS a\nRUN a\nFROM scratch AS b\nRUN b\nFROM a AS c\nRUN c\n");
  std::vector<std::string> ran;
  for (const auto& spec : executor_.specs) ran.push_back(spec.argv.back());
  EXPECT_EQ(ran, (std::vector<std::string>{"a", "c"}));
}

TEST_F(BuildTest, CommandThatCannotRunHereIsRefusedBeforeAnyRequest) {
  executor_.unavailable = exec::Unavailable{"no user namespaces", {"enable them"}};
  const auto error = build_error("FROM python:3.11\nWORKDIR /app\nRUN pip install x\n");
  EXPECT_THAT(error.what(), HasSubstr("RUN is not possible here: no user namespaces"));
  EXPECT_THAT(error.hints(), Contains("enable them"));
  EXPECT_EQ(error.span()->first_line, 3);
  EXPECT_TRUE(opened_.empty());
  EXPECT_TRUE(executor_.specs.empty());
}

}  // namespace
}  // namespace tektii::builder
