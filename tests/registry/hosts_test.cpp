#include "registry/client_fixture.hpp"
#include "support/fault_server.hpp"
#include <tektii/registry/hosts.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace tektii::registry {
namespace {

using tektii::testing::Fault;
using tektii::testing::FaultServer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Hosts : public ::testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) {
    const auto path = dir.path() / name;
    make_directories(path.parent_path());
    write_file_atomic(path, text);
  }
  HostOptions options() {
    HostOptions options;
    options.root = dir.path();
    options.env = [this](const char* name) -> std::optional<std::string> {
      const auto found = env.find(name);
      return found == env.end() ? std::nullopt : std::optional(found->second);
    };
    return options;
  }
  // "BASE REPOSITORY" of each place to pull from.
  std::vector<std::string> places(const std::string& registry, const std::string& repository) {
    const RegistryHosts hosts(options());
    std::vector<std::string> shown;
    for (const auto& place : hosts.pull_places(registry, repository)) {
      shown.push_back(place.base.str() + " " + place.repository);
    }
    return shown;
  }
  std::string failure() {
    try {
      const RegistryHosts hosts(options());
      hosts.pull_places("example.com", "app");
    } catch (const Error& error) {
      return error.what();
    }
    return "none";
  }

  TempDir dir;
  std::map<std::string, std::string> env;
};

TEST_F(Hosts, WithoutConfigurationEachRegistryIsWhereItsNameSays) {
  EXPECT_THAT(places("docker.io", "library/alpine"), ElementsAre("https://registry-1.docker.io/v2 library/alpine"));
  EXPECT_THAT(places("[::1]:5000", "a"), ElementsAre("http://[::1]:5000/v2 a"));
  EXPECT_THAT(places("[fd00::1]:5000", "a"), ElementsAre("https://[fd00::1]:5000/v2 a"));
}

TEST_F(Hosts, MirrorsOfRegistriesConfInTheirOrder) {
  write("etc/containers/registries.conf", R"(
unqualified-search-registries = ["example.com"]
[[registry]]
location = "docker.io"
[[registry.mirror]]
location = "mirror.example.com/hub"
[[registry.mirror]]
location = "10.0.0.5:5000"
insecure = true
)");
  EXPECT_THAT(places("docker.io", "library/alpine"),
              ElementsAre("https://mirror.example.com/v2 hub/library/alpine", "https://10.0.0.5:5000/v2 library/alpine",
                          "https://registry-1.docker.io/v2 library/alpine"));
  EXPECT_THAT(places("ghcr.io", "a/b"), ElementsAre("https://ghcr.io/v2 a/b"));
  const RegistryHosts hosts(options());
  EXPECT_FALSE(hosts.tls_for(net::Url::parse("https://10.0.0.5:5000/v2/"))->verify);
  EXPECT_EQ(hosts.tls_for(net::Url::parse("https://mirror.example.com/v2/")), nullptr);
  // Never for pushes.
  EXPECT_EQ(hosts.push_place("docker.io", "library/alpine").base.str(), "https://registry-1.docker.io/v2");
}

TEST_F(Hosts, TheLongestPrefixDecides) {
  write("etc/containers/registries.conf", R"(
[[registry]]
prefix = "example.com"
location = "one.example.net"
[[registry]]
prefix = "example.com/team"
location = "two.example.net/all"
[[registry]]
prefix = "*.example.com"
location = "three.example.net"
[[registry]]
prefix = "exact.example.com"
location = "four.example.net"
)");
  EXPECT_THAT(places("example.com", "app"), ElementsAre("https://one.example.net/v2 app"));
  EXPECT_THAT(places("example.com", "team/app"), ElementsAre("https://two.example.net/v2 all/app"));
  EXPECT_THAT(places("example.com", "teams/app"), ElementsAre("https://one.example.net/v2 teams/app"));
  EXPECT_THAT(places("a.b.example.com", "app"), ElementsAre("https://three.example.net/v2 app"));
  EXPECT_THAT(places("exact.example.com", "app"), ElementsAre("https://four.example.net/v2 app"));
  EXPECT_THAT(places("example.com:5000", "app"), ElementsAre("https://example.com:5000/v2 app"));
}

