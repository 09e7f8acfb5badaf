#include "registry/auth_places.hpp"
#include <tektii/registry/login.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <map>

namespace tektii::registry {
namespace {

namespace fs = std::filesystem;

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// A home directory of its own and an environment that a test sets.
class CredentialPlaces : public ::testing::Test {
 protected:
  CredentialPlaces() { variables["HOME"] = home().string(); }

  fs::path home() const { return directory.path() / "home"; }
  ConfigOptions options() {
    ConfigOptions result;
    result.env = [this](const char* name) -> std::optional<std::string> {
      const auto found = variables.find(name);
      return found == variables.end() ? std::nullopt : std::optional<std::string>(found->second);
    };
    return result;
  }
  static std::string auths(const std::string& user, const std::string& key = "r.io") {
    return fmt::format(R"({{"auths":{{"{}":{{"auth":"{}"}}}}}})", key, base64_encode(user + ":pw"));
  }
  static void write(const fs::path& file, const std::string& text) {
    make_directories(file.parent_path());
    write_file_atomic(file, text, 0600);
  }
  std::string user(const std::string& registry = "r.io", const std::string& repository = "team/app") {
    const auto credentials = make_config_credentials(options())->find(registry, repository, {});
    return credentials ? credentials->username : "";
  }

  TempDir directory;
  std::map<std::string, std::string> variables;
};

TEST_F(CredentialPlaces, AreReadInOrder) {
  EXPECT_EQ(user(), "");
  write(home() / ".dockercfg", fmt::format(R"({{"r.io":{{"auth":"{}"}}}})", base64_encode("legacy:pw")));
  EXPECT_EQ(user(), "legacy");
  write(home() / ".config/containers/auth.json", auths("home-podman"));
  EXPECT_EQ(user(), "home-podman");
  variables["XDG_CONFIG_HOME"] = (directory.path() / "xdg").string();
  EXPECT_EQ(user(), "legacy");
  write(directory.path() / "xdg/containers/auth.json", auths("xdg-podman"));
  EXPECT_EQ(user(), "xdg-podman");
  variables["XDG_RUNTIME_DIR"] = (directory.path() / "run").string();
  write(directory.path() / "run/containers/auth.json", auths("session-podman"));
  EXPECT_EQ(user(), "session-podman");
  write(home() / ".docker/config.json", auths("docker"));
  EXPECT_EQ(user(), "docker");
  variables["DOCKER_CONFIG"] = (directory.path() / "docker").string();
  EXPECT_EQ(user(), "session-podman");
  write(directory.path() / "docker/config.json", auths("docker-config"));
  EXPECT_EQ(user(), "docker-config");
  variables["REGISTRY_AUTH_FILE"] = (directory.path() / "named.json").string();
  EXPECT_EQ(user(), "docker-config") << "a file that is not there is passed over";
  write(directory.path() / "named.json", auths("named"));
  EXPECT_EQ(user(), "named");
  variables["DOCKER_AUTH_CONFIG"] = auths("variable");
  EXPECT_EQ(user(), "variable");
  variables["DOCKER_AUTH_CONFIG"] = auths("variable", "other.io");
  EXPECT_EQ(user(), "named");
}

TEST_F(CredentialPlaces, TheLongestPrefixOfAFileWins) {
  variables["DOCKER_AUTH_CONFIG"] = fmt::format(
      R"({{"auths":{{"r.io":{{"auth":"{}"}},"r.io/team":{{"auth":"{}"}},"r.io/team/app/sub":{{"auth":"{}"}}}}}})",
      base64_encode("host:x"), base64_encode("team:x"), base64_encode("sub:x"));
  EXPECT_EQ(user("r.io", "team/app"), "team");
  EXPECT_EQ(user("r.io", "team/app/sub/deep"), "sub");
  EXPECT_EQ(user("r.io", "teams/app"), "host");
}

TEST_F(CredentialPlaces, AnExplicitFileIsTheOnlyOne) {
  write(home() / ".docker/config.json", auths("docker"));
  auto given = options();
  given.auth_file = directory.path() / "own.json";
  EXPECT_FALSE(make_config_credentials(given)->find("r.io", "a", {}).has_value());
  write(*given.auth_file, auths("own"));
  EXPECT_EQ(make_config_credentials(given)->find("r.io", "a", {})->username, "own");
}

TEST_F(CredentialPlaces, AHelperIsAskedOncePerServer) {
  const TempDir bin;
  write_file_atomic(bin.path() / "docker-credential-count",
                    fmt::format("#!/bin/sh\nread -r server\necho \"$1 $server\" >> {}\n"
                                "echo '{{\"Username\":\"<token>\",\"Secret\":\"refresh\"}}'\n",
                                (bin.path() / "log").string()),
                    0755);
  const std::string path = ::getenv("PATH");
  ::setenv("PATH", (bin.path().string() + ":" + path).c_str(), 1);
  variables["DOCKER_AUTH_CONFIG"] = R"({"credsStore":"count"})";
  const auto source = make_config_credentials(options());
  for (const char* repository : {"a", "b", "c"}) {
    EXPECT_EQ(source->find("docker.io", repository, {})->identity_token.reveal(), "refresh");
  }
  source->find("r.io:5000", "a", {});
  ::setenv("PATH", path.c_str(), 1);
  EXPECT_EQ(read_file(bin.path() / "log"), "get https://index.docker.io/v1/\nget r.io:5000\n");
}

TEST_F(CredentialPlaces, LoginWritesOneEntryAndLogoutTakesItOut) {
  const fs::path file = home() / ".docker/config.json";
  const std::string before =
      "{\n\t\"auths\": {\n\t\t\"a.io\": {\"auth\": \"x\", \"email\": \"y\"}\n\t},\n\t\"n\": 1.50\n}\n";
  write(file, before);
  ::chmod(file.c_str(), 0644);
  const auto stored = store_login(options(), "r.io", {"bob", Secret("p:w"), {}, {}}, {});
  EXPECT_EQ(stored.place, file.string());
  EXPECT_FALSE(stored.encrypted);
  EXPECT_EQ(stored.shadowed_by, std::nullopt);
  const std::string text = read_file(file);
  EXPECT_THAT(text, HasSubstr("\"a.io\": {\"auth\": \"x\", \"email\": \"y\"},\n\t\t\"r.io\": {\n\t\t\t\"auth\": "));
  EXPECT_THAT(text, HasSubstr("\"n\": 1.50"));
  EXPECT_EQ(user(), "bob");
  struct stat info {};
  ASSERT_EQ(::stat(file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  const auto removed = remove_login(options(), "r.io", {});
  EXPECT_THAT(removed.removed_from, ElementsAre(file.string()));
  EXPECT_THAT(removed.left_in, IsEmpty());
  EXPECT_EQ(read_file(file), before);
  EXPECT_THAT(remove_login(options(), "r.io", {}).removed_from, IsEmpty());
}

TEST_F(CredentialPlaces, LoginMakesTheFileAndFollowsALink) {
  store_login(options(), "docker.io", {"bob", Secret("pw"), {}, {}}, {});
  EXPECT_EQ(user("docker.io", "library/x"), "bob");
  struct stat info {};
  ASSERT_EQ(::stat((home() / ".docker").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0700U);
  const fs::path real = directory.path() / "dotfiles.json";
  fs::rename(home() / ".docker/config.json", real);
  fs::create_symlink(real, home() / ".docker/config.json");
  store_login(options(), "r.io", {"eve", Secret("pw"), {}, {}}, {});
  EXPECT_TRUE(fs::is_symlink(home() / ".docker/config.json"));
  EXPECT_THAT(read_file(real), HasSubstr("r.io"));
}

TEST_F(CredentialPlaces, LoginReplacesOtherWaysToWriteTheRegistry) {
  write(home() / ".docker/config.json",
        fmt::format(R"({{"auths":{{"docker.io":{{"auth":"{0}"}},"docker.io/team":{{"auth":"{0}"}}}}}})",
                    base64_encode("old:pw")));
  store_login(options(), "docker.io", {"new", Secret("pw"), {}, {}}, {});
  EXPECT_EQ(user("docker.io", "library/x"), "new");
  EXPECT_EQ(user("docker.io", "team/x"), "old") << "a namespace of the registry is another login";
}

TEST_F(CredentialPlaces, LoginTellsWhatIsReadFirst) {
  variables["DOCKER_AUTH_CONFIG"] = auths("variable");
  EXPECT_EQ(store_login(options(), "r.io", {"bob", Secret("pw"), {}, {}}, {}).shadowed_by, "$DOCKER_AUTH_CONFIG");
  EXPECT_THAT(remove_login(options(), "r.io", {}).left_in, ElementsAre("$DOCKER_AUTH_CONFIG"));
}

TEST_F(CredentialPlaces, ADamagedFileIsNotOverwritten) {
  const fs::path file = home() / ".docker/config.json";
  write(file, "{\"auths\": ");
  EXPECT_THROW(store_login(options(), "r.io", {"bob", Secret("pw"), {}, {}}, {}), Error);
  EXPECT_EQ(read_file(file), "{\"auths\": ");
}

TEST_F(CredentialPlaces, LoginIsKeptByAHelper) {
  const TempDir bin;
  const std::string log = (bin.path() / "log").string();
  write_file_atomic(bin.path() / "docker-credential-keep", fmt::format("#!/bin/sh\necho \"$1 $(cat)\" >> {}\n", log),
                    0755);
  const std::string path = ::getenv("PATH");
  ::setenv("PATH", (bin.path().string() + ":" + path).c_str(), 1);
  const fs::path file = home() / ".docker/config.json";
  write(file, R"({"credsStore":"keep"})");
  const auto stored = store_login(options(), "r.io", {"bob", Secret("secret"), {}, {}}, {});
  const auto removed = remove_login(options(), "r.io", {});
  ::setenv("PATH", path.c_str(), 1);
  EXPECT_TRUE(stored.encrypted);
  EXPECT_EQ(stored.place, "docker-credential-keep");
  EXPECT_EQ(read_file(log), "store {\"Secret\":\"secret\",\"ServerURL\":\"r.io\",\"Username\":\"bob\"}\nerase r.io\n");
  EXPECT_THAT(removed.removed_from, ElementsAre(file.string(), "docker-credential-keep"));
  EXPECT_THAT(read_file(file), Not(HasSubstr("secret")));
}

TEST(LoginRegistry, IsAHost) {
  EXPECT_EQ(login_registry(""), "docker.io");
  EXPECT_EQ(login_registry("https://index.docker.io/v1/"), "docker.io");
  EXPECT_EQ(login_registry("https://GHCR.io/v2/"), "ghcr.io");
  EXPECT_EQ(login_registry("localhost:5000"), "localhost:5000");
  for (const char* bad : {"ghcr.io/me", "https://u@ghcr.io", "a b", "ghcr.io:port", "ghcr.io?x"}) {
    EXPECT_THROW(login_registry(bad), Error) << bad;
  }
}

}  // namespace
}  // namespace tektii::registry
