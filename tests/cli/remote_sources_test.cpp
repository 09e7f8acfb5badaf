#include "cli/build/remote_sources.hpp"

#include "cli/build/remote_credentials.hpp"
#include "support/git_server.hpp"
#include "support/http_server.hpp"
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <thread>

namespace tektii::cli {
namespace {

using ::testing::HasSubstr;
using testing::HttpServer;
using testing::ServerRequest;
using testing::ServerResponse;

class RemoteSourcesTest : public ::testing::Test {
 protected:
  // Each build has its own.
  std::unique_ptr<StoreRemoteSources> sources() {
    return std::make_unique<StoreRemoteSources>(*store_, *transport_, secrets_);
  }
  builder::RemoteFileRequest request(std::optional<oci::Digest> checksum = std::nullopt) const {
    return {server_.url("/file"), std::move(checksum)};
  }

  std::string text_ = "hello";
  std::string etag_ = "\"1\"";
  HttpServer server_{[this](const ServerRequest& request) {
    std::vector<std::pair<std::string, std::string>> headers = {{"Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT"}};
    if (!etag_.empty()) headers.emplace_back("ETag", etag_);
    if (!etag_.empty() && request.header("If-None-Match") == etag_) return ServerResponse{304, headers, ""};
    return ServerResponse{200, headers, text_};
  }};
  TempDir directory_;
  std::unique_ptr<store::Store> store_ = std::make_unique<store::Store>(directory_.path());
  std::unique_ptr<net::HttpTransport> transport_ = net::make_curl_transport("tektii-test");
  BuildSecrets secrets_;
};

TEST_F(RemoteSourcesTest, AFileIsABlobOfTheStore) {
  const auto file = sources()->fetch_file(request(), {});
  EXPECT_EQ(read_file(file.path), "hello");
  EXPECT_EQ(file.size, 5U);
  EXPECT_EQ(file.digest, oci::Digest::of_bytes("hello"));
  EXPECT_EQ(file.last_modified, 784111777);
  EXPECT_TRUE(store_->size_of(file.digest).has_value());
}

TEST_F(RemoteSourcesTest, TheSameRequestIsCarriedOutOnce) {
  const auto build = sources();
  std::vector<std::jthread> threads;
  std::atomic<int> good = 0;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] { good += build->fetch_file(request(), {}).size == 5 ? 1 : 0; });
  }
  threads.clear();
  build->fetch_file(request(), {});
  EXPECT_EQ(good, 8);
  EXPECT_EQ(server_.requests().size(), 1U);
}

TEST_F(RemoteSourcesTest, TheNextBuildAsksWhetherItChanged) {
  sources()->fetch_file(request(), {});
  const auto again = sources()->fetch_file(request(), {});
  EXPECT_EQ(server_.requests().back().header("If-None-Match"), "\"1\"");
  EXPECT_EQ(read_file(again.path), "hello");
  EXPECT_EQ(again.last_modified, 784111777);
  text_ = "changed";
  etag_ = "\"2\"";
  EXPECT_EQ(read_file(sources()->fetch_file(request(), {}).path), "changed");
  std::filesystem::remove(store_->blob_path(oci::Digest::of_bytes("changed")));
  EXPECT_EQ(read_file(sources()->fetch_file(request(), {}).path), "changed");
  EXPECT_EQ(server_.requests().back().header("If-None-Match"), std::nullopt);
}

TEST_F(RemoteSourcesTest, AChecksumThatIsHereNeedsNoServer) {
  const auto digest = oci::Digest::of_bytes("hello");
  const auto first = sources()->fetch_file(request(digest), {});
  const auto second = sources()->fetch_file(request(digest), {});
  EXPECT_EQ(server_.requests().size(), 1U);
  EXPECT_EQ(first.last_modified, second.last_modified);
}

TEST_F(RemoteSourcesTest, ADamagedBlobIsFetchedAgain) {
  const auto digest = oci::Digest::of_bytes("hello");
  for (const auto& checksum : {std::optional(digest), std::optional<oci::Digest>()}) {
    const auto path = sources()->fetch_file(request(checksum), {}).path;
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    write_file_atomic(path, "jello");
    // A process trusts what it has written itself.
    store_ = std::make_unique<store::Store>(directory_.path());
    EXPECT_EQ(read_file(sources()->fetch_file(request(checksum), {}).path), "hello");
  }
}

