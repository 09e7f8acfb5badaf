#include <tektii/oci/image_config.hpp>
#include <tektii/util/error.hpp>

#include <gmock/gmock.h>

#include <chrono>
#include <string>

namespace tektii::oci {
namespace {

using testing::ElementsAre;

const std::string k_diff_id = "sha256:" + std::string(64, 'd');

// As BuildKit writes it.
const std::string k_buildkit =
    R"({"architecture":"amd64","author":"me","config":{"User":"app","ExposedPorts":{"8080/tcp":{},"9/udp":{}},)"
    R"("Env":["PATH=/bin","B=2","A=x=y"],"Entrypoint":["/entry"],"Cmd":["a","b"],"Volumes":{"/data":{}},)"
    R"("WorkingDir":"/app","Labels":{"k":"v","l":"w"},"StopSignal":"SIGINT",)"
    R"("Healthcheck":{"Test":["CMD","true"],"Interval":30000000000,"Retries":3},"OnBuild":["RUN x"],)"
    R"("Shell":["/bin/bash","-c"],"ArgsEscaped":true},"created":"2024-01-15T10:30:00Z",)"
    R"("history":[{"created":"2024-01-15T10:30:00Z","created_by":"COPY . . # buildkit","author":"me","comment":"c"},)"
    R"({"created_by":"CMD [\"a\"]","empty_layer":true}],"moby.buildkit.buildinfo.v1":"eyJ9","os":"linux",)"
    R"("os.features":["a"],"rootfs":{"type":"layers","diff_ids":[")" +
    k_diff_id + R"("]},"variant":"v2"})";

TEST(ImageConfig, KeepsEveryByteOfABuildkitConfig) {
  EXPECT_EQ(ImageConfig::parse(k_buildkit).serialise(), k_buildkit);
}

