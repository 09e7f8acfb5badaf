// push, pull, copy, inspect and tags against registries that remember every request; and pushes of one build to
// several.
#include "cli/command_line.hpp"
#include "cli/commands/images.hpp"
#include "cli/commands/inspect.hpp"
#include "registry/client_fixture.hpp"
#include <tektii/oci/manifest.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/process.hpp>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdlib>
#include <sstream>

namespace tektii {
namespace {

using registry::make_sample_image;
using registry::SampleImage;
using ::testing::AllOf;
using testing::FakeRegistry;
using ::testing::HasSubstr;
using testing::ServerRequest;
using testing::ServerResponse;

void publish(FakeRegistry& registry, const SampleImage& image, const std::string& repository, const std::string& tag) {
  for (const auto& [digest, content] : image.blobs) registry.add_blob(repository, content);
  registry.add_manifest(repository, tag, image.sealed.manifest.media_type, image.sealed.manifest_bytes);
}

class CopyCommandTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ::setenv("DOCKER_CONFIG", "/nonexistent", 1);
    publish(first, image, "app", "1");
  }
  void TearDown() override { ::unsetenv("DOCKER_CONFIG"); }

  int run(std::vector<std::string> args) {
    out.str("");
    err.str("");
    cli::Terminal terminal(out, err, {});
    SystemClock clock;
    cli::CommandContext context(terminal, clock, [] { return net::make_curl_transport("tektii/test"); });
    args.insert(args.begin() + 1, "-q");
    return cli::run_command_line(args, context, [&](CLI::App& root, cli::CommandContext& given) {
      cli::setup_image_transfers(root, given);
      cli::setup_image_queries(root, given);
    });
  }
  int copy(const std::string& from, const std::string& to, const std::vector<std::string>& options = {}) {
    std::vector<std::string> args = {"copy", from, to};
    args.insert(args.end(), options.begin(), options.end());
    return run(args);
  }
  std::string path(const std::string& name) const { return (directory.path() / name).string(); }
  std::string digest_line() const { return image.sealed.manifest.digest.str() + "\n"; }
  // An index of two platforms under app:many.
  std::string add_index() {
    publish(first, arm, "app", "");
    oci::Index index{std::string(oci::k_media_index), {arm.sealed.manifest, image.sealed.manifest}};
    index.manifests[0].platform = oci::Platform{"linux", "arm64", ""};
    index.manifests[1].platform = oci::Platform{};
    return first.add_manifest("app", "many", index.media_type, index.serialise());
  }

  SampleImage image = make_sample_image({"first layer", std::string(300000, 'z')});
  SampleImage arm = make_sample_image({"first layer", "arm"}, "arm64");
  FakeRegistry first;
  FakeRegistry second;
  TempDir directory;
  std::ostringstream out;
  std::ostringstream err;
};

TEST_F(CopyCommandTest, BetweenRegistriesOnlyWhatIsMissingMoves) {
  second.add_blob("app", std::string(300000, 'z'));
  ASSERT_EQ(copy(first.name() + "/app:1", "docker://" + second.name() + "/app:2"), 0) << err.str();
  EXPECT_EQ(out.str(), digest_line());
  EXPECT_EQ(second.manifest("app", "2"), image.sealed.manifest_bytes);
  EXPECT_EQ(second.server().count("PUT", "/v2/app/blobs/"), 2);  // the config and a layer
  EXPECT_EQ(first.server().count("GET", "/v2/app/blobs/"), 2);
}

TEST_F(CopyCommandTest, WhatIsThereIsAskedForOnce) {
  publish(second, image, "app", "2");
  ASSERT_EQ(copy(first.name() + "/app:1", second.name() + "/app:2"), 0) << err.str();
  EXPECT_EQ(second.server().lines(), std::vector<std::string>{"HEAD /v2/app/manifests/2"});
  EXPECT_EQ(first.server().lines(), std::vector<std::string>{"GET /v2/app/manifests/1"});
}

TEST_F(CopyCommandTest, WithinARegistryBlobsAreMounted) {
  ASSERT_EQ(copy(first.name() + "/app:1", first.name() + "/other:1"), 0) << err.str();
  EXPECT_EQ(first.manifest("other", "1"), image.sealed.manifest_bytes);
  EXPECT_EQ(first.server().count("PUT", "/v2/other/blobs/"), 0);
  EXPECT_EQ(first.server().count("GET", "/v2/app/blobs/"), 0);
}