TEST_F(RemoteSourcesTest, AWrongChecksumLeavesNothing) {
  const auto digest = oci::Digest::of_bytes("other");
  try {
    sources()->fetch_file(request(digest), {});
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::failure);
    EXPECT_THAT(error.what(), HasSubstr("digest mismatch"));
    EXPECT_THAT(error.what(), HasSubstr(server_.url("/file")));
  }
  EXPECT_FALSE(store_->size_of(digest).has_value());
  EXPECT_FALSE(store_->size_of(oci::Digest::of_bytes("hello")).has_value());
}

TEST_F(RemoteSourcesTest, CredentialsOfHttpHosts) {
  ::setenv("TEKTII_TEST_TOKEN", " abc\n", 1);
  EXPECT_FALSE(http_authorization(secrets_, "https://h:8443/a").has_value());
  write_file_atomic(directory_.path() / "header", "Basic xyz\n");
  secrets_["HTTP_AUTH_HEADER_h"] = {directory_.path() / "header", std::nullopt};
  EXPECT_EQ(http_authorization(secrets_, "https://h:8443/a")->reveal(), "Basic xyz");
  secrets_["HTTP_AUTH_TOKEN_h"] = {std::nullopt, "TEKTII_TEST_TOKEN"};
  EXPECT_EQ(http_authorization(secrets_, "https://h:8443/a")->reveal(), "Bearer abc");
  EXPECT_EQ(http_authorization(secrets_, "http://user:pass@h/a")->reveal(), "Bearer abc");
  EXPECT_FALSE(http_authorization(secrets_, "https://h.i/a").has_value());
  EXPECT_FALSE(http_authorization(secrets_, "https://other/h").has_value());
  secrets_["HTTP_AUTH_TOKEN_::1"] = {std::nullopt, "TEKTII_TEST_TOKEN"};
  EXPECT_EQ(http_authorization(secrets_, "http://[::1]:80/a")->reveal(), "Bearer abc");
  ::unsetenv("TEKTII_TEST_TOKEN");
  EXPECT_EQ(http_authorization(secrets_, "https://h/a")->reveal(), "Basic xyz");
}

TEST_F(RemoteSourcesTest, FilesAreAskedForWithTheSecretOfTheirHost) {
  ::setenv("TEKTII_TEST_TOKEN", "abc", 1);
  secrets_["HTTP_AUTH_TOKEN_127.0.0.1"] = {std::nullopt, "TEKTII_TEST_TOKEN"};
  sources()->fetch_file(request(), {});
  EXPECT_EQ(server_.requests().back().header("Authorization"), "Bearer abc");
  ::unsetenv("TEKTII_TEST_TOKEN");
}

TEST_F(RemoteSourcesTest, CredentialsOfGitRemotes) {
  write_file_atomic(directory_.path() / "header", "Basic xyz\n");
  secrets_["GIT_AUTH_HEADER"] = {directory_.path() / "header", std::nullopt};
  EXPECT_EQ(git_authorization(secrets_, "https://h/a.git")->reveal(), "Basic xyz");
  for (const auto* remote : {"httpbot@h:a.git", "https-user@h:a.git", "ssh://git@h/a", "git://h/a"}) {
    EXPECT_FALSE(git_authorization(secrets_, remote).has_value()) << remote;
  }
}

TEST_F(RemoteSourcesTest, GitTakesItsCredentialsFromSecrets) {
  testing::GitServer git;
  git.create("a");
  const auto id = git.commit("a", {{"f", "1"}});
  git.require("basic eC1hY2Nlc3MtdG9rZW46dG9rZW4=");  // x-access-token:token
  dockerfile::GitRef reference;
  reference.remote = git.url("a");
  EXPECT_THROW(sources()->fetch_git(reference, {}), Error);
  ::setenv("TEKTII_TEST_TOKEN", "token", 1);
  secrets_["GIT_AUTH_TOKEN." + git.http().host_port()] = {std::nullopt, "TEKTII_TEST_TOKEN"};
  const auto build = sources();
  EXPECT_EQ(build->fetch_git(reference, {}).commit, id);
  const auto requests = git.http().requests().size();
  EXPECT_EQ(build->fetch_git(reference, {}).commit, id);
  EXPECT_EQ(git.http().requests().size(), requests);
  ::unsetenv("TEKTII_TEST_TOKEN");
}

}  // namespace
}  // namespace tektii::cli
