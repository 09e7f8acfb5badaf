#include "registry/client_fixture.hpp"
#include <tektii/util/file.hpp>
#include <tektii/util/process.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <thread>

namespace tektii::registry {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

bool e2e_is_required() {
  const char* value = std::getenv("TEKTII_REQUIRE_E2E");
  return value != nullptr && std::string_view(value) == "1";
}

// Debian's docker-registry as a child, on an ephemeral port, with its storage in a directory of its own.
class RegistryProcess {
 public:
  RegistryProcess(const std::filesystem::path& directory, const std::string& auth_section) {
    const auto config = directory / "config.yml";
    write_file_atomic(config, fmt::format("version: 0.1\n"
                                          "log: {{accesslog: {{disabled: true}}, level: info}}\n"
                                          "storage: {{filesystem: {{rootdirectory: {}}}}}\n"
                                          "http: {{addr: 127.0.0.1:0}}\n{}",
                                          (directory / "storage").string(), auth_section));
    log_ = directory / "log";
    start(config);
    wait_for_port();
  }
  RegistryProcess(const RegistryProcess&) = delete;
  RegistryProcess& operator=(const RegistryProcess&) = delete;
  ~RegistryProcess() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

  std::uint16_t port() const { return port_; }

 private:
  void start(const std::filesystem::path& config) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log_.c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600);
    posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
    std::string program = "docker-registry";
    std::string verb = "serve";
    std::string file = config.string();
    char* argv[] = {program.data(), verb.data(), file.data(), nullptr};
    const int error = posix_spawnp(&pid_, "docker-registry", &actions, nullptr, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) throw_errno("docker-registry", error);
  }

  // It was told port 0; which one it got is in its log: "listening on 127.0.0.1:43210".
  void wait_for_port() {
    constexpr std::string_view k_marker = "listening on 127.0.0.1:";
    for (int i = 0; i < 200; ++i) {
      const std::string log = std::filesystem::exists(log_) ? read_file(log_) : std::string();
      if (const auto at = log.find(k_marker); at != std::string::npos) {
        port_ = static_cast<std::uint16_t>(std::strtoul(log.c_str() + at + k_marker.size(), nullptr, 10));
        return;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    throw Error(ErrorKind::failure, "docker-registry did not start: " + read_file(log_));
  }

  std::filesystem::path log_;
  pid_t pid_ = 0;
  std::uint16_t port_ = 0;
};

// Notes each request on its way to the real transport.
class LoggingTransport : public net::HttpTransport {
 public:
  net::HttpResponse send(const net::HttpRequest& request, ByteSink* sink, std::stop_token stop) override {
    const auto response = inner_->send(request, sink, stop);
    const auto path = request.url.find("/v2/");
    lines.push_back(fmt::format("{} {} {}", request.method, request.url.substr(path, request.url.find('?') - path),
                                response.status));
    return response;
  }
  std::vector<std::string> lines;

 private:
  std::unique_ptr<net::HttpTransport> inner_ = net::make_curl_transport("tektii-test/1");
};

class DockerRegistryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const bool installed = ::access("/usr/bin/docker-registry", X_OK) == 0;
    if (installed) return;
    if (e2e_is_required()) FAIL() << "the Debian package docker-registry is not installed";
    GTEST_SKIP() << "the Debian package docker-registry is not installed";
  }

  void start(const std::string& auth_section = "") {
    process = std::make_unique<RegistryProcess>(directory.path(), auth_section);
    name = fmt::format("127.0.0.1:{}", process->port());
    client = std::make_unique<RegistryClient>(RegistryDeps{transport, credentials});
  }

  oci::ImageReference reference(const std::string& rest) const { return oci::ImageReference::parse(name + "/" + rest); }

  void push(const SampleImage& image, const std::string& rest, std::optional<oci::BlobOrigin> origin = std::nullopt) {
    const auto target = client->target(reference(rest));
    if (target->has_manifest(image.sealed.manifest, {})) return;
    std::vector<oci::Descriptor> blobs;
    for (const oci::Layer& layer : image.sealed.layers) blobs.push_back(layer.blob);
    blobs.push_back(image.sealed.config);
    for (const oci::Descriptor& blob : blobs) {
      const std::string& content = image.blobs.at(blob.digest.str());
      target->put_blob({blob, [&content] { return std::make_unique<StringSource>(content); }, origin}, {});
    }
    target->put_manifest(image.sealed.manifest, image.sealed.manifest_bytes, {});
  }

  void expect_pullable(const SampleImage& image, const std::string& rest) {
    const auto source = client->image(reference(rest));
    const oci::ResolvedImage resolved = source->resolve({}, {});
    EXPECT_EQ(resolved.manifest.digest, image.sealed.manifest.digest);
    for (const oci::Layer& layer : resolved.layers) {
      StringSink sink;
      source->fetch(layer.blob, sink, {});
      EXPECT_TRUE(sink.str() == image.blobs.at(layer.blob.digest.str()));
    }
  }

  TempDir directory;
  LoggingTransport transport;
  TestCredentials credentials;
  std::unique_ptr<RegistryProcess> process;
  std::string name;
  std::unique_ptr<RegistryClient> client;
  SampleImage sample = make_sample_image({std::string(3 << 20, 'a'), "second"});
};