TEST_F(CopyCommandTest, OfAnIndexOnePlatformOrAll) {
  const auto index = add_index();
  ASSERT_EQ(copy(first.name() + "/app:many", second.name() + "/one:1"), 0) << err.str();
  EXPECT_EQ(out.str(), digest_line());
  ASSERT_EQ(copy(first.name() + "/app:many", second.name() + "/arm:1", {"--platform", "linux/arm64"}), 0);
  EXPECT_EQ(out.str(), arm.sealed.manifest.digest.str() + "\n");
  ASSERT_EQ(copy(first.name() + "/app:many", second.name() + "/all:1", {"--all"}), 0) << err.str();
  EXPECT_EQ(out.str(), index + "\n");
  EXPECT_EQ(second.manifest("all", "1"), first.manifest("app", "many"));
  EXPECT_EQ(second.manifest("all", arm.sealed.manifest.digest.str()), arm.sealed.manifest_bytes);
  EXPECT_EQ(second.manifest("all", image.sealed.manifest.digest.str()), image.sealed.manifest_bytes);
  EXPECT_EQ(copy(first.name() + "/app:many", second.name() + "/no:1", {"--platform", "linux/s390x"}), 6);
  EXPECT_THAT(err.str(), AllOf(HasSubstr("linux/arm64"), HasSubstr("linux/amd64")));
  EXPECT_EQ(copy("a", "b", {"--all", "--platform", "linux/amd64"}), 2);
}

TEST_F(CopyCommandTest, EveryFileFormAndBackAgain) {
  const auto index = add_index();
  for (const auto& place : {"oci:" + path("layout") + ":1", "oci-archive:" + path("a.tar") + ":1"}) {
    ASSERT_EQ(copy(first.name() + "/app:1", place), 0) << err.str();
    EXPECT_EQ(out.str(), digest_line());
    ASSERT_EQ(copy(place, second.name() + "/back:1"), 0) << err.str();
    EXPECT_EQ(second.manifest("back", "1"), image.sealed.manifest_bytes);
  }
  for (const auto& place : {"oci-layout://" + path("many"), "oci-archive:" + path("many.tar")}) {
    ASSERT_EQ(copy(first.name() + "/app:many", place, {"--all"}), 0) << err.str();
    ASSERT_EQ(copy(place, second.name() + "/many:1", {"--all"}), 0) << err.str();
    EXPECT_EQ(out.str(), index + "\n");
  }
  ASSERT_EQ(copy(first.name() + "/app:1", "docker-archive:" + path("d.tar") + ":app:1"), 0) << err.str();
  // The layers of the sample are no tars and have no compression, so they come back compressed; the image id stays.
  ASSERT_EQ(copy("docker-archive:" + path("d.tar") + ":app:1", second.name() + "/docker:1"), 0) << err.str();
  EXPECT_EQ(oci::Manifest::parse(second.manifest("docker", "1")).config.digest, image.sealed.config.digest);
}

TEST_F(CopyCommandTest, PullWritesALayoutOrAnArchive) {
  const auto name = first.name() + "/app:1";
  ASSERT_EQ(run({"pull", name, "-o", path("layout")}), 0) << err.str();
  EXPECT_EQ(out.str(), digest_line());
  EXPECT_THAT(read_file(path("layout") + "/index.json"), HasSubstr(name));
  ASSERT_EQ(run({"pull", name, "-o", path("a.tar"), "--format", "docker"}), 0) << err.str();
  ASSERT_EQ(run({"pull", name, "-o", "-", "--format", "docker"}), 0) << err.str();
  EXPECT_EQ(out.str(), read_file(path("a.tar")));
  EXPECT_EQ(run({"pull", name, "-o", path("dir"), "--format", "docker"}), 2);
  EXPECT_EQ(run({"pull", name, "-o", path("a.tar"), "--format", "zip"}), 2);
  EXPECT_EQ(run({"pull", name, "-o", path("none/a.tar")}), 2);
  EXPECT_THAT(err.str(), HasSubstr("there is no directory"));
}