TEST_F(Hosts, BlockedRegistriesAreRefusedWithTheLine) {
  write("etc/containers/registries.conf", "\n[[registry]]\nlocation = \"example.com\"\nblocked = true\n");
  EXPECT_THAT(failure(),
              HasSubstr("example.com/app is blocked by " + dir.path().string() + "/etc/containers/registries.conf:2"));
  EXPECT_THROW(RegistryHosts(options()).push_place("example.com", "app"), Error);
}

TEST_F(Hosts, FilesOfRegistriesConf) {
  const auto entry = [](const std::string& to) {
    return "[[registry]]\nprefix = \"example.com\"\nlocation = \"" + to + "\"\n";
  };
  write("etc/containers/registries.conf", entry("system.net"));
  EXPECT_THAT(places("example.com", "a"), ElementsAre("https://system.net/v2 a"));
  write("etc/containers/registries.conf.d/10-a.conf", entry("first.net"));
  write("etc/containers/registries.conf.d/20-b.conf", entry("second.net"));
  EXPECT_THAT(places("example.com", "a"), ElementsAre("https://second.net/v2 a"));
  env["HOME"] = (dir.path() / "home").string();
  write("home/.config/containers/registries.conf", entry("own.net"));
  EXPECT_THAT(places("example.com", "a"), ElementsAre("https://own.net/v2 a"));
  env["CONTAINERS_REGISTRIES_CONF"] = (dir.path() / "named.conf").string();
  EXPECT_THAT(failure(), HasSubstr("named.conf"));  // a file that is named has to be there
  write("named.conf", entry("named.net"));
  EXPECT_THAT(places("example.com", "a"), ElementsAre("https://named.net/v2 a"));
}

TEST_F(Hosts, MalformedRegistriesConfNamesTheLine) {
  const std::pair<const char*, const char*> cases[] = {
      {"a = 1\nb = \n", "registries.conf:2: "},
      {"[registries.search]\nregistries = []\n", "this is version 1"},
      {"[[registry]]\ninsecure = true\n", "registries.conf:1: a registry needs a prefix or a location"},
      {"[[registry]]\nlocation = 5\n", "registries.conf:2: location must be a string"},
      {"[[registry]]\nlocation = \"a.com\"\ninsecure = \"yes\"\n", "registries.conf:3: insecure must be true or false"},
      {"[[registry]]\nlocation = \"https://a.com\"\n", "registries.conf:2: location is a name without a scheme"},
      {"[[registry]]\nprefix = \"*.a.com/b\"\n", "registries.conf:2: prefix with a \"*\" is a domain alone"},
      {"[[registry]]\nlocation = \"*.a.com\"\n", "registries.conf:2: a location is one registry"},
      {"[[registry]]\nlocation = \"a.com\"\n[[registry]]\nlocation = \"a.com\"\n",
       "registries.conf:3: there is another"},
      {"[[registry]]\nlocation = \"a.com\"\n[[registry.mirror]]\n", "registries.conf:3: a mirror needs a location"},
      {"[[registry]]\nlocation = \"a.com\"\n[[registry.mirror]]\nlocation = \"b.com\"\npull-from-mirror = \"never\"\n",
       "registries.conf:5: pull-from-mirror is all, digest-only or tag-only"},
      {"registry = 3\n", "registries.conf:1: registry must be an array of tables"},
  };
  for (const auto& [text, message] : cases) {
    write("etc/containers/registries.conf", text);
    EXPECT_THAT(failure(), HasSubstr(message)) << text;
  }
}

