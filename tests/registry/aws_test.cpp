#include "registry/aws/credential_chain.hpp"
#include "registry/aws/ecr_credentials.hpp"
#include "registry/aws/ecr_host.hpp"
#include "registry/aws/sts.hpp"
#include "support/aws_server.hpp"
#include "support/fake_clock.hpp"
#include <tektii/registry/cloud.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace tektii::registry::aws {
namespace {

using tektii::testing::AwsServer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* k_registry = "123456789012.dkr.ecr.us-east-1.amazonaws.com";

struct HostCase {
  const char* host;
  const char* api;  // empty: not ECR
};

class EcrHosts : public ::testing::TestWithParam<HostCase> {};

TEST_P(EcrHosts, NameTheirService) {
  const auto host = parse_ecr_host(GetParam().host);
  ASSERT_EQ(host.has_value(), *GetParam().api != '\0');
  if (!host) return;
  EXPECT_EQ(host->api_url(), GetParam().api);
}

INSTANTIATE_TEST_SUITE_P(
    Forms, EcrHosts,
    ::testing::Values(
        HostCase{k_registry, "https://api.ecr.us-east-1.amazonaws.com/"},
        HostCase{"123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com",
                 "https://api.ecr-fips.us-gov-west-1.amazonaws.com/"},
        HostCase{"123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", "https://api.ecr.cn-north-1.amazonaws.com.cn/"},
        HostCase{"123456789012.dkr.ecr.us-isob-east-1.sc2s.sgov.gov", "https://api.ecr.us-isob-east-1.sc2s.sgov.gov/"},
        HostCase{"123456789012.dkr-ecr.eu-west-1.on.aws", "https://ecr.eu-west-1.api.aws/"},
        HostCase{"123456789012.dkr-ecr-fips.us-east-1.on.aws", "https://ecr-fips.us-east-1.api.aws/"},
        HostCase{"123456789012.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn",
                 "https://ecr.cn-north-1.api.amazonwebservices.com.cn/"},
        HostCase{"public.ecr.aws", "https://api.ecr-public.us-east-1.amazonaws.com/"},
        HostCase{"12345678901.dkr.ecr.us-east-1.amazonaws.com", ""},
        HostCase{"123456789012.dkr.ecr.us-east-1.amazonaws.com.evil.com", ""},
        HostCase{"evil.123456789012.dkr.ecr.us-east-1.amazonaws.com", ""},
        HostCase{"123456789012.dkr.ecr.us-east-1.amazonaws.com:443", ""},
        HostCase{"123456789012.dkr.ecr.us/east.amazonaws.com", ""}, HostCase{"ghcr.io", ""}));

TEST(AwsProfiles, AreReadAsTheAwsToolsDo) {
  const Profiles config = parse_profiles(
      "# a comment\n[default]\nregion = eu-west-1\n\n[profile ci]\nROLE_ARN=arn:x\ns3 =\n  role_arn = nested\n"
      "[profile \"with space\"]\na = b = c\n[sso-session x]\nsso_region = z\n[broken\n[profile]\nq=1\n",
      true);
  EXPECT_EQ(config.at("default").at("region"), "eu-west-1");
  EXPECT_EQ(config.at("ci").at("role_arn"), "arn:x");
  EXPECT_EQ(config.at("with space").at("a"), "b = c");
  EXPECT_EQ(config.count("x") + config.count("sso-session x"), 0U);
  const Profiles credentials = parse_profiles("[ci]\r\naws_access_key_id = A\r\n;x\r\n[profile ci]\nb=c", false);
  EXPECT_EQ(credentials.at("ci").at("aws_access_key_id"), "A");
  EXPECT_EQ(credentials.at("profile ci").at("b"), "c");
}

TEST(StsXml, TextOfAnElement) {
  EXPECT_EQ(xml_text("<a><Code> x </Code><Code>y</Code></a>", "Code"), "x");
  EXPECT_EQ(xml_text("<a><Code>unfinished", "Code"), "");
  EXPECT_EQ(xml_text("", "Code"), "");
}

// An empty environment but for the stand-in's address and what a test sets.
class AwsTest : public ::testing::Test {
 protected:
  AwsTest() {
    set("HOME", directory.path().string());
    set("AWS_ENDPOINT_URL", server.url());
    set("AWS_EC2_METADATA_SERVICE_ENDPOINT", server.url("/"));
  }
  void TearDown() override { EXPECT_EQ(server.signature_faults().size(), expected_faults); }