TEST(ImageConfig, ReadsEveryField) {
  const auto image = ImageConfig::parse(k_buildkit);
  EXPECT_EQ(image.platform, (Platform{"linux", "amd64", "v2"}));
  EXPECT_EQ(image.author, "me");
  EXPECT_EQ(image.created, "2024-01-15T10:30:00Z");
  EXPECT_EQ(image.diff_ids, std::vector{Digest::parse(k_diff_id)});
  ASSERT_EQ(image.history.size(), 2U);
  EXPECT_EQ(image.history[0].comment, "c");
  EXPECT_TRUE(image.history[1].empty_layer);
  EXPECT_EQ(image.unknown.at("os.features"), R"(["a"])");
  EXPECT_EQ(image.config.user, "app");
  EXPECT_THAT(image.config.exposed_ports, ElementsAre("8080/tcp", "9/udp"));
  EXPECT_EQ(image.config.get_env("A"), "x=y");
  EXPECT_EQ(image.config.entrypoint, std::vector<std::string>{"/entry"});
  EXPECT_THAT(image.config.volumes, ElementsAre("/data"));
  EXPECT_EQ(image.config.stop_signal, "SIGINT");
  EXPECT_THAT(image.config.shell, ElementsAre("/bin/bash", "-c"));
  EXPECT_THAT(image.config.on_build, ElementsAre("RUN x"));
  ASSERT_TRUE(image.config.healthcheck);
  EXPECT_EQ(image.config.healthcheck->interval, 30'000'000'000);
  EXPECT_EQ(image.config.healthcheck->retries, 3);
  EXPECT_EQ(image.config.unknown.at("ArgsEscaped"), "true");
}

TEST(ImageConfig, NullIsAbsentAsDockerWritesIt) {
  const auto image = ImageConfig::parse(
      R"({"architecture":"amd64","os":"linux","config":{"Hostname":"","Cmd":"old","Entrypoint":null,"Env":null,)"
      R"("Labels":null,"Volumes":null,"OnBuild":null},"history":null,"rootfs":{"type":"layers","diff_ids":null}})");
  EXPECT_EQ(image.config.entrypoint, std::nullopt);
  EXPECT_EQ(image.config.cmd, std::vector<std::string>{"old"});  // a single string is a list of one
  EXPECT_EQ(image.config.unknown.at("Hostname"), R"("")");
  EXPECT_TRUE(image.diff_ids.empty());
  EXPECT_EQ(image.serialise(), R"({"architecture":"amd64","config":{"Cmd":["old"],"Hostname":""},"os":"linux",)"
                               R"("rootfs":{"type":"layers","diff_ids":[]}})");
}

TEST(ImageConfig, BytesThatAreNotUtf8BecomeReplacementCharacters) {
  ImageConfig image;
  image.config.labels["k"] = "caf\xe9";
  const auto text = image.serialise();
  EXPECT_THAT(text, testing::HasSubstr("caf\xef\xbf\xbd"));
  EXPECT_NO_THROW(ImageConfig::parse(text));
}

// EXPOSE 1-65535; a cost that grows with the square of it would take minutes.
TEST(ImageConfig, ManyPortsAreFast) {
  ImageConfig config;
  for (int port = 1; port <= 65535; ++port) config.config.exposed_ports.insert(std::to_string(port) + "/tcp");
  const auto begin = std::chrono::steady_clock::now();
  const std::string text = config.serialise();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
  EXPECT_NE(text.find(R"("65535/tcp":{})"), std::string::npos);
}

TEST(ImageConfig, EnvironmentKeepsItsOrder) {
  ContainerConfig config;
  config.set_env("A", "1");
  config.set_env("AB", "2");
  config.set_env("A", "3=4");
  config.env.emplace_back("BARE");
  EXPECT_THAT(config.env, ElementsAre("A=3=4", "AB=2", "BARE"));
  EXPECT_EQ(config.get_env("A"), "3=4");
  EXPECT_EQ(config.get_env("BARE"), std::nullopt);
  EXPECT_EQ(config.get_env("C"), std::nullopt);
  config.set_env("BARE", "");
  EXPECT_EQ(config.get_env("BARE"), "");
  EXPECT_EQ(config.env.size(), 3U);
}

struct Case {
  std::string name;
  std::string text;
  std::string message;
};

class ConfigError : public testing::TestWithParam<Case> {};

TEST_P(ConfigError, IsRefused) {
  try {
    ImageConfig::parse(GetParam().text);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr(GetParam().message));
  }
}

std::string with(const std::string& member) {
  return R"({"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]},)" + member + "}";
}

INSTANTIATE_TEST_SUITE_P(
    Table, ConfigError,
    testing::Values(
        Case{"no_os", R"({"architecture":"amd64"})", "os: missing"},
        Case{"no_rootfs", R"({"architecture":"amd64","os":"linux"})", "rootfs: missing"},
        Case{"rootfs_type", R"({"architecture":"a","os":"l","rootfs":{"type":"tar"}})", "expected \"layers\""},
        Case{"diff_id", R"({"architecture":"a","os":"l","rootfs":{"type":"layers","diff_ids":["x"]}})",
             "diff_ids[0]: invalid digest"},
        Case{"config", with(R"("config":[])"), "config: expected an object"},
        Case{"env", with(R"("config":{"Env":[1]})"), "config: Env: expected an array of strings"},
        Case{"labels", with(R"("config":{"Labels":{"a":1}})"), "Labels: expected strings"},
        Case{"interval", with(R"("config":{"Healthcheck":{"Interval":1e30}})"), "Interval: expected an integer"},
        Case{"history", with(R"("history":[1])"), "history[0]: expected an object"},
        Case{"empty_layer", with(R"("history":[{"empty_layer":"x"}])"), "expected true or false"},
        Case{"duplicate", with(R"("config":{"Cmd":["a"],"Cmd":["b"]})"), "\"Cmd\" comes twice"}),
    [](const testing::TestParamInfo<Case>& param) { return param.param.name; });

}  // namespace
}  // namespace tektii::oci