TEST_F(CopyCommandTest, PushTakesAPathAndNamesWhatIsWrong) {
  ASSERT_EQ(copy(first.name() + "/app:1", "oci:" + path("layout")), 0) << err.str();
  ASSERT_EQ(copy(first.name() + "/app:1", "docker-archive:" + path("d.tar")), 0) << err.str();
  ASSERT_EQ(run({"push", path("layout"), second.name() + "/app:1"}), 0) << err.str();
  EXPECT_EQ(second.manifest("app", "1"), image.sealed.manifest_bytes);
  ASSERT_EQ(run({"push", path("d.tar"), second.name() + "/app:2"}), 0) << err.str();
  EXPECT_EQ(run({"push", path("layout")}), 2);
  EXPECT_THAT(err.str(), HasSubstr("where to push to is missing"));
  write_file_atomic(path("text"), "no archive");
  EXPECT_NE(run({"push", path("text"), second.name() + "/app:3"}), 0);
  ::setenv("TEKTII_CACHE_DIR", path("cache").c_str(), 1);
  EXPECT_EQ(run({"push", "no/image:1", second.name() + "/app:3"}), 2);
  EXPECT_THAT(err.str(), HasSubstr("the store has no image docker.io/no/image:1"));
  ::unsetenv("TEKTII_CACHE_DIR");
}

TEST_F(CopyCommandTest, TyposOfTransportsAreFound) {
  EXPECT_EQ(copy("oci-archve:/tmp/a.tar", "x"), 2);
  EXPECT_THAT(err.str(), HasSubstr("did you mean oci-archive:?"));
  EXPECT_EQ(copy("dokcer://a/b", "x"), 2);
  EXPECT_THAT(err.str(), HasSubstr("did you mean docker://?"));
  EXPECT_EQ(copy("docker-daemon:a:1", "x"), 2);
  EXPECT_EQ(copy("./a.tar", "x"), 2);
  EXPECT_THAT(err.str(), HasSubstr("a path is no name of an image"));
  EXPECT_EQ(copy("oci:", "x"), 2);
  EXPECT_THAT(err.str(), HasSubstr("the path is missing"));
}

TEST_F(CopyCommandTest, InspectShowsTheExactBytes) {
  const auto index = add_index();
  ASSERT_EQ(run({"inspect", "--raw", first.name() + "/app:many"}), 0) << err.str();
  EXPECT_EQ(out.str(), first.manifest("app", "many"));
  ASSERT_EQ(run({"inspect", "--raw", "--platform", "linux/arm64", first.name() + "/app:many"}), 0) << err.str();
  EXPECT_EQ(out.str(), arm.sealed.manifest_bytes);
  ASSERT_EQ(run({"inspect", "--config", first.name() + "/app:1"}), 0) << err.str();
  EXPECT_EQ(out.str(), image.sealed.config_bytes);
  ASSERT_EQ(run({"inspect", first.name() + "/app:many"}), 0) << err.str();
  EXPECT_THAT(out.str(), AllOf(HasSubstr(index), HasSubstr("linux/arm64"), HasSubstr("linux/amd64")));
  ASSERT_EQ(run({"inspect", "--layers", first.name() + "/app:1"}), 0) << err.str();
  EXPECT_THAT(out.str(), HasSubstr(image.sealed.layers[1].blob.digest.str()));
  ASSERT_EQ(run({"inspect", "--output", "json", first.name() + "/app:1"}), 0) << err.str();
  const auto json = nlohmann::json::parse(out.str());
  EXPECT_EQ(json["digest"], image.sealed.manifest.digest.str());
  EXPECT_EQ(json["layers"].size(), 2U);
  EXPECT_EQ(first.server().count("GET", "/v2/app/blobs/" + image.sealed.layers[1].blob.digest.str()), 0);
}

TEST_F(CopyCommandTest, TagsComePageByPage) {
  int pages = 0;
  first.set_intercept([&pages](const ServerRequest& request) -> std::optional<ServerResponse> {
    if (request.path() != "/v2/app/tags/list") return std::nullopt;
    ++pages;
    const auto last = request.query("last").value_or("");
    ServerResponse response;
    response.body = fmt::format(R"({{"name":"app","tags":["{0}a","{0}b"]}})", last);
    if (last != "zz") {
      const auto link = fmt::format(R"(</v2/app/tags/list?n=1000&last={}z>; rel="next")", last);
      response.headers = {{"Link", link}};
    }
    return response;
  });
  ASSERT_EQ(run({"tags", first.name() + "/app"}), 0) << err.str();
  EXPECT_EQ(out.str(), "a\nb\nza\nzb\nzza\nzzb\n");
  EXPECT_EQ(pages, 3);
  ASSERT_EQ(run({"tags", "--limit", "3", first.name() + "/app"}), 0) << err.str();
  EXPECT_EQ(out.str(), "a\nb\nza\n");
  ASSERT_EQ(run({"tags", "--output", "json", "--limit", "1", first.name() + "/app"}), 0) << err.str();
  EXPECT_EQ(nlohmann::json::parse(out.str())["tags"], std::vector<std::string>{"a"});
  EXPECT_NE(run({"tags", first.name() + "/nothing"}), 0);
  EXPECT_THAT(err.str(), HasSubstr("not found"));
}