  void set(const std::string& name, const std::string& value) { variables[name] = value; }
  void set_keys() {
    set("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE");
    set("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
  }
  void write_config(const std::string& text) {
    make_directories(directory.path() / ".aws");
    write_file_atomic(directory.path() / ".aws" / "config", text, 0600);
  }
  CloudDeps deps() {
    return {*transport, clock, [this](const char* name) -> std::optional<std::string> {
              const auto found = variables.find(name);
              return found == variables.end() ? std::nullopt : std::optional<std::string>(found->second);
            }};
  }
  // The access key that the chain ends with.
  std::string key() {
    const auto cloud = deps();
    const auto credentials = CredentialChain(cloud, "us-east-1").find({});
    return credentials ? credentials->access_key_id : "";
  }
  std::string password(const std::string& registry = k_registry) {
    EcrCredentials source(deps());
    const auto credentials = source.find(registry, "app", {});
    return credentials ? credentials->username + " " + credentials->password.reveal() : "";
  }
  Error error_of(const std::function<void()>& call) {
    try {
      call();
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "no Error";
    return Error(ErrorKind::failure, "none");
  }

  std::size_t expected_faults = 0;
  TempDir directory;
  std::map<std::string, std::string> variables;
  tektii::testing::FakeClock clock;
  AwsServer server;
  std::unique_ptr<net::HttpTransport> transport = net::make_curl_transport("tektii-test/1");
};

TEST_F(AwsTest, TokensAreBoughtWithASignedRequest) {
  set_keys();
  EXPECT_EQ(password(), "AWS pw:ecr");
  EXPECT_EQ(password("public.ecr.aws"), "AWS pw:ecr-public");
  EXPECT_THAT(server.calls(), ElementsAre("ecr GetAuthorizationToken", "ecr-public GetAuthorizationToken"));
  const auto request = server.http().requests().at(0);
  EXPECT_EQ(request.body, "{}");
  EXPECT_EQ(request.header("Content-Type"), "application/x-amz-json-1.1");
}

TEST_F(AwsTest, AWrongSecretIsSeen) {
  set_keys();
  set("AWS_SECRET_ACCESS_KEY", "wrong");
  const Error error = error_of([&] { password(); });
  EXPECT_EQ(error.kind(), ErrorKind::denied);
  EXPECT_THAT(error.what(), HasSubstr("InvalidSignatureException"));
  EXPECT_THAT(error.what(), HasSubstr("the credentials of the environment"));
  expected_faults = 1;
}

TEST_F(AwsTest, SessionTokensAreSigned) {
  set("AWS_ACCESS_KEY_ID", "ASIAROLE");
  set("AWS_SECRET_ACCESS_KEY", "secret/of+ROLE");
  set("AWS_SESSION_TOKEN", "session/token+of==ROLE");
  EXPECT_EQ(password(), "AWS pw:ecr");
}

TEST_F(AwsTest, AWebIdentityByFile) {
  write_file_atomic(directory.path() / "token", "eks.token\n");
  set("AWS_WEB_IDENTITY_TOKEN_FILE", (directory.path() / "token").string());
  set("AWS_ROLE_ARN", "arn:aws:iam::1:role/web");
  EXPECT_EQ(password(), "AWS pw:ecr");
  EXPECT_THAT(server.calls(), ElementsAre("sts AssumeRoleWithWebIdentity arn:aws:iam::1:role/web eks.token",
                                          "ecr GetAuthorizationToken"));
  EXPECT_FALSE(server.http().requests().at(0).header("Authorization").has_value()) << "this call is not signed";
}

TEST_F(AwsTest, GitHubSaysWhoTheJobIs) {
  set("AWS_ROLE_ARN", "arn:aws:iam::1:role/ci");
  set("ACTIONS_ID_TOKEN_REQUEST_URL", server.url("/github?api-version=2.0"));
  set("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "github-request-token");
  EXPECT_EQ(password(), "AWS pw:ecr");
  EXPECT_THAT(server.calls(), ElementsAre("github sts.amazonaws.com",
                                          "sts AssumeRoleWithWebIdentity arn:aws:iam::1:role/ci github.identity.token",
                                          "ecr GetAuthorizationToken"));
  set("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "wrong");
  EXPECT_THAT(error_of([&] { password(); }).hints().at(0), HasSubstr("id-token: write"));
}

TEST_F(AwsTest, ProfilesWithTheirManySources) {
  set_keys();
  write_config(
      "[default]\naws_access_key_id = DEFAULT\naws_secret_access_key = x\n"
      "[profile base]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = "
      "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY\n"
      "[profile role]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = base\nexternal_id = ext\n"
      "[profile self]\nrole_arn = arn:aws:iam::1:role/s\nsource_profile = self\naws_access_key_id = AKIDEXAMPLE\n"
      "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY\n"
      "[profile chain]\nrole_arn = arn:aws:iam::1:role/c\nsource_profile = role\n"
      "[profile env]\nrole_arn = arn:aws:iam::1:role/e\ncredential_source = Environment\n"
      "[profile process]\ncredential_process = echo "
      "'{\"Version\":1,\"AccessKeyId\":\"PROC\",\"SecretAccessKey\":\"x\"}'\n");
  for (const auto& [profile, expected] : std::map<std::string, std::string>{{"base", "AKIDEXAMPLE"},
                                                                            {"role", "ASIAROLE"},
                                                                            {"self", "ASIAROLE"},
                                                                            {"chain", "ASIAROLE"},
                                                                            {"env", "ASIAROLE"},
                                                                            {"process", "PROC"},
                                                                            {"default", "DEFAULT"}}) {
    set("AWS_PROFILE", profile);
    EXPECT_EQ(key(), expected) << profile;
  }
  EXPECT_THAT(server.calls(), ::testing::Contains("sts AssumeRole arn:aws:iam::1:role/r ext"));
  variables.erase("AWS_PROFILE");
  EXPECT_EQ(key(), "AKIDEXAMPLE") << "the environment beats the default profile";
  variables.erase("AWS_ACCESS_KEY_ID");
  EXPECT_EQ(key(), "DEFAULT");
}

TEST_F(AwsTest, ProfilesThatAreOfNoUseAreNamed) {
  write_config(
      "[profile loop1]\nrole_arn = a\nsource_profile = loop2\n[profile loop2]\nrole_arn = b\nsource_profile = loop1\n"
      "[profile sso]\nsso_session = x\n[profile mfa]\nrole_arn = a\nsource_profile = x\nmfa_serial = arn\n"
      "[profile odd]\nrole_arn = a\ncredential_source = Moon\n[profile alone]\nrole_arn = a\n"
      "[profile fails]\ncredential_process = echo locked >&2; exit 7\n[profile garbage]\ncredential_process = echo "
      "'<x>'\n"
      "[profile empty]\nregion = x\n[profile half]\naws_access_key_id = A\n");
  const std::map<std::string, std::string> cases = {
      {"loop1", "is the source of its own role"},
      {"sso", "which is not supported"},
      {"mfa", "a second factor"},
      {"odd", "unknown credential_source 'Moon'"},
      {"alone", "neither source_profile nor credential_source"},
      {"fails", "failed with exit code 7: locked"},
      {"garbage", "printed no credentials"},
      {"empty", "has no credentials"},
      {"half", "without its secret"},
      {"nowhere", "in neither of the files"},
  };
  for (const auto& [profile, reason] : cases) {
    set("AWS_PROFILE", profile);
    const Error error = error_of([&] { key(); });
    EXPECT_EQ(error.kind(), ErrorKind::denied);
    EXPECT_THAT(error.what(), HasSubstr(reason)) << profile;
  }
}

TEST_F(AwsTest, TheMetadataServiceOfAContainer) {
  server.container_token = "container-token";
  set("AWS_CONTAINER_CREDENTIALS_FULL_URI", server.url("/container"));
  write_file_atomic(directory.path() / "pod-token", "container-token\n");
  set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "overruled");
  set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", (directory.path() / "pod-token").string());
  EXPECT_EQ(password(), "AWS pw:ecr");
  EXPECT_THAT(server.calls(), ElementsAre("container", "ecr GetAuthorizationToken"));
  for (const char* bad : {"http://10.0.0.1/x", "http://example.com/x", "http://169.254.170.3/"}) {
    set("AWS_CONTAINER_CREDENTIALS_FULL_URI", bad);
    EXPECT_THAT(error_of([&] { key(); }).what(), HasSubstr("neither https nor a service of this machine"));
  }
}

TEST_F(AwsTest, TheMetadataServiceOfAnInstance) {
  EXPECT_EQ(key(), "") << "an instance without a role";
  server.instance_role = "builder";
  EXPECT_EQ(password(), "AWS pw:ecr");
  EXPECT_THAT(server.calls(), ElementsAre("instance", "ecr GetAuthorizationToken"));
  set("AWS_EC2_METADATA_DISABLED", "true");
  EXPECT_EQ(key(), "");
}

TEST_F(AwsTest, WithoutAnyCredentialsItIsAnonymous) {
  set("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1");
  EXPECT_EQ(password(), "");
  EXPECT_EQ(password("ghcr.io"), "");
  EXPECT_THAT(server.calls(), IsEmpty());
}

TEST_F(AwsTest, TokensAreKeptUntilHalfTheirLife) {
  set_keys();
  const auto seconds = [&] { return std::chrono::duration<double>(clock.now().time_since_epoch()).count(); };
  server.token_expires = seconds() + 12 * 3600;
  EcrCredentials source(deps());
  const auto count = [&] { return server.calls().size(); };
  source.find(k_registry, "a", {});
  source.find(k_registry, "b", {});
  clock.advance(std::chrono::hours(5));
  source.find(k_registry, "a", {});
  EXPECT_EQ(count(), 1U);
  clock.advance(std::chrono::hours(2));
  server.token_expires = seconds() + 12 * 3600;
  source.find(k_registry, "a", {});
  EXPECT_EQ(count(), 2U);
  // Half is over and no new one can be had: the old one is used on.
  server.ecr_status = 400;
  clock.advance(std::chrono::hours(7));
  EXPECT_EQ(source.find(k_registry, "a", {})->password.reveal(), "pw:ecr");
  source.find(k_registry, "a", {});
  EXPECT_EQ(count(), 3U) << "and not asked for again at once";
  clock.advance(std::chrono::hours(6));
  EXPECT_THROW(source.find(k_registry, "a", {}), Error) << "until it is over";
}

TEST_F(AwsTest, RefusalsSayWhatIsMissing) {
  set_keys();
  server.ecr_status = 400;
  const Error error = error_of([&] { password(); });
  EXPECT_EQ(error.kind(), ErrorKind::denied);
  EXPECT_THAT(error.what(), HasSubstr("Amazon ECR answered 400 (AccessDeniedException: not today)"));
  EXPECT_THAT(error.hints().at(0), HasSubstr("ecr:GetAuthorizationToken"));
  EXPECT_EQ(password("public.ecr.aws"), "") << "anybody may pull from there";
  set("AWS_ROLE_ARN", "arn:aws:iam::1:role/denied");
  set("AWS_WEB_IDENTITY_TOKEN_FILE", "/dev/null");
  variables.erase("AWS_ACCESS_KEY_ID");
  EXPECT_THAT(error_of([&] { password(); }).what(), HasSubstr("AWS STS answered 403 (AccessDenied: because)"));
}

TEST_F(AwsTest, RepositoriesAreCreated) {
  set_keys();
  EXPECT_EQ(registry::create_repository(deps(), k_registry, "team/app", {}), RepositoryCreation::created);
  EXPECT_THAT(server.calls(), ElementsAre("ecr CreateRepository", R"({"repositoryName":"team/app"})"));
  registry::create_repository(deps(), "public.ecr.aws", "alias/team/app", {});
  EXPECT_EQ(server.calls().back(), R"({"repositoryName":"team/app"})");
  server.repository_error = "RepositoryAlreadyExistsException";
  EXPECT_EQ(registry::create_repository(deps(), k_registry, "app", {}), RepositoryCreation::existed);
  server.repository_error = "AccessDeniedException";
  EXPECT_EQ(registry::create_repository(deps(), k_registry, "app", {}), RepositoryCreation::not_allowed);
  server.repository_error = "LimitExceededException";
  EXPECT_THROW(registry::create_repository(deps(), k_registry, "app", {}), Error);
  EXPECT_EQ(error_of([&] { registry::create_repository(deps(), "ghcr.io", "app", {}); }).kind(), ErrorKind::usage);
}

TEST_F(AwsTest, WhatTheUserWroteComesFirst) {
  set_keys();
  set("DOCKER_AUTH_CONFIG",
      fmt::format(R"({{"auths":{{"{}":{{"auth":"{}"}}}}}})", k_registry, base64_encode("me:own")));
  ConfigOptions options;
  options.env = deps().env;
  const auto source = make_default_credentials(options, deps());
  EXPECT_EQ(source->find(k_registry, "app", {})->username, "me");
  EXPECT_EQ(source->find("210987654321.dkr.ecr.us-east-1.amazonaws.com", "app", {})->username, "AWS");
  EXPECT_FALSE(source->find("ghcr.io", "app", {}).has_value());
}

TEST_F(AwsTest, GooglesMetadataServerIsAskedForGooglesRegistriesAlone) {
  set("AWS_EC2_METADATA_DISABLED", "true");
  set("GCE_METADATA_HOST", server.http().host_port());
  server.google_token = "ya29.token";
  ConfigOptions options;
  options.env = deps().env;
  const auto source = make_default_credentials(options, deps());
  for (const char* other : {"ghcr.io", "docker.io", "evil-gcr.io", "gcr.io.evil.com", "mirror.gcr.io", k_registry}) {
    EXPECT_FALSE(source->find(other, "app", {}).has_value()) << other;
  }
  EXPECT_THAT(server.calls(), IsEmpty());
  for (const char* own : {"europe-docker.pkg.dev", "gcr.io", "eu.gcr.io"}) {
    const auto credentials = source->find(own, "app", {});
    ASSERT_TRUE(credentials.has_value()) << own;
    EXPECT_EQ(credentials->username + " " + credentials->password.reveal(), "oauth2accesstoken ya29.token");
  }
  EXPECT_THAT(server.calls(), ElementsAre("google"));
  clock.advance(std::chrono::minutes(31));
  source->find("gcr.io", "app", {});
  EXPECT_EQ(server.calls().size(), 2U) << "renewed after half its life";
}

TEST_F(AwsTest, NoGoogleMachineIsAnonymous) {
  set("GCE_METADATA_HOST", "127.0.0.1:1");
  ConfigOptions options;
  options.env = deps().env;
  EXPECT_FALSE(make_default_credentials(options, deps())->find("gcr.io", "app", {}).has_value());
}

}  // namespace
}  // namespace tektii::registry::aws
