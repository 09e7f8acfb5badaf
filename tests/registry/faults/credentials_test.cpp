#include "registry/faults/fault_fixture.hpp"
#include <tektii/util/file.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>

namespace tektii::registry {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Credentials as they are configured: a config file of its own, and helper programs that misbehave.

// A directory in PATH.
class HelperDirectory {
 public:
  HelperDirectory() : path_(::getenv("PATH")) {
    ::setenv("PATH", (directory_.path().string() + ":" + path_).c_str(), 1);
  }
  HelperDirectory(const HelperDirectory&) = delete;
  HelperDirectory& operator=(const HelperDirectory&) = delete;
  ~HelperDirectory() { ::setenv("PATH", path_.c_str(), 1); }

  std::filesystem::path config() const { return directory_.path() / "config.json"; }
  void write_config(const std::string& json) const { write_file_atomic(config(), json, 0600); }
  void write_helper(const std::string& registry, const std::string& script) const {
    write_file_atomic(directory_.path() / "docker-credential-faulty", "#!/bin/sh\n" + script + "\n", 0755);
    write_config(fmt::format(R"({{"credHelpers":{{"{}":"faulty"}}}})", registry));
  }
  std::unique_ptr<CredentialSource> source() const {
    ConfigOptions options;
    options.auth_file = config();
    options.helper_timeout = std::chrono::milliseconds(300);
    return make_config_credentials(options);
  }

