#include "support/fault_server.hpp"

#include "registry/client_fixture.hpp"
#include <tektii/util/file.hpp>
#include <tektii/util/process.hpp>

#include <unistd.h>

#include <cstdlib>

namespace tektii::registry {
namespace {

using tektii::testing::FaultServer;

// The good path of the scripted server, judged by a client that is not ours.
class FaultServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::access("/usr/bin/skopeo", X_OK) == 0) return;
    const char* required = std::getenv("TEKTII_REQUIRE_E2E");
    if (required != nullptr && std::string_view(required) == "1")
      FAIL() << "the Debian package skopeo is not installed";
    GTEST_SKIP() << "the Debian package skopeo is not installed";
  }

  static void skopeo(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"skopeo", "--insecure-policy"});
    const auto result = run_process(arguments);
    ASSERT_EQ(result.exit_code, 0) << result.err;
  }
  std::string at(const std::string& rest) const { return "docker://" + server.name() + "/" + rest; }

  TempDir directory;
  FaultServer server;
};

TEST_F(FaultServerTest, SkopeoCopiesAnImageInAndOut) {
  const SampleImage sample = make_sample_image({std::string(3 << 20, 'a'), "second"});
  for (const auto& [digest, content] : sample.blobs) server.store().add_blob("app", content);
  server.store().add_manifest("app", "1", sample.sealed.manifest.media_type, sample.sealed.manifest_bytes);
  const std::string layout = "oci:" + (directory.path() / "layout").string() + ":1";
  const std::string other_layout = "oci:" + (directory.path() / "other").string() + ":1";
  skopeo({"copy", "--preserve-digests", "--src-tls-verify=false", at("app:1"), layout});
  skopeo({"copy", "--preserve-digests", "--dest-tls-verify=false", layout, at("team/copy:2")});
  EXPECT_EQ(server.store().manifest("team/copy", "2"), sample.sealed.manifest_bytes);
  for (const auto& [digest, content] : sample.blobs) {
    EXPECT_TRUE(server.store().blob("team/copy", digest) == content);
  }
  EXPECT_EQ(server.store().open_uploads(), 0U);
  EXPECT_GT(server.count("PATCH"), 0) << "skopeo sends a body of unknown length";
  // From one repository to the other, which mounts.
  skopeo({"copy", "--preserve-digests", "--src-tls-verify=false", "--dest-tls-verify=false", at("team/copy:2"),
          at("third:3")});
  EXPECT_EQ(server.store().manifest("third", "3"), sample.sealed.manifest_bytes);
  skopeo({"copy", "--preserve-digests", "--src-tls-verify=false", at("third:3"), other_layout});
  const auto tags = run_process({"skopeo", "list-tags", "--tls-verify=false", at("third")});
  EXPECT_THAT(tags.out, ::testing::HasSubstr("\"3\"")) << tags.err;
}

TEST(FaultServerAuth, SkopeoLogsInByToken) {
  if (::access("/usr/bin/skopeo", X_OK) != 0) GTEST_SKIP() << "the Debian package skopeo is not installed";
  tektii::testing::RegistryStore::Options options;
  options.auth = tektii::testing::RegistryStore::Auth::bearer;
  options.enforce_scopes = true;
  FaultServer server(options);
  const SampleImage sample = make_sample_image({"layer"});
  for (const auto& [digest, content] : sample.blobs) server.store().add_blob("app", content);
  server.store().add_manifest("app", "1", sample.sealed.manifest.media_type, sample.sealed.manifest_bytes);
  const auto result = run_process({"skopeo", "--insecure-policy", "copy", "--preserve-digests",
                                   "--src-tls-verify=false", "--dest-tls-verify=false", "--src-creds",
                                   "bob:s3cret:with:colons", "--dest-creds", "bob:s3cret:with:colons",
                                   "docker://" + server.name() + "/app:1", "docker://" + server.name() + "/copy:1"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(server.store().manifest("copy", "1"), sample.sealed.manifest_bytes);
}

}  // namespace
}  // namespace tektii::registry