TEST_F(CopyCommandTest, PagesOfTagsThatGoRoundAreAnError) {
  first.set_intercept([](const ServerRequest& request) -> std::optional<ServerResponse> {
    if (request.path() != "/v2/app/tags/list") return std::nullopt;
    return ServerResponse{.headers = {{"Link", "<?n=1000>; rel=next"}}, .body = R"({"tags":["a"]})"};
  });
  EXPECT_NE(run({"tags", first.name() + "/app"}), 0);
  EXPECT_THAT(err.str(), HasSubstr("lead back"));
}

// One build, several names.
class FaultTable : public ::testing::Test {
 protected:
  ProcessResult build(const std::vector<std::string>& names, const std::vector<std::string>& options = {}) {
    make_directories(directory.path() / "ctx");
    write_file_atomic(directory.path() / "ctx/a", "content");
    write_file_atomic(directory.path() / "ctx/Dockerfile", "FROM scratch\nCOPY a /a\nCOPY Dockerfile /b\n");
    std::vector<std::string> argv = {TEKTII_BINARY, "build", "--push", "--progress", "plain", "ctx"};
    for (const auto& name : names) argv.insert(argv.end(), {"-t", name});
    argv.insert(argv.end(), options.begin(), options.end());
    ProcessOptions process;
    process.cwd = directory.path();
    process.extra_env = {"TEKTII_CACHE_DIR=" + (directory.path() / "cache").string(), "NO_COLOR=1",
                         "DOCKER_CONFIG=/nonexistent"};
    return run_process(argv, process);
  }

  FakeRegistry first;
  FakeRegistry second;
  TempDir directory;
};

TEST_F(FaultTable, Row53_TenTagsAreOneUploadOfEachBlob) {
  std::vector<std::string> names;
  for (int i = 0; i < 10; ++i) names.push_back(fmt::format("{}/app:{}", first.name(), i));
  const auto result = build(names);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(first.server().count("PUT", "/v2/app/blobs/"), 3);  // two layers and the config
  EXPECT_EQ(first.server().count("PUT", "/v2/app/manifests/"), 10);
}

TEST_F(FaultTable, Row53_RepositoriesOfARegistryMountFromTheFirst) {
  const auto result =
      build({first.name() + "/a:1", first.name() + "/b:1", second.name() + "/a:1", first.name() + "/b:2"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  for (auto* registry : {&first, &second}) EXPECT_EQ(registry->server().count("PUT", "/v2/a/blobs/"), 3);
  EXPECT_EQ(first.server().count("PUT", "/v2/b/blobs/"), 0);
  EXPECT_FALSE(first.manifest("b", "2").empty());
  EXPECT_EQ(first.manifest("b", "1"), second.manifest("a", "1"));
}

TEST_F(FaultTable, Row53_OneRegistryThatFailsDoesNotKeepTheOthersFromTheImage) {
  const auto refuse = [](int status) {
    return [status](const ServerRequest& request) -> std::optional<ServerResponse> {
      if (request.method != "PUT" || request.path().find("/manifests/") == std::string::npos) return std::nullopt;
      return ServerResponse{.status = status};
    };
  };
  first.set_intercept(refuse(403));
  FakeRegistry third;
  third.set_intercept(refuse(400));
  const auto result = build({third.name() + "/a:1", first.name() + "/a:1", second.name() + "/a:1"});
  EXPECT_EQ(result.exit_code, 4);  // denied is worse than what else failed
  EXPECT_FALSE(second.manifest("a", "1").empty());
  EXPECT_THAT(result.err, AllOf(HasSubstr(third.name() + "/a:1 was not pushed either"), HasSubstr("answered 403")));
}

}  // namespace
}  // namespace tektii
