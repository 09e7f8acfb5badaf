#include "cli/build/run_options.hpp"

#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/process.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace tektii::cli {
namespace {

using ::testing::HasSubstr;

class RunOptionsTest : public ::testing::Test {
 protected:
  RunOptionsTest() {
    ::unsetenv("SSH_AUTH_SOCK");
    write_file_atomic(path("token"), "hidden");
  }

  std::string path(const std::string& name) const { return (directory_.path() / name).string(); }
  void read() { agents_ = read_run_options(options_, request_); }
  std::string error() {
    try {
      read();
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), testing::Not(HasSubstr("hidden")));
      std::string text = error.what();
      for (const auto& hint : error.hints()) text += "\n" + hint;
      return text;
    }
    return "the options were accepted";
  }

  TempDir directory_;
  RunOptions options_;
  builder::BuildRequest request_;
  StartedAgents agents_;
};

TEST_F(RunOptionsTest, SecretsInAllForms) {
  ::setenv("TEKTII_TEST_TOKEN", "hidden", 1);
  const auto file = path("token");
  options_.secrets = {"id=a,src=" + file,    "ID=b,source=" + file + ",type=file", "id=c,env=TEKTII_TEST_TOKEN",
                      "type=env,id=d,env=X", "type=env,id=TEKTII_TEST_TOKEN",      "type=env,id=e,src=Y",
                      "id=" + file};
  read();
  EXPECT_EQ(request_.secrets.at("a").file, file);
  EXPECT_EQ(request_.secrets.at("b").file, file);
  EXPECT_EQ(request_.secrets.at("c").environment, "TEKTII_TEST_TOKEN");
  EXPECT_EQ(request_.secrets.at("d").environment, "X");
  EXPECT_EQ(request_.secrets.at("TEKTII_TEST_TOKEN").environment, "TEKTII_TEST_TOKEN");
  EXPECT_EQ(request_.secrets.at("e").environment, "Y");
  EXPECT_EQ(request_.secrets.at(file).file, file);
  options_.secrets = {"id=TEKTII_TEST_TOKEN"};
  read();
  EXPECT_EQ(request_.secrets.at("TEKTII_TEST_TOKEN").environment, "TEKTII_TEST_TOKEN");
}

TEST_F(RunOptionsTest, SecretsThatAreWrong) {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"token", "token is no key=value"},
      {"src=" + path("token"), "the id is missing"},
      {"id=a,scr=x", "unknown key scr"},
      {"id=a,type=vault", "type vault is not supported"},
      {"id=a,src=" + path("none"), "there is no file"},
      {"id=a,src=" + path("."), "is a directory"},
  };
  for (const auto& [given, message] : rows) {
    options_.secrets = {given};
    EXPECT_THAT(error(), HasSubstr(message)) << given;
  }
  write_file_atomic(path("large"), std::string((500 << 10) + 1, 'x'));
  options_.secrets = {"id=a,src=" + path("large")};
  EXPECT_THAT(error(), HasSubstr("at most 500 KiB"));
}

TEST_F(RunOptionsTest, AgentsThatAreThere) {
  const int server = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path("agent").copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(server, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ::setenv("SSH_AUTH_SOCK", "/of/the/environment", 1);
  options_.ssh = {"default", "git=" + path("agent")};
  read();
  ::close(server);
  ::unsetenv("SSH_AUTH_SOCK");
  EXPECT_EQ(request_.ssh_agents.at("default"), "/of/the/environment");
  EXPECT_EQ(request_.ssh_agents.at("git"), path("agent"));
  EXPECT_TRUE(agents_.empty());
}

TEST_F(RunOptionsTest, AgentsThatAreNot) {
  options_.ssh = {"default"};
  EXPECT_THAT(error(), HasSubstr("SSH_AUTH_SOCK is not set"));
  options_.ssh = {"git=" + path("none")};
  EXPECT_THAT(error(), HasSubstr("there is no file"));
}

TEST_F(RunOptionsTest, AgentIsStartedForKeysAndEndsWithThem) {
  if (run_process({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path("key")}).not_found) {
    GTEST_SKIP() << "OpenSSH is not installed";
  }
  ASSERT_EQ(run_process({"ssh-keygen", "-q", "-t", "ed25519", "-N", "passphrase", "-f", path("locked")}).exit_code, 0);
  options_.ssh = {"default=" + path("key")};
  read();
  const auto socket = request_.ssh_agents.at("default");
  ProcessOptions process;
  process.extra_env = {"SSH_AUTH_SOCK=" + socket.string()};
  EXPECT_THAT(run_process({"ssh-add", "-l"}, process).out, HasSubstr("ED25519"));
  agents_.clear();
  EXPECT_FALSE(std::filesystem::exists(socket));
  EXPECT_NE(run_process({"ssh-add", "-l"}, process).exit_code, 0);
  request_.ssh_agents.clear();
  options_.ssh = {"default=" + path("locked")};
  EXPECT_THAT(error(), HasSubstr("it has a passphrase"));
  request_.ssh_agents.clear();
  options_.ssh = {"default=" + path("token")};
  EXPECT_THAT(error(), HasSubstr("is no private key"));
}

TEST_F(RunOptionsTest, Entitlements) {
  options_.allow = {"security.insecure"};
  options_.network = "host";
  read();
  EXPECT_TRUE(request_.entitlements.contains("security.insecure"));
  EXPECT_TRUE(request_.entitlements.contains("network.host"));
  EXPECT_EQ(request_.default_network, "host");
  options_.allow = {"security.insecur"};
  EXPECT_THAT(error(), HasSubstr("did you mean security.insecure?"));
  options_.allow.clear();
  options_.network = "bridge";
  EXPECT_THAT(error(), HasSubstr("there is no such network"));
}

TEST_F(RunOptionsTest, Surroundings) {
  options_.ulimits = {"nofile=1024", "nofile=10:-1", "core=0"};
  options_.add_hosts = {"db:10.0.0.1", "six=[::1]", "me:host-gateway"};
  options_.shm_size = "1m";
  read();
  ASSERT_EQ(request_.ulimits.size(), 2U);
  EXPECT_EQ(request_.ulimits[0].name, "nofile");
  EXPECT_EQ(request_.ulimits[0].soft, 10U);
  EXPECT_EQ(request_.ulimits[0].hard, exec::k_unlimited);
  EXPECT_EQ(request_.extra_hosts, (std::vector<std::pair<std::string, std::string>>{
                                      {"db", "10.0.0.1"}, {"six", "::1"}, {"me", "127.0.0.1"}}));
  EXPECT_EQ(request_.shm_size, 1U << 20);
}

TEST_F(RunOptionsTest, SurroundingsThatAreWrong) {
  for (const char* given : {"nofile", "nofiel=1", "nofile=x", "nofile=2:1", "nofile=1:2:3"}) {
    options_.ulimits = {given};
    EXPECT_THAT(error(), HasSubstr("--ulimit")) << given;
  }
  options_.ulimits.clear();
  for (const char* given : {"db", ":1.2.3.4", "db:example.com"}) {
    options_.add_hosts = {given};
    EXPECT_THAT(error(), HasSubstr("--add-host")) << given;
  }
  options_.add_hosts.clear();
  options_.shm_size = "much";
  EXPECT_THAT(error(), HasSubstr("--shm-size much: this is no size"));
}

}  // namespace
}  // namespace tektii::cli
