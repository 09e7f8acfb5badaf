#include "registry/faults/fault_fixture.hpp"
#include "support/certificates.hpp"
#include "support/relay_server.hpp"
#include <tektii/registry/hosts.hpp>
#include <tektii/util/file.hpp>

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <map>

namespace tektii::registry {
namespace {

using tektii::testing::CertificateWish;
using tektii::testing::MadeCertificate;
using tektii::testing::make_certificate;
using tektii::testing::ProxyServer;
using tektii::testing::TlsServer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// A client as the options and the configuration below a directory make it.
struct Configured {
  explicit Configured(CredentialSource& credentials, Clock& clock, HostOptions options)
      : hosts(std::move(options)),
        transport(
            net::make_curl_transport("tektii-test/1", [this](const net::Url& url) { return hosts.tls_for(url); })),
        client(deps(credentials, clock)) {}

  RegistryDeps deps(CredentialSource& credentials, Clock& clock) {
    RegistryDeps deps{*transport, credentials, &clock};
    deps.hosts = &hosts;
    return deps;
  }

  RegistryHosts hosts;
  std::unique_ptr<net::HttpTransport> transport;
  RegistryClient client;
};

// Variables of the environment for the life of this object.
class Environment {
 public:
  explicit Environment(const std::map<std::string, std::string>& values) : values_(values) {
    for (const auto& [name, value] : values_) ::setenv(name.c_str(), value.c_str(), 1);
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  ~Environment() {
    for (const auto& [name, value] : values_) ::unsetenv(name.c_str());
  }

 private:
  std::map<std::string, std::string> values_;
};

// A registry behind TLS, and the directories of a machine that knows nothing of it.
struct SecureRegistry {
  SecureRegistry(FaultServer& backend, TlsServer::Options options) : tls(std::move(options), backend.port()) {
    backend.store().add_blob("app", "layer");
    std::filesystem::create_directory(dir.path() / "none");
  }
  HostOptions options(std::optional<std::filesystem::path> cert_dir = std::nullopt) const {
    HostOptions options;
    options.root = dir.path();
    options.env = [](const char*) { return std::nullopt; };
    options.cert_dir = cert_dir ? cert_dir : dir.path() / "none";
    return options;
  }
  std::string fetch(RegistryClient& client, const std::string& host) const {
    StringSink sink;
    const oci::Descriptor blob{std::string(oci::k_media_layer), oci::Digest::of_bytes("layer"), 5};
    client.image(oci::ImageReference::parse(host + "/app:1"))->fetch(blob, sink, {});
    return sink.take();
  }

