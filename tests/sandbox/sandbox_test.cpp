#include "fixture.hpp"
#include <tektii/sandbox/sandbox.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/fd.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/process.hpp>

#include <gmock/gmock.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

namespace tektii::sandbox {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

class SandboxLifeTest : public SandboxTest {
 protected:
  // A plain connection, on which nothing is sent by itself.
  UniqueFd connect_to(const std::string& authority) const {
    UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(authority.substr(authority.find(':') + 1))));
    ::inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    EXPECT_EQ(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    return socket;
  }
};

TEST_F(SandboxLifeTest, EverythingIsThereAfterARestart) {
  const TempDir directory;
  const SandboxOptions options{.data = directory.path() / "data", .pending_time = 0ms, .running_time = 0ms};
  start(options);
  const std::string key = sandbox_->api_key();
  const std::string strategy = create_strategy();
  const std::string version = ready_version(strategy);
  const std::string base = "/v1/strategies/" + strategy;
  const std::string scenario =
      api()
          .post(base + "/scenarios", {{"strategyVersionId", version},
                                      {"subscriptions", {{{"instrument", "S:SPY"}, {"events", {"candle_1d"}}}}},
                                      {"startTime", "2024-01-01T00:00:00Z"},
                                      {"endTime", "2024-12-01T00:00:00Z"}})
          .json()
          .at("id");
  const std::string results = base + "/scenarios/" + scenario + "/results/timeseries";
  const json strategy_before = api().get(base).json();
  const json results_before = api().get(results).json();
  const std::string manifest = "/v2/" + strategy + "/image/manifests/" + version;
  const std::string manifest_before = registry(strategy + "/image").get(manifest).body;

  start(options);
  EXPECT_EQ(sandbox_->api_key(), key);
  EXPECT_EQ(api().get(base).json(), strategy_before);
  EXPECT_EQ(api().get(base + "/versions/" + version).json().at("status"), "READY");
  EXPECT_EQ(api().get(results).json(), results_before);
  EXPECT_EQ(registry(strategy + "/image").get(manifest).body, manifest_before);
  EXPECT_EQ(push(strategy + "/image", version, make_image("another")).status, 400) << "still immutable";
}

TEST_F(SandboxLifeTest, OneSandboxPerDirectory) {
  const TempDir directory;
  start({.data = directory.path()});
  EXPECT_THROW(Sandbox({.data = directory.path()}), Error);
}

TEST_F(SandboxLifeTest, DamagedStateIsAnErrorThatNamesTheFile) {
  const TempDir directory;
  write_file_atomic(directory.path() / "state.json", "{\"format\": 1");
  try {
    const Sandbox sandbox({.data = directory.path()});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("state.json"));
  }
}

TEST_F(SandboxLifeTest, PortInUseIsAnError) {
  const auto port = static_cast<std::uint16_t>(std::stoi(authority().substr(authority().find(':') + 1)));
  try {
    const Sandbox second({.port = port});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("cannot listen on 127.0.0.1:" + std::to_string(port)));
  }
}

TEST_F(SandboxLifeTest, EndsAtOnceWithOpenConnections) {
  TestClient keeps_alive = api();
  ASSERT_EQ(keeps_alive.get("/v1/strategies").status, 200);
  const UniqueFd silent = connect_to(authority());
  const UniqueFd half = connect_to(authority());
  write_fully(half.get(), as_byte_span("POST /v1/strategies HTTP/1.1\r\nContent-Length: 1000\r\n\r\n{"), "socket");
  std::this_thread::sleep_for(50ms);
  const auto begin = std::chrono::steady_clock::now();
  sandbox_.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
  char byte = 0;
  EXPECT_LE(::recv(silent.get(), &byte, 1, 0), 0) << "the connection is closed";
}

TEST_F(SandboxLifeTest, TemporaryDirectoryGoesWithIt) {
  sandbox_.reset();  // no thread may read the environment meanwhile
  const TempDir parent;
  const char* before = std::getenv("TMPDIR");
  const std::string saved = before == nullptr ? "" : before;
  ::setenv("TMPDIR", parent.path().c_str(), 1);
  start({});
  saved.empty() ? ::unsetenv("TMPDIR") : ::setenv("TMPDIR", saved.c_str(), 1);
  create_strategy();
  EXPECT_FALSE(std::filesystem::is_empty(parent.path()));
  sandbox_.reset();
  EXPECT_TRUE(std::filesystem::is_empty(parent.path()));
}

