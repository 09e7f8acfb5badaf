#include "fixture.hpp"

#include <fmt/format.h>

#include <thread>

namespace tektii::sandbox {
namespace {

class BlobTest : public SandboxTest {
 protected:
  static std::string error_code(const Answer& answer) { return answer.json()["errors"][0]["code"]; }

  std::string upload(TestClient& client, const std::string& repository, const std::string& blob) const {
    const Answer answer = client.send("POST", "/v2/" + repository + "/blobs/uploads/?digest=" + digest_of(blob), blob);
    EXPECT_EQ(answer.status, 201) << answer.body;
    return digest_of(blob);
  }
};

TEST_F(BlobTest, MonolithicPost) {
  TestClient client = registry("a/b");
  const std::string blob = "some bytes";
  const Answer answer = client.send("POST", "/v2/a/b/blobs/uploads/?digest=" + digest_of(blob), blob);
  EXPECT_EQ(answer.status, 201) << answer.body;
  EXPECT_EQ(answer.header("Location"), "/v2/a/b/blobs/" + digest_of(blob));
  EXPECT_EQ(answer.header("Docker-Content-Digest"), digest_of(blob));
  EXPECT_EQ(client.get("/v2/a/b/blobs/" + digest_of(blob)).body, blob);
}

TEST_F(BlobTest, PostThenPut) {
  TestClient client = registry("a");
  const std::string blob(3 << 20, 'x');
  const Answer started = client.send("POST", "/v2/a/blobs/uploads/");
  ASSERT_EQ(started.status, 202);
  EXPECT_EQ(started.header("Range"), "0-0");
  EXPECT_FALSE(started.header("Docker-Upload-UUID").empty());
  const std::string location = started.header("Location");
  const Answer done = client.send("PUT", location + "?digest=" + digest_of(blob), blob);
  EXPECT_EQ(done.status, 201) << done.body;
  EXPECT_EQ(client.get(location).status, 404) << "the upload has ended";
  const Answer got = client.get("/v2/a/blobs/" + digest_of(blob));
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.body, blob);
}

TEST_F(BlobTest, ChunksInOrder) {
  TestClient client = registry("a");
  const std::string blob = "0123456789";
  std::string location = client.send("POST", "/v2/a/blobs/uploads/").header("Location");
  const Answer first = client.send("PATCH", location, "01234", {{"Content-Range", "0-4"}});
  ASSERT_EQ(first.status, 202) << first.body;
  EXPECT_EQ(first.header("Range"), "0-4");
  const Answer again = client.send("PATCH", location, "01234", {{"Content-Range", "0-4"}});
  EXPECT_EQ(again.status, 416) << "out of order";
  EXPECT_EQ(again.header("Range"), "0-4");
  const Answer status = client.get(location);
  EXPECT_EQ(status.status, 204);
  EXPECT_EQ(status.header("Range"), "0-4");
  EXPECT_EQ(status.header("Location"), location);
  EXPECT_EQ(client.send("PATCH", location, "567").status, 202) << "without Content-Range";
  EXPECT_EQ(client.send("PUT", location + "?digest=" + digest_of(blob), "89", {{"Content-Range", "8-9"}}).status, 201);
  EXPECT_EQ(client.get("/v2/a/blobs/" + digest_of(blob)).body, blob);
}

TEST_F(BlobTest, PutWithoutBodyFinishesChunks) {
  TestClient client = registry("a");
  const std::string location = client.send("POST", "/v2/a/blobs/uploads/").header("Location");
  ASSERT_EQ(client.send("PATCH", location, "abc").status, 202);
  EXPECT_EQ(client.send("PUT", location + "?digest=" + digest_of("abc")).status, 201);
}

TEST_F(BlobTest, WrongDigestIsRefusedAndTheUploadIsGone) {
  TestClient client = registry("a");
  const std::string location = client.send("POST", "/v2/a/blobs/uploads/").header("Location");
  const Answer answer = client.send("PUT", location + "?digest=" + digest_of("other"), "content");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(error_code(answer), "DIGEST_INVALID");
  EXPECT_EQ(error_code(client.get(location)), "BLOB_UPLOAD_UNKNOWN");
  EXPECT_EQ(client.get("/v2/a/blobs/" + digest_of("content")).status, 404);
  EXPECT_EQ(client.get("/v2/a/blobs/" + digest_of("other")).status, 404);
  EXPECT_EQ(client.send("POST", "/v2/a/blobs/uploads/?digest=" + digest_of("other"), "content").status, 400);
}

TEST_F(BlobTest, MissingOrMalformedDigestKeepsTheUpload) {
  TestClient client = registry("a");
  const std::string location = client.send("POST", "/v2/a/blobs/uploads/").header("Location");
  EXPECT_EQ(error_code(client.send("PUT", location, "abc")), "DIGEST_INVALID");
  EXPECT_EQ(error_code(client.send("PUT", location + "?digest=md5:1", "abc")), "DIGEST_INVALID");
  EXPECT_EQ(client.send("PUT", location + "?digest=" + digest_of("abc"), "abc").status, 201);
}

TEST_F(BlobTest, UploadsBelongToTheirRepositoryAndCanBeGivenUp) {
  TestClient client = registry("a");
  const std::string location = client.send("POST", "/v2/a/blobs/uploads/").header("Location");
  const std::string id = location.substr(location.rfind('/') + 1);
  EXPECT_EQ(registry("b").get("/v2/b/blobs/uploads/" + id).status, 404);
  EXPECT_EQ(client.send("DELETE", location).status, 204);
  EXPECT_EQ(client.send("PATCH", location, "x").status, 404);
  EXPECT_EQ(client.get("/v2/a/blobs/uploads/").status, 405);
}

TEST_F(BlobTest, HeadTellsTheSize) {
  TestClient client = registry("a");
  const std::string digest = upload(client, "a", "twelve bytes");
  const Answer answer = client.head("/v2/a/blobs/" + digest);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("Content-Length"), "12");
  EXPECT_EQ(answer.header("Docker-Content-Digest"), digest);
  EXPECT_TRUE(answer.body.empty());
  EXPECT_EQ(client.head("/v2/a/blobs/" + digest_of("none")).status, 404);
}