  TempDir dir;
  TlsServer tls;
};

TEST_F(FaultTable, Row37_CertificatesThatAreNotAccepted) {
  TempDir dir;
  const auto authority = make_certificate(dir.path(), "ca", {.common_name = "Test Authority", .is_authority = true});
  const auto make = [&](const char* name, const CertificateWish& wish) {
    return make_certificate(dir.path(), name, wish, &authority);
  };
  const struct {
    MadeCertificate certificate;
    bool trusted;
    const char* message;
    const char* hint;
  } cases[] = {
      {make_certificate(dir.path(), "own", {}), false, "is self-signed", "/etc/containers/certs.d/127.0.0.1:"},
      {make("good", {}), false, "is signed by an unknown authority", "--cert-dir"},
      {make("old", {.valid_from = std::chrono::hours(-2), .valid_until = std::chrono::hours(-1)}), true, "has expired",
       "clock"},
      {make("young", {.valid_from = std::chrono::hours(1), .valid_until = std::chrono::hours(2)}), true,
       "is not valid yet", "clock"},
      {make("other", {.names = {"DNS:other.example.com"}}), true, "is not made for the name 127.0.0.1",
       "alternative names"},
  };
  std::filesystem::create_directory(dir.path() / "trust");
  std::filesystem::copy(authority.certificate, dir.path() / "trust" / "ca.crt");
  for (const auto& test : cases) {
    const SecureRegistry registry(*server, {test.certificate});
    Configured configured(credentials, clock,
                          registry.options(test.trusted ? std::optional(dir.path() / "trust") : std::nullopt));
    const Error error = error_of([&] { registry.fetch(configured.client, registry.tls.name()); });
    EXPECT_EQ(error.kind(), ErrorKind::network);
    EXPECT_THAT(error.what(), HasSubstr(test.message));
    EXPECT_THAT(error.what(), HasSubstr("TLS: the certificate of " + registry.tls.name()));
    EXPECT_TRUE(hints_at(error, test.hint)) << test.message;
  }
  EXPECT_THAT(waits, IsEmpty());  // nobody mends a certificate while we wait
}

TEST_F(FaultTable, Row37_AnAuthorityOfOnesOwn) {
  TempDir dir;
  const auto authority = make_certificate(dir.path(), "ca", {.common_name = "Test Authority", .is_authority = true});
  const SecureRegistry registry(*server, {make_certificate(dir.path(), "good", {}, &authority)});
  for (const char* place : {"etc/containers/certs.d", "etc/docker/certs.d"}) {
    const auto certs = registry.dir.path() / place / registry.tls.name();
    make_directories(certs);
    std::filesystem::copy(authority.certificate, certs / "ca.crt");
    auto options = registry.options();
    options.cert_dir.reset();
    Configured configured(credentials, clock, options);
    EXPECT_EQ(registry.fetch(configured.client, registry.tls.name()), "layer") << place;
    std::filesystem::remove_all(certs);
  }
  const Environment environment({{"SSL_CERT_FILE", authority.certificate.string()}});
  Configured configured(credentials, clock, registry.options());
  EXPECT_EQ(registry.fetch(configured.client, registry.tls.name()), "layer");
}

TEST_F(FaultTable, Row37_ClientCertificates) {
  TempDir dir;
  const auto authority = make_certificate(dir.path(), "ca", {.common_name = "Test Authority", .is_authority = true});
  const auto good = make_certificate(dir.path(), "good", {}, &authority);
  const auto ours = make_certificate(dir.path(), "client", {.common_name = "bob"}, &authority);
  std::filesystem::create_directory(dir.path() / "trust");
  std::filesystem::copy(authority.certificate, dir.path() / "trust" / "ca.crt");
  std::filesystem::create_directory(dir.path() / "both");
  std::filesystem::copy(authority.certificate, dir.path() / "both" / "ca.crt");
  std::filesystem::copy(ours.certificate, dir.path() / "both" / "client.cert");
  std::filesystem::copy(ours.key, dir.path() / "both" / "client.key");
  for (const bool only_tls_1_2 : {false, true}) {
    const SecureRegistry registry(*server, {good, authority.certificate, only_tls_1_2});
    Configured without(credentials, clock, registry.options(dir.path() / "trust"));
    const Error error = error_of([&] { registry.fetch(without.client, registry.tls.name()); });
    EXPECT_THAT(error.what(), HasSubstr("client certificate"));
    EXPECT_TRUE(hints_at(error, "client.cert and client.key"));
    Configured with(credentials, clock, registry.options(dir.path() / "both"));
    EXPECT_EQ(registry.fetch(with.client, registry.tls.name()), "layer");
    EXPECT_GE(registry.tls.client_certificates(), 1);
  }
}

TEST_F(FaultTable, Row37_AnInsecureRegistryIsNotVerified) {
  TempDir dir;
  const SecureRegistry registry(*server, {make_certificate(dir.path(), "own", {})});
  auto options = registry.options();
  options.insecure = {registry.tls.name()};
  Configured configured(credentials, clock, options);
  EXPECT_EQ(registry.fetch(configured.client, registry.tls.name()), "layer");
  // Https is tried first; what does not speak it is spoken to in http.
  const tektii::testing::PlainServer plain_registry(server->port());
  options.insecure = {plain_registry.name()};
  options.cert_dir.reset();
  Configured plain(credentials, clock, options);
  EXPECT_EQ(registry.fetch(plain.client, plain_registry.name()), "layer");
}

TEST_F(FaultTable, Row38_Connect) {
  TempDir dir;
  const auto authority = make_certificate(dir.path(), "ca", {.common_name = "Test Authority", .is_authority = true});
  const auto good = make_certificate(dir.path(), "good", {.names = {"DNS:registry.test"}}, &authority);
  std::filesystem::create_directory(dir.path() / "trust");
  std::filesystem::copy(authority.certificate, dir.path() / "trust" / "ca.crt");
  const SecureRegistry registry(*server, {good});
  for (const char* variable : {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}) {
    ProxyServer proxy(registry.tls.port());
    const Environment environment({{variable, "http://" + proxy.name()}});
    Configured configured(credentials, clock, registry.options(dir.path() / "trust"));
    EXPECT_EQ(registry.fetch(configured.client, "registry.test:5000"), "layer") << variable;
    EXPECT_THAT(proxy.lines(), ElementsAre("CONNECT registry.test:5000 HTTP/1.1"));
  }
}

TEST_F(FaultTable, Row38_AProxyThatWantsALogin) {
  TempDir dir;
  const SecureRegistry registry(*server, {make_certificate(dir.path(), "own", {})});
  ProxyServer proxy(registry.tls.port(), {.login = "bob:right"});
  const Environment environment({{"HTTPS_PROXY", "http://bob:wr0ng@" + proxy.name()}});
  Configured configured(credentials, clock, registry.options());
  const Error error = error_of([&] { registry.fetch(configured.client, "registry.test"); });
  EXPECT_THAT(error.what(), HasSubstr("the proxy http://...@" + proxy.name() + " (HTTPS_PROXY)"));
  EXPECT_THAT(error.what(), HasSubstr("wants a login (407)"));
  EXPECT_THAT(error.what(), Not(HasSubstr("wr0ng")));
  EXPECT_TRUE(hints_at(error, "put it into HTTPS_PROXY"));
  EXPECT_FALSE(hints_at(error, "wr0ng"));
  EXPECT_THAT(waits, IsEmpty());
}

TEST_F(FaultTable, Row38_AProxyThatRefusesOrIsDead) {
  TempDir dir;
  const SecureRegistry registry(*server, {make_certificate(dir.path(), "own", {})});
  const auto fails = [&](const std::string& proxy) {
    const Environment environment({{"HTTPS_PROXY", "http://bob:geheim@" + proxy}});
    Configured configured(credentials, clock, registry.options());
    const Error error = error_of([&] { registry.fetch(configured.client, "registry.test"); });
    EXPECT_THAT(error.what(), Not(HasSubstr("geheim")));
    EXPECT_TRUE(hints_at(error, "NO_PROXY"));
    return std::string(error.what());
  };
  ProxyServer refusing(registry.tls.port(), {.connect_status = 403});
  EXPECT_THAT(fails(refusing.name()), HasSubstr("does not connect to registry.test:443: it answered 403"));
  std::string dead;
  { dead = ProxyServer(registry.tls.port()).name(); }
  EXPECT_THAT(fails(dead), HasSubstr("cannot connect to the proxy http://...@" + dead + " (HTTPS_PROXY)"));
}

TEST_F(FaultTable, Row38_HostsThatNeedNoProxy) {
  TempDir dir;
  const SecureRegistry registry(*server, {make_certificate(dir.path(), "own", {})});
  ProxyServer proxy(registry.tls.port());
  // This machine is reached without; other hosts of NO_PROXY are tested as a table (Proxy.NoProxyHasManyForms).
  const Environment environment({{"HTTP_PROXY", "http://" + proxy.name()}, {"HTTPS_PROXY", "http://" + proxy.name()}});
  auto options = registry.options();
  options.insecure = {registry.tls.name()};
  Configured configured(credentials, clock, options);
  EXPECT_EQ(registry.fetch(configured.client, registry.tls.name()), "layer");
  EXPECT_THAT(proxy.lines(), IsEmpty());
}

// HTTP/2 with its GOAWAY, REFUSED_STREAM and RST is not spoken at all: a server can't choose what is not offered.
TEST_F(FaultTable, Row39_OnlyHttp11IsOffered) {
  TempDir dir;
  const SecureRegistry registry(*server, {make_certificate(dir.path(), "own", {})});
  auto options = registry.options();
  options.insecure = {registry.tls.name()};
  Configured configured(credentials, clock, options);
  EXPECT_EQ(registry.fetch(configured.client, registry.tls.name()), "layer");
  for (const auto& offered : registry.tls.offers()) EXPECT_EQ(offered, "http/1.1");
  EXPECT_FALSE(registry.tls.offers().empty());
}

}  // namespace
}  // namespace tektii::registry
