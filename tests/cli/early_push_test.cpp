// `build --push` against a registry that remembers every request: what is sent when, how often, and what happens when
// it is refused. The second step of the build waits for a file server, which the tests hold up.
#include "support/fake_registry.hpp"
#include "support/guarded.hpp"
#include "support/http_server.hpp"
#include <tektii/oci/image.hpp>
#include <tektii/oci/media_type.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/process.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <set>
#include <thread>

namespace tektii {
namespace {

using testing::FakeRegistry;
using ::testing::HasSubstr;
using testing::HttpServer;
using ::testing::Not;
using testing::ServerRequest;
using testing::ServerResponse;

using Clock = std::chrono::steady_clock;

bool wait_until(const std::function<bool()>& condition) {
  const auto end = Clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (Clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

class EarlyPushTest : public ::testing::Test {
 protected:
  EarlyPushTest() {
    write("a", std::string(100'000, 'a'));
    write("b", "b");
    write("Dockerfile", fmt::format("FROM scratch\nCOPY a /a\nADD {} /slow\nCOPY b /b\n", files_.url("/slow")));
  }
  ~EarlyPushTest() override { released_ = true; }

  void write(const std::string& name, const std::string& text) {
    make_directories(directory_.path() / "ctx");
    write_file_atomic(directory_.path() / "ctx" / name, text);
  }
  ProcessResult push(const std::vector<std::string>& options = {}, const std::string& cache = "cache") {
    std::vector<std::string> argv = {"sh", "-c", "echo $$ > pid; exec \"$@\"", "sh", TEKTII_BINARY, "build"};
    argv.insert(argv.end(), {"--progress", "plain", "--push", "-t", registry_.name() + "/x/image:1", "ctx"});
    argv.insert(argv.end(), options.begin(), options.end());
    ProcessOptions process;
    process.cwd = directory_.path();
    process.extra_env = {"TEKTII_CACHE_DIR=" + (directory_.path() / cache).string(), "NO_COLOR=1",
                         "DOCKER_CONFIG=/nonexistent"};
    process.leave_out = [](std::string_view name) { return name == "SOURCE_DATE_EPOCH"; };
    return run_process(argv, process);
  }
  void interrupt() const { ::kill(static_cast<pid_t>(std::stol(read_file(directory_.path() / "pid"))), SIGINT); }
  int count(std::string_view method) { return registry_.server().count(method, "/v2/x/image/blobs"); }
  // Requests of a kind, whose ids and states differ from run to run, sorted.
  std::vector<std::string> requests() {
    std::vector<std::string> lines;
    for (const auto& request : registry_.server().requests()) {
      const auto digest = request.query("digest");
      lines.push_back(digest ? request.method + " " + *digest : request.line());
    }
    std::sort(lines.begin(), lines.end());
    return lines;
  }
  // The registry answers the upload of layers so instead.
  void answer_uploads(const ServerResponse& response, int times = 1000) {
    uploads_to_refuse_ = times;
    registry_.set_intercept([this, response](const ServerRequest& request) -> std::optional<ServerResponse> {
      if (request.method != "PUT" || request.path().find("/uploads/") == std::string::npos) return std::nullopt;
      return uploads_to_refuse_-- > 0 ? std::optional(response) : std::nullopt;
    });
  }

  TempDir directory_;
  std::atomic<int> uploads_to_refuse_{0};
  FakeRegistry registry_;
  std::atomic<bool> released_{false};
  testing::Guarded<std::function<bool()>> gate_{[] { return true; }};  // the slow file is served once this holds
  std::atomic<bool> gate_held_{false};
  HttpServer files_{[this](const ServerRequest&) {
    gate_held_ = wait_until([this] { return released_ || gate_.get()(); });
    return ServerResponse{200, {}, "slow"};
  }};
};

TEST_F(EarlyPushTest, ALayerIsSentWhileALaterStepRuns) {
  gate_ = [this] { return count("PUT") == 1; };
  const auto result = push();
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_TRUE(gate_held_) << "no layer came before the step had its file";
  EXPECT_THAT(result.err, HasSubstr("push layer "));
  const auto digest = std::string(trim(result.out));
  EXPECT_EQ(oci::Digest::of_bytes(registry_.manifest("x/image", "1")).str(), digest);
  EXPECT_THAT(registry_.server().lines().back(), "PUT /v2/x/image/manifests/1");
}

TEST_F(EarlyPushTest, ItCostsNoRequestMore) {
  gate_ = [this] { return count("PUT") == 1; };
  EXPECT_EQ(push().exit_code, 0);
  const auto early = requests();
  // /v2/ and PUT of the manifest, and HEAD, POST and PUT of three layers and the config. That the manifest is not there
  // is known when a layer was not.
  EXPECT_EQ(early.size(), 2U + 4U * 3U);
  EXPECT_EQ(std::set<std::string>(early.begin(), early.end()).size(), early.size() - 3U) << "only POSTs look the same";
  registry_.server().clear_requests();
  gate_ = [] { return true; };
  write("a", std::string(100'000, 'c'));
  const auto late = push({"--no-early-push"}, "other");
  EXPECT_EQ(late.exit_code, 0) << late.err;
  // The other two layers are there already.
  EXPECT_EQ(requests().size(), 3U + 2U * 3U + 2U);
}

TEST_F(EarlyPushTest, NothingIsSentBeforeTheEndWhenItIsTurnedOff) {
  std::atomic<int> seen{-1};
  gate_ = [&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    seen = count("");
    return true;
  };
  const auto result = push({"--no-early-push"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(seen, 0);
  EXPECT_EQ(count("PUT"), 4);
}

TEST_F(EarlyPushTest, AnUnchangedImageIsAskedForOnce) {
  EXPECT_EQ(push().exit_code, 0);
  registry_.server().clear_requests();
  const auto result = push();
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(requests(), ::testing::ElementsAre("GET /v2/", "HEAD /v2/x/image/manifests/1"));
  EXPECT_THAT(result.err, Not(HasSubstr("push layer")));
}

TEST_F(EarlyPushTest, AnUnchangedImageOnABaseOfTheRegistryTakesThreeRequests) {
  const std::string layer(1024, '\0');  // an empty tar
  const auto diff_id = registry_.add_blob("base", layer);
  const auto config =
      fmt::format(R"({{"architecture":"amd64","os":"linux","rootfs":{{"type":"layers","diff_ids":["{}"]}}}})", diff_id);
  const auto manifest = fmt::format(
      R"({{"schemaVersion":2,"mediaType":"{}","config":{{"mediaType":"{}","digest":"{}","size":{}}},"layers":[)"
      R"({{"mediaType":"{}","digest":"{}","size":{}}}]}})",
      oci::k_media_manifest, oci::k_media_config, registry_.add_blob("base", config), config.size(), oci::k_media_layer,
      diff_id, layer.size());
  const auto digest = registry_.add_manifest("base", "", std::string(oci::k_media_manifest), manifest);
  registry_.add_manifest(
      "base", "1", std::string(oci::k_media_index),
      fmt::format(R"({{"schemaVersion":2,"mediaType":"{}","manifests":[{{"mediaType":"{}","digest":"{}","size":{},)"
                  R"("platform":{{"architecture":"amd64","os":"linux"}}}}]}})",
                  oci::k_media_index, oci::k_media_manifest, digest, manifest.size()));
  write("Dockerfile", fmt::format("FROM {}/base:1\nCOPY a /a\n", registry_.name()));
  const auto first = push();
  ASSERT_EQ(first.exit_code, 0) << first.err;
  EXPECT_EQ(registry_.server().count("POST", "/v2/x/image/blobs/uploads/?mount="), 1);
  EXPECT_EQ(count("PUT"), 2) << "the base layer was mounted";
  registry_.server().clear_requests();
  EXPECT_EQ(push().out, first.out);
  EXPECT_THAT(requests(),
              ::testing::ElementsAre("GET /v2/", "GET /v2/base/manifests/1", "HEAD /v2/x/image/manifests/1"));
  write("Dockerfile", fmt::format("FROM {}/base@{}\nCOPY a /a\n", registry_.name(), digest));
  registry_.server().clear_requests();
  EXPECT_EQ(push().exit_code, 0);
  EXPECT_EQ(registry_.server().count("GET", "/v2/base/"), 0) << "a pinned base that is known is not asked for";
}

TEST_F(EarlyPushTest, OnlyWhatChangedIsSent) {
  EXPECT_EQ(push().exit_code, 0);
  registry_.server().clear_requests();
  write("b", "changed");
  const auto result = push();
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(count("PUT"), 2) << "the last layer and the config";
  EXPECT_EQ(count("HEAD"), 4) << "each blob once";
}

TEST_F(EarlyPushTest, TwoTagsOfARepositorySendEachBlobOnce) {
  const auto result = push({"-t", registry_.name() + "/x/image:2"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(count("HEAD"), 4);
  EXPECT_EQ(count("PUT"), 4);
  EXPECT_EQ(registry_.server().count("GET", "/v2/"), 1);
  EXPECT_EQ(registry_.manifest("x/image", "2"), registry_.manifest("x/image", "1"));
}

TEST_F(EarlyPushTest, WhoIsNotLetInIsToldAtOnce) {
  gate_ = [] { return false; };
  registry_.set_intercept([](const ServerRequest& request) -> std::optional<ServerResponse> {
    if (request.path() == "/v2/") return ServerResponse{403, {}, R"({"errors":[{"code":"DENIED","message":"no"}]})"};
    return std::nullopt;
  });
  for (const auto& options : std::vector<std::vector<std::string>>{{}, {"--no-early-push"}}) {
    const auto began = Clock::now();
    const auto result = push(options, "cache" + std::to_string(options.size()));
    EXPECT_LT(Clock::now() - began, std::chrono::seconds(10)) << "the step was waited for";
    EXPECT_EQ(result.exit_code, 4) << result.err;
    EXPECT_THAT(result.err, HasSubstr("check access to "));
  }
  EXPECT_EQ(count(""), 0);
}

TEST_F(EarlyPushTest, ARefusalEndsTheBuild) {
  gate_ = [] { return false; };
  answer_uploads({403, {}, R"({"errors":[{"code":"DENIED","message":"quota is used up"}]})"});
  const auto began = Clock::now();
  const auto result = push();
  EXPECT_LT(Clock::now() - began, std::chrono::seconds(10)) << "the step was waited for";
  EXPECT_EQ(result.exit_code, 4) << result.err;
  EXPECT_THAT(result.err, HasSubstr("quota is used up"));
  EXPECT_THAT(result.err, Not(HasSubstr("interrupted")));
}

TEST_F(EarlyPushTest, ABusyRegistryIsTriedAgainAtTheEnd) {
  gate_ = [this] { return count("PUT") >= 3; };
  answer_uploads({503, {}, "busy"}, 3);
  const auto result = push();
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("503"));
  EXPECT_EQ(oci::Digest::of_bytes(registry_.manifest("x/image", "1")).str(), trim(result.out));
}

TEST_F(EarlyPushTest, CtrlCEndsAnUploadAtOnce) {
  gate_ = [] { return false; };
  ServerResponse slow{201, {}, ""};
  slow.delay = std::chrono::seconds(30);
  answer_uploads(slow);
  Clock::time_point began;
  std::jthread killer([&] {
    wait_until([this] { return count("PUT") > 0; });
    began = Clock::now();
    interrupt();
  });
  const auto result = push();
  killer.join();
  EXPECT_LT(Clock::now() - began, std::chrono::seconds(1));
  EXPECT_EQ(result.exit_code, 130) << result.err;
}

}  // namespace
}  // namespace tektii