TEST_F(BlobTest, EmptyBlob) {
  TestClient client = registry("a");
  ASSERT_EQ(client.send("POST", "/v2/a/blobs/uploads/?digest=" + digest_of("")).status, 201);
  const Answer answer = client.get("/v2/a/blobs/" + digest_of(""));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("Content-Length"), "0");
}

TEST_F(BlobTest, Ranges) {
  TestClient client = registry("a");
  const std::string path = "/v2/a/blobs/" + upload(client, "a", "0123456789");
  const Answer middle = client.get(path, {{"Range", "bytes=2-4"}});
  EXPECT_EQ(middle.status, 206);
  EXPECT_EQ(middle.body, "234");
  EXPECT_EQ(middle.header("Content-Range"), "bytes 2-4/10");
  EXPECT_EQ(client.get(path, {{"Range", "bytes=7-"}}).body, "789");
  EXPECT_EQ(client.get(path, {{"Range", "bytes=-2"}}).body, "89");
  const Answer beyond = client.get(path, {{"Range", "bytes=10-"}});
  EXPECT_EQ(beyond.status, 416);
  EXPECT_EQ(beyond.header("Content-Range"), "bytes */10");
  EXPECT_EQ(error_code(beyond), "RANGE_INVALID") << "the error's body is whole";
  EXPECT_EQ(error_code(client.get("/v2/a/blobs/" + digest_of("none"), {{"Range", "bytes=1-2"}})), "BLOB_UNKNOWN");
}

TEST_F(BlobTest, BlobsAreOnlyInTheRepositoriesThatTheyWerePushedTo) {
  TestClient client = registry("a");
  const std::string digest = upload(client, "a", "private");
  EXPECT_EQ(registry("b").get("/v2/b/blobs/" + digest).status, 404);
  EXPECT_EQ(error_code(client.get("/v2/a/blobs/sha256:short")), "DIGEST_INVALID");
  EXPECT_EQ(error_code(client.send("DELETE", "/v2/a/blobs/" + digest)), "UNSUPPORTED");
}