TEST_F(Hosts, HostsToml) {
  write("etc/containerd/certs.d/docker.io/hosts.toml", R"(
server = "https://registry-1.docker.io"
[host."https://z-mirror.example.com"]
  capabilities = ["pull", "resolve"]
  skip_verify = true
  [host."https://z-mirror.example.com".header]
    x-team = ["blue"]
[host."http://a-mirror.example.com:5000/hub"]
  capabilities = ["pull"]
[host."https://raw.example.com/some/path"]
  override_path = true
[host."https://push.example.com"]
  capabilities = ["push"]
)");
  EXPECT_THAT(places("docker.io", "library/alpine"),
              ElementsAre("https://z-mirror.example.com/v2 library/alpine",
                          "http://a-mirror.example.com:5000/hub/v2 library/alpine",
                          "https://raw.example.com/some/path library/alpine",
                          "https://registry-1.docker.io/v2 library/alpine"));
  const RegistryHosts hosts(options());
  const auto found = hosts.pull_places("docker.io", "library/alpine");
  EXPECT_EQ(found[0].name_space, "docker.io");
  EXPECT_EQ(found[0].registry, "z-mirror.example.com");
  EXPECT_FALSE(found[0].tls->verify);
  EXPECT_EQ(found[0].headers.at(0).value, "blue");
  EXPECT_TRUE(found[0].asked_by_tag);
  EXPECT_FALSE(found[1].asked_by_tag);
  EXPECT_EQ(found[3].name_space, "");
  EXPECT_EQ(found[3].registry, "docker.io");
  EXPECT_EQ(hosts.push_place("docker.io", "a").base.str(), "https://registry-1.docker.io/v2");
}

TEST_F(Hosts, HostsTomlOfAPortAndOfAllOthers) {
  write("etc/containerd/certs.d/_default/hosts.toml", "[host.\"https://all.example.com\"]\n");
  write("etc/containerd/certs.d/example.com_5000_/hosts.toml", "server = \"http://10.0.0.9:5000\"\n");
  EXPECT_THAT(places("ghcr.io", "a"), ElementsAre("https://all.example.com/v2 a", "https://ghcr.io/v2 a"));
  EXPECT_THAT(places("example.com:5000", "a"), ElementsAre("http://10.0.0.9:5000/v2 a"));
  EXPECT_EQ(RegistryHosts(options()).push_place("example.com:5000", "a").registry, "10.0.0.9:5000");
}

TEST_F(Hosts, MalformedHostsTomlNamesTheLine) {
  const std::pair<const char*, const char*> cases[] = {
      {"server = \n", "hosts.toml:1: "},
      {"[host.\"ftp://a\"]\n", "hosts.toml:1: \"ftp://a\" is no server"},
      {"host = 1\n", "hosts.toml:1: host must be tables"},
      {"[host.\"https://a\"]\ncapabilities = [\"fly\"]\n", "hosts.toml:2: \"fly\" is no capability"},
      {"[host.\"https://a\"]\nskip_verify = 1\n", "hosts.toml:2: skip_verify must be true or false"},
      {"[host.\"https://a\"]\nheader = 1\n", "hosts.toml:2: header must be a table"},
      {"[host.\"https://a\"]\nca = 1\n", "hosts.toml:2: ca must be a string or an array of strings"},
  };
  for (const auto& [text, message] : cases) {
    write("etc/containerd/certs.d/example.com/hosts.toml", text);
    EXPECT_THAT(failure(), HasSubstr(message)) << text;
  }
}

TEST_F(Hosts, CertificatesBelongTogether) {
  write("etc/containers/certs.d/example.com/client.cert", "x");
  EXPECT_THAT(failure(), "none");
  const RegistryHosts hosts(options());
  EXPECT_THROW(hosts.tls_for(net::Url::parse("https://example.com/")), Error);
  write("etc/containers/certs.d/example.com/client.key", "x");
  write("etc/containers/certs.d/example.com/ca.crt", "x");
  const auto tls = RegistryHosts(options()).tls_for(net::Url::parse("https://example.com/"));
  EXPECT_TRUE(tls->client);
  EXPECT_EQ(tls->ca_files.size(), 1U);
}