 private:
  TempDir directory_;
  std::string path_;
};

void push_layer(const RegistryDeps& deps, const oci::ImageReference& reference) {
  const std::string content = "layer";
  const oci::BlobUpload upload{{std::string(oci::k_media_layer), oci::Digest::of_bytes(content), content.size()},
                               [content] { return std::make_unique<StringSource>(content); },
                               std::nullopt};
  RegistryClient(deps).target(reference)->put_blob(upload, {});
}

TEST_F(FaultTable, Row31_AHelperThatWorks) {
  start({.auth = RegistryStore::Auth::basic});
  const HelperDirectory directory;
  const auto push_with_config = [&] {
    const auto source = directory.source();
    push_layer({*transport, *source, &clock, {}}, reference("app:1"));
  };
  directory.write_helper(
      server->name(),
      R"(test "$1" = get || exit 9; read -r server; echo "{\"ServerURL\":\"$server\",\"Username\":\"bob\",\"Secret\":\"s3cret:with:colons\"}")");
  push_with_config();
  EXPECT_TRUE(arrived("layer"));
}

struct HelperFault {
  const char* script;
  const char* reason;
};

TEST_F(FaultTable, Row31_HelpersThatMisbehave) {
  start({.auth = RegistryStore::Auth::basic});
  const HelperDirectory directory;
  const auto push_with_config = [&] {
    const auto source = directory.source();
    push_layer({*transport, *source, &clock, {}}, reference("app:1"));
  };
  const HelperFault cases[] = {
      {"sleep 60", "did not answer within 300ms and was ended"},
      {"echo '<html>'", "is not a JSON object"},
      {"echo '[1,2]'", "is not a JSON object"},
      {"true", "is not a JSON object"},
      {"echo '{\"Username\":\"bob\"}'", "printed no \"Secret\""},
      {"echo 'the keychain is locked'; echo more >&2; exit 1", "failed with exit code 1: the keychain is locked"},
      {"echo 'gcloud: not logged in' >&2; exit 3", "failed with exit code 3: gcloud: not logged in"},
      {"kill -9 $$", "failed with exit code 137"},
      {"while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done",
       "more output than the allowed"},
      {"printf '\\033[31mred\\n'; exit 1", "failed with exit code 1: \\x1b[31mred"},
  };
  for (const auto& [script, reason] : cases) {
    directory.write_helper(server->name(), script);
    const Error error = error_of(push_with_config);
    EXPECT_EQ(error.kind(), ErrorKind::denied) << script;
    EXPECT_THAT(error.what(), HasSubstr(reason));
    EXPECT_THAT(error.what(), HasSubstr("docker-credential-faulty"));
    EXPECT_THAT(error.what(), HasSubstr(directory.config().string()));
    EXPECT_THAT(error.what(), HasSubstr(fmt::format("\"credHelpers\": \"{}\"", server->name())));
  }
}

TEST_F(FaultTable, Row31_AMissingHelper) {
  start({.auth = RegistryStore::Auth::basic});
  const HelperDirectory directory;
  const auto push_with_config = [&] {
    const auto source = directory.source();
    push_layer({*transport, *source, &clock, {}}, reference("app:1"));
  };
  directory.write_config(fmt::format(R"({{"credHelpers":{{"{}":"nowhere"}}}})", server->name()));
  const Error error = error_of(push_with_config);
  EXPECT_EQ(error.kind(), ErrorKind::denied);
  EXPECT_THAT(error.what(), HasSubstr("docker-credential-nowhere is not in PATH"));
  EXPECT_THAT(error.what(), HasSubstr(directory.config().string()));
  directory.write_config(fmt::format(R"({{"credsStore":"nowhere","auths":{{"{}":{{}}}}}})", server->name()));
  EXPECT_THAT(error_of(push_with_config).what(), HasSubstr("because of \"credsStore\" in"));
  directory.write_config(R"({"credHelpers":{"other.io":"nowhere"}})");
  EXPECT_THAT(error_of(push_with_config).what(), HasSubstr("the registry answered 401")) << "others go on";
  directory.write_config(R"({"credsStore":"nowhere"})");
  EXPECT_THAT(error_of(push_with_config).what(), HasSubstr("the registry answered 401"));
}

TEST_F(FaultTable, Row31_AHelperWithoutCredentialsIsAnonymous) {
  start({.auth = RegistryStore::Auth::basic});
  const HelperDirectory directory;
  const auto push_with_config = [&] {
    const auto source = directory.source();
    push_layer({*transport, *source, &clock, {}}, reference("app:1"));
  };
  directory.write_helper(server->name(), "echo 'credentials not found in native keychain'; exit 1");
  EXPECT_THAT(error_of(push_with_config).what(), HasSubstr("the registry answered 401"));
}

TEST_F(FaultTable, Row31_AHelperWithAPathIsNotRun) {
  start({.auth = RegistryStore::Auth::basic});
  const HelperDirectory directory;
  const auto push_with_config = [&] {
    const auto source = directory.source();
    push_layer({*transport, *source, &clock, {}}, reference("app:1"));
  };
  directory.write_config(fmt::format(R"({{"credHelpers":{{"{}":"x/../../evil"}}}})", server->name()));
  EXPECT_THAT(error_of(push_with_config).what(), HasSubstr("a name with a slash"));
}

struct ConfigCase {
  std::string json;
  const char* outcome;  // empty: the push succeeds
};

TEST_F(FaultTable, Row32_ConfigFiles) {
  start({.auth = RegistryStore::Auth::basic});
  const HelperDirectory directory;
  const auto push_with_config = [&] {
    const auto source = directory.source();
    push_layer({*transport, *source, &clock, {}}, reference("app:1"));
  };
  const std::string name = server->name();
  const std::string good = base64_encode("bob:s3cret:with:colons");
  const auto entry = [](const std::string& key, const std::string& value) {
    return fmt::format(R"({{"auths":{{"{}":{}}}}})", key, value);
  };
  const auto auth = [](const std::string& value) { return fmt::format(R"({{"auth":"{}"}})", value); };
  const std::string nul_padded = base64_encode(std::string("bob:s3cret:with:colons\0\0\0", 25));
  const ConfigCase cases[] = {
      {entry(name, auth(good)), ""},
      {entry("https://" + name, auth(good)), ""},
      {entry("https://" + name + "/v1/", auth(good)), ""},
      {entry("http://" + name + "/v2/", auth(good)), ""},
      {entry(name + "/v2/", auth(good)), ""},
      {entry(name + "/app", auth(good)), ""},
      {"\xef\xbb\xbf" + entry(name, auth(good)), ""},
      {entry(name, auth(nul_padded)), ""},
      {entry(name, auth(good.substr(0, good.find('=')))), ""},
      {entry(name, R"({"username":"bob","password":"s3cret:with:colons"})"), ""},
      {entry(name + "/other", auth(good)), "the registry answered 401"},
      {entry("evil-" + name, auth(good)), "the registry answered 401"},
      {"", "the registry answered 401"},
      {"{}", "the registry answered 401"},
      {entry(name, "{}"), "the entry is empty"},
      {entry(name, auth("!!!")), "not base64"},
      {entry(name, auth(base64_encode("bob"))), "not user:password"},
      {entry(name, "7"), "not an object"},
      {"{\"auths\":", "is not a JSON object"},
      {"[]", "is not a JSON object"},
      {std::string("{}\0\0", 4), "the registry answered 401"},
  };
  for (const auto& [json, outcome] : cases) {
    start({.auth = RegistryStore::Auth::basic});
    std::string own = json;
    for (auto at = own.find(name); at != std::string::npos; at = own.find(name))
      own.replace(at, name.size(), server->name());
    directory.write_config(own);
    if (*outcome == '\0') {
      EXPECT_NO_THROW(push_with_config()) << json;
      continue;
    }
    const Error error = error_of(push_with_config);
    EXPECT_EQ(error.kind(), ErrorKind::denied) << json;
    EXPECT_THAT(error.what(), HasSubstr(outcome)) << json;
    EXPECT_THAT(error.what(), Not(HasSubstr("s3cret")));
  }
}

TEST_F(FaultTable, Row32_AConfigFileThatCanNotBeRead) {
  start({.auth = RegistryStore::Auth::basic});
  const HelperDirectory directory;
  const auto push_with_config = [&] {
    const auto source = directory.source();
    push_layer({*transport, *source, &clock, {}}, reference("app:1"));
  };
  std::filesystem::create_directory(directory.config());  // root reads every file, but no directory
  const Error error = error_of(push_with_config);
  EXPECT_EQ(error.kind(), ErrorKind::denied);
  EXPECT_THAT(error.what(), HasSubstr(directory.config().string()));
}

}  // namespace
}  // namespace tektii::registry