TEST_F(BlobTest, MountNeedsTheBlobAndTheRightToReadIt) {
  TestClient source = registry("a");
  const std::string digest = upload(source, "a", "shared");
  const auto mount = [](TestClient& client, const std::string& query) {
    return client.send("POST", "/v2/b/blobs/uploads/?" + query);
  };
  TestClient b_only = registry("b");
  EXPECT_EQ(mount(b_only, "mount=" + digest + "&from=a").status, 202) << "no pull scope on a";
  TestClient both(sandbox_->url(),
                  {{"Authorization", "Bearer " + bearer("tektii", sandbox_->api_key(),
                                                        "repository:b:pull,push&scope=repository:a:pull")}});
  EXPECT_EQ(mount(both, "mount=" + digest_of("none") + "&from=a").status, 202);
  EXPECT_EQ(mount(both, "mount=" + digest).status, 202) << "without from";
  EXPECT_EQ(mount(both, "mount=bad&from=a").status, 202);
  const Answer fallback = mount(both, "mount=" + digest + "&from=c");
  EXPECT_EQ(fallback.status, 202);
  EXPECT_FALSE(fallback.header("Location").empty()) << "already the upload session";
  EXPECT_EQ(both.get("/v2/b/blobs/" + digest).status, 404);

  const Answer mounted = mount(both, "mount=" + digest + "&from=a");
  EXPECT_EQ(mounted.status, 201);
  EXPECT_EQ(mounted.header("Location"), "/v2/b/blobs/" + digest);
  EXPECT_EQ(both.get("/v2/b/blobs/" + digest).body, "shared");
}

TEST_F(BlobTest, ChunkedTransferEncodingAndExpectContinue) {
  const std::string token = bearer("tektii", sandbox_->api_key(), "repository:a:pull,push");
  httplib::Client client(sandbox_->url());
  client.set_bearer_token_auth(token);
  const std::string blob(200'000, 'q');
  const auto result = client.Post(
      "/v2/a/blobs/uploads/?digest=" + digest_of(blob), {{"Expect", "100-continue"}},
      [&](std::size_t offset, httplib::DataSink& sink) {
        const std::size_t count = std::min<std::size_t>(7777, blob.size() - offset);
        sink.write(blob.data() + offset, count);
        if (offset + count == blob.size()) sink.done();
        return true;
      },
      "application/octet-stream");
  // The client takes "100 Continue" for the answer; the blob tells.
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->status == 201 || result->status == 100) << result->status;
  TestClient reader = registry("a");
  int status = 0;
  for (int i = 0; i < 200 && status != 200; ++i) {
    status = reader.head("/v2/a/blobs/" + digest_of(blob)).status;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(status, 200);
}

TEST_F(BlobTest, ErrorsLeaveTheConnectionUsable) {
  const std::string token = bearer("tektii", sandbox_->api_key(), "repository:a:pull,push");
  TestClient client(sandbox_->url(), {{"Authorization", "Bearer " + token}});
  EXPECT_EQ(client.send("PATCH", "/v2/a/blobs/uploads/none", std::string(1 << 20, 'x')).status, 404);
  EXPECT_EQ(client.send("PUT", "/v2/b/manifests/1", std::string(1 << 20, 'x')).status, 401);
  EXPECT_EQ(client.get("/v2/").status, 200);
}

TEST_F(BlobTest, ConcurrentPushesOfSharedAndOwnBlobs) {
  constexpr int k_pushers = 12;
  const std::string shared(1 << 20, 's');
  const std::string token = bearer("tektii", sandbox_->api_key(), "repository:a:pull,push");
  std::vector<int> failures(k_pushers, 0);
  std::vector<std::thread> threads;
  for (int i = 0; i < k_pushers; ++i) {
    threads.emplace_back([&, i] {
      TestClient client(sandbox_->url(), {{"Authorization", "Bearer " + token}});
      for (const std::string& blob : {shared, std::string(300'000, static_cast<char>('a' + i))}) {
        const std::string location = client.send("POST", "/v2/a/blobs/uploads/").header("Location");
        if (client.send("PUT", location + "?digest=" + digest_of(blob), blob).status != 201)
          ++failures[static_cast<std::size_t>(i)];
        if (client.get("/v2/a/blobs/" + digest_of(blob)).body != blob) ++failures[static_cast<std::size_t>(i)];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures, std::vector<int>(k_pushers, 0));
}

}  // namespace
}  // namespace tektii::sandbox