TEST_F(Hosts, InsecureRegistriesAreHosts) {
  auto wrong = options();
  for (const char* text : {"http://a.com", "a.com/b", "", "u@a.com"}) {
    wrong.insecure = {text};
    EXPECT_THROW(RegistryHosts{wrong}, Error) << text;
  }
  auto right = options();
  right.insecure = {"a.com", "b.com:5000", "[fd00::1]:5000"};
  const RegistryHosts hosts(right);
  EXPECT_FALSE(hosts.tls_for(net::Url::parse("https://a.com:8443/"))->verify);
  EXPECT_FALSE(hosts.tls_for(net::Url::parse("https://b.com:5000/"))->verify);
  EXPECT_EQ(hosts.tls_for(net::Url::parse("https://b.com/")), nullptr);
  EXPECT_FALSE(hosts.tls_for(net::Url::parse("https://[fd00::1]:5000/"))->verify);
  EXPECT_TRUE(hosts.push_place("b.com:5000", "a").http_allowed);
  EXPECT_FALSE(hosts.push_place("c.com", "a").http_allowed);
}

// A registry with two mirrors, all of them on this machine.
class Mirrors : public Hosts {
 protected:
  void start(const std::string& settings = {}) {
    write("etc/containers/registries.conf",
          "[[registry]]\nlocation = \"" + upstream.name() + "\"\n" + settings + "[[registry.mirror]]\nlocation = \"" +
              first.name() + "/cache\"\n[[registry.mirror]]\nlocation = \"" + second.name() + "\"\n");
    restart();
  }
  void restart() {
    hosts = std::make_unique<RegistryHosts>(options());
    RegistryDeps deps{*transport, credentials, &clock};
    deps.hosts = hosts.get();
    client = std::make_unique<RegistryClient>(deps);
  }
  void publish(FaultServer& server, const std::string& repository) {
    for (const auto& [digest, content] : image.blobs) server.store().add_blob(repository, content);
    server.store().add_manifest(repository, "1", image.sealed.manifest.media_type, image.sealed.manifest_bytes);
  }
  // Resolves the tag and fetches the layer.
  std::string pull(const std::string& suffix = ":1") {
    const auto source = client->image(oci::ImageReference::parse(upstream.name() + "/app" + suffix));
    source->resolve({}, {});
    StringSink sink;
    source->fetch(image.sealed.layers.at(0).blob, sink, {});
    return sink.take();
  }

  tektii::testing::FakeClock clock;
  TestCredentials credentials;
  std::unique_ptr<net::HttpTransport> transport = net::make_curl_transport("tektii-test/1");
  SampleImage image = make_sample_image({"layer"});
  FaultServer upstream, first, second;
  std::unique_ptr<RegistryHosts> hosts;
  std::unique_ptr<RegistryClient> client;
};

TEST_F(Mirrors, TheFirstThatHasTheImageServesAllOfIt) {
  start();
  publish(first, "cache/app");
  EXPECT_EQ(pull(), "layer");
  EXPECT_EQ(first.count("GET", "/v2/cache/app/"), 3);
  EXPECT_EQ(second.count(), 0);
  EXPECT_EQ(upstream.count(), 0);
}

TEST_F(Mirrors, TheNextIsAskedAndBlobsComeFromWhatAnswered) {
  start();
  publish(second, "app");
  EXPECT_EQ(pull(), "layer");
  EXPECT_EQ(first.count(), 1);
  EXPECT_EQ(second.count(), 3);
  EXPECT_EQ(upstream.count(), 0);
}