TEST_F(DockerRegistryTest, PushPullAndPushAgain) {
  start();
  push(sample, "team/app:1");
  EXPECT_EQ(transport.lines.size(), 11U) << "manifest HEAD; HEAD, POST, PUT for each of 3 blobs; manifest PUT";
  EXPECT_EQ(transport.lines.back(), "PUT /v2/team/app/manifests/1 201");
  expect_pullable(sample, "team/app:1");
  expect_pullable(sample, "team/app@" + sample.sealed.manifest.digest.str());
  transport.lines.clear();
  push(sample, "team/app:1");
  EXPECT_THAT(transport.lines, ElementsAre("HEAD /v2/team/app/manifests/1 200"));
}

TEST_F(DockerRegistryTest, ASecondTagSendsTheManifestOnly) {
  start();
  push(sample, "app:1");
  transport.lines.clear();
  push(sample, "app:2");
  EXPECT_THAT(transport.lines, ElementsAre("HEAD /v2/app/manifests/2 404", "PUT /v2/app/manifests/2 201"));
  expect_pullable(sample, "app:2");
}

TEST_F(DockerRegistryTest, BlobsOfAnotherRepositoryAreMounted) {
  start();
  push(sample, "base:1");
  transport.lines.clear();
  push(sample, "app:1", oci::BlobOrigin{name, "base"});
  EXPECT_EQ(transport.lines.size(), 5U) << "a mount of each blob, and the manifest looked for and put";
  for (const std::string& line : transport.lines) EXPECT_THAT(line, Not(HasSubstr("PUT /v2/app/blobs")));
  expect_pullable(sample, "app:1");
}

TEST_F(DockerRegistryTest, AMountThatIsRefusedGoesOnAsAnUpload) {
  start();
  push(sample, "app:1", oci::BlobOrigin{name, "nothing/here"});
  EXPECT_EQ(transport.lines.size(), 11U);
  expect_pullable(sample, "app:1");
}

TEST_F(DockerRegistryTest, HtpasswdLogin) {
  if (::access("/usr/bin/htpasswd", X_OK) != 0) {
    if (e2e_is_required()) FAIL() << "the Debian package apache2-utils is not installed";
    GTEST_SKIP() << "the Debian package apache2-utils is not installed";
  }
  const auto file = directory.path() / "htpasswd";
  const auto made = run_process({"htpasswd", "-Bbn", "bob", "pass:word"});
  ASSERT_EQ(made.exit_code, 0) << made.err;
  write_file_atomic(file, made.out);
  start(fmt::format("auth: {{htpasswd: {{realm: test, path: {}}}}}\n", file.string()));

  const auto failure = [&] {
    try {
      client->check_push_access(reference("app:1"), {});
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "let in";
    return Error(ErrorKind::failure, "none");
  };
  const Error anonymous = failure();
  EXPECT_EQ(anonymous.kind(), ErrorKind::denied);
  EXPECT_THAT(anonymous.hints().at(0), HasSubstr("tektii login " + name));

  // From here on with a config file as "docker login" writes it.
  const auto config = directory.path() / "config.json";
  write_file_atomic(config,
                    fmt::format(R"({{"auths":{{"{}":{{"auth":"{}"}}}}}})", name, base64_encode("bob:pass:word")));
  const auto logged_in = make_docker_config_credentials(config);
  client = std::make_unique<RegistryClient>(RegistryDeps{transport, *logged_in});
  EXPECT_NO_THROW(client->check_push_access(reference("app:1"), {}));
  push(sample, "app:1");
  expect_pullable(sample, "app:1");

  credentials.value = Credentials{"bob", Secret("wrong"), {}, {}};
  client = std::make_unique<RegistryClient>(RegistryDeps{transport, credentials});
  EXPECT_EQ(failure().kind(), ErrorKind::denied);
}

TEST_F(DockerRegistryTest, AMissingImageIsNotFound) {
  start();
  try {
    client->image(reference("app:none"))->resolve({}, {});
    ADD_FAILURE() << "found";
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "image " + name + "/app:none not found");
  }
}

}  // namespace
}  // namespace tektii::registry