TEST_F(SandboxLifeTest, RemovesTheDirectoriesOfDeadSandboxesOnly) {
  sandbox_.reset();  // no thread may read the environment meanwhile
  const TempDir parent;
  const auto dead = parent.path() / "tektii-sandbox-dead00";
  const auto starting = parent.path() / "tektii-sandbox-start0";
  const auto other = parent.path() / "other";
  const auto link = parent.path() / "tektii-sandbox-link00";
  for (const auto& directory : {dead / "store", starting, other}) make_directories(directory);
  for (const auto& directory : {dead, other}) write_file_atomic(directory / "lock", "");
  std::filesystem::create_directory_symlink(other, link);
  const char* before = std::getenv("TMPDIR");
  const std::string saved = before == nullptr ? "" : before;
  ::setenv("TMPDIR", parent.path().c_str(), 1);
  start({});
  {
    const Sandbox second({});
    EXPECT_EQ(create_strategy().substr(0, 6), "strat_") << "the first one still has its directory";
  }
  saved.empty() ? ::unsetenv("TMPDIR") : ::setenv("TMPDIR", saved.c_str(), 1);
  EXPECT_FALSE(std::filesystem::exists(dead));
  EXPECT_TRUE(std::filesystem::exists(starting));
  EXPECT_TRUE(std::filesystem::exists(other / "lock"));
  EXPECT_TRUE(std::filesystem::is_symlink(link));
}

TEST_F(SandboxLifeTest, CutUploadCanBeResumed) {
  const std::string token = bearer("tektii", sandbox_->api_key(), "repository:a:pull,push");
  TestClient client = registry("a");
  const std::string location = client.send("POST", "/v2/a/blobs/uploads/").header("Location");
  const std::string blob(500'000, 'r');
  {
    const UniqueFd socket = connect_to(authority());
    const std::string head = "PUT " + location + "?digest=" + digest_of(blob) +
                             " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + token +
                             "\r\nContent-Length: 500000\r\n\r\n";
    write_fully(socket.get(), as_byte_span(head + blob.substr(0, 300'000)), "socket");
  }
  // The server may not even have begun with the request that was cut.
  std::string range;
  for (int i = 0; i < 500 && range != "0-299999"; ++i) {
    const Answer status = client.get(location);
    ASSERT_EQ(status.status, 204) << status.body;
    range = status.header("Range");
    std::this_thread::sleep_for(10ms);
  }
  EXPECT_EQ(range, "0-299999");
  EXPECT_EQ(client
                .send("PUT", location + "?digest=" + digest_of(blob), blob.substr(300'000),
                      {{"Content-Range", "300000-499999"}})
                .status,
            201);
}

TEST_F(SandboxLifeTest, SkopeoPushesAndPulls) {
  if (run_process({"skopeo", "--version"}).not_found) GTEST_SKIP() << "needs the package skopeo";
  const TempDir directory;
  const auto layout = directory.path() / "layout";
  make_directories(layout / "blobs" / "sha256");
  const TestImage image = make_image(std::string(1024, '\0'));  // an empty tar
  for (const std::string& blob : {image.layer, image.config, image.manifest}) {
    write_file_atomic(layout / "blobs" / "sha256" / digest_of(blob).substr(7), blob);
  }
  write_file_atomic(layout / "oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
  write_file_atomic(layout / "index.json", json{{"schemaVersion", 2},
                                                {"manifests",
                                                 {{{"mediaType", "application/vnd.oci.image.manifest.v1+json"},
                                                   {"digest", image.manifest_digest},
                                                   {"size", image.manifest.size()},
                                                   {"annotations", {{"org.opencontainers.image.ref.name", "1"}}}}}}}
                                               .dump());
  const std::string credentials = "tektii:" + sandbox_->api_key();
  const std::string remote = "docker://" + authority() + "/x/y:z";
  const ProcessResult pushed =
      run_process({"skopeo", "--insecure-policy", "copy", "--preserve-digests", "--dest-tls-verify=false",
                   "--dest-creds", credentials, "oci:" + layout.string() + ":1", remote});
  ASSERT_EQ(pushed.exit_code, 0) << pushed.err;
  EXPECT_EQ(registry("x/y").get("/v2/x/y/manifests/z").header("Docker-Content-Digest"), image.manifest_digest);
  const auto copy = directory.path() / "copy";
  const ProcessResult pulled =
      run_process({"skopeo", "--insecure-policy", "copy", "--preserve-digests", "--src-tls-verify=false", "--src-creds",
                   credentials, remote, "oci:" + copy.string() + ":1"});
  ASSERT_EQ(pulled.exit_code, 0) << pulled.err;
  EXPECT_EQ(read_file(copy / "blobs" / "sha256" / image.manifest_digest.substr(7)), image.manifest);
}

}  // namespace
}  // namespace tektii::sandbox