TEST_F(Mirrors, FailuresFallThroughToTheRegistry) {
  start();
  publish(upstream, "app");
  for (const int status : {401, 403, 404, 429, 500, 503}) {
    for (auto* mirror : {&first, &second}) {
      mirror->clear_script();
      mirror->on({"", "", 1, 0}, Fault{.status = status});
    }
    restart();
    EXPECT_EQ(pull(), "layer") << status;
  }
  for (auto* mirror : {&first, &second}) {
    mirror->clear_script();
    mirror->on({"", "", 1, 0}, Fault{.drop = true});
  }
  client.reset();
  transport = net::make_curl_transport("tektii-test/1");  // with new connections
  restart();
  first.clear_requests();
  EXPECT_EQ(pull(), "layer");
  EXPECT_EQ(pull(), "layer");
  EXPECT_EQ(first.count(), 1);  // what can't be spoken to is not asked again
}

TEST_F(Mirrors, ABlobThatBreaksGoesOnElsewhere) {
  start();
  publish(first, "cache/app");
  publish(upstream, "app");
  const auto blob = image.sealed.layers.at(0).blob.digest.str();
  first.on({"GET", blob, 1, 0}, Fault{.cut_answer_after = 2});
  EXPECT_EQ(pull(), "layer");
  EXPECT_EQ(second.count("GET", blob), 1);
  ASSERT_EQ(upstream.count("GET", blob), 1);
  EXPECT_EQ(upstream.requests("GET", blob)[0].header("Range"), "bytes=2-");
}

TEST_F(Mirrors, WrongContentIsNotTaken) {
  start();
  publish(first, "cache/app");
  publish(upstream, "app");
  first.on({"GET", "/manifests/", 1, 0}, Fault{.alter_body = [](std::string& body) { body[0] = ' '; }});
  EXPECT_EQ(pull("@" + image.sealed.manifest.digest.str()), "layer");
  EXPECT_GE(upstream.count("GET", "/manifests/"), 1);
}

TEST_F(Mirrors, TheRegistrysWordIsFinal) {
  start();
  try {
    pull();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::not_found);
  }
  EXPECT_EQ(upstream.count(), 1);
}

TEST_F(Mirrors, ByDigestOnly) {
  start("mirror-by-digest-only = true\n");
  publish(first, "cache/app");
  publish(upstream, "app");
  EXPECT_EQ(pull(), "layer");
  EXPECT_EQ(first.count(), 0);
  EXPECT_EQ(pull("@" + image.sealed.manifest.digest.str()), "layer");
  EXPECT_EQ(upstream.count(), 3);
}

TEST_F(Mirrors, GetNoCredentialsOfTheRegistry) {
  class Recorded : public CredentialSource {
   public:
    std::optional<Credentials> find(const std::string& registry, const std::string& /*repository*/,
                                    const std::stop_token& /*stop*/) override {
      asked.push_back(registry);
      return std::nullopt;
    }
    std::vector<std::string> asked;
  } recorded;
  write("etc/containerd/certs.d/_default/hosts.toml", "[host.\"http://" + first.name() + "\"]\n");
  hosts = std::make_unique<RegistryHosts>(options());
  RegistryDeps deps{*transport, recorded, &clock};
  deps.hosts = hosts.get();
  client = std::make_unique<RegistryClient>(deps);
  publish(upstream, "app");
  first.on({"", "", 1, 0}, Fault{.status = 401, .headers = {{"WWW-Authenticate", "Basic realm=\"m\""}}});
  EXPECT_EQ(pull(), "layer");
  EXPECT_THAT(recorded.asked, ElementsAre(first.name()));
  EXPECT_THAT(first.lines().at(0), HasSubstr("?ns=127.0.0.1%3A"));
  for (const auto& line : upstream.lines()) EXPECT_THAT(line, ::testing::Not(HasSubstr("ns=")));
}

TEST_F(Mirrors, AreNotPushedTo) {
  start();
  client->target(oci::ImageReference::parse(upstream.name() + "/app:1"))
      ->put_blob({image.sealed.layers.at(0).blob, [] { return std::make_unique<StringSource>("layer"); }, {}}, {});
  EXPECT_EQ(first.count(), 0);
  EXPECT_EQ(second.count(), 0);
  EXPECT_GE(upstream.count("PUT"), 1);
}

}  // namespace
}  // namespace tektii::registry
