#include "registry/client_fixture.hpp"
#include <tektii/util/hash.hpp>

#include <fmt/format.h>

#include <atomic>
#include <thread>

namespace tektii::registry {
namespace {

using tektii::testing::ServerRequest;
using tektii::testing::ServerResponse;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

using Answer = std::optional<ServerResponse>;

class PushTest : public ClientTest {
 protected:
  void SetUp() override { start(); }

  void put_blob(const std::string& content, std::optional<oci::BlobOrigin> origin = std::nullopt) {
    client->target(reference("app:1"))->put_blob(upload_of(content, std::move(origin)), {});
  }
  bool arrived(const std::string& content) const {
    return server->has_blob("app", oci::Digest::of_bytes(content).str());
  }
  // `answer` sees requests of this method whose path has this part.
  void intercept(const std::string& method, const std::string& part,
                 std::function<Answer(const ServerRequest&)> answer) {
    server->set_intercept([=](const ServerRequest& request) -> Answer {
      const bool matches = request.method == method && request.target.find(part) != std::string::npos;
      return matches ? answer(request) : std::nullopt;
    });
  }

  static ServerResponse error(int status, const std::string& code) {
    return {.status = status, .body = fmt::format(R"({{"errors":[{{"code":"{}","message":"because"}}]}})", code)};
  }
};

TEST_F(PushTest, AnImageArrivesWithThreeRequestsPerBlob) {
  const SampleImage image = make_sample_image({"layer"});
  push(image, "app:1");
  EXPECT_EQ(server->manifest("app", "1"), image.sealed.manifest_bytes);
  EXPECT_EQ(server->manifest("app", image.sealed.manifest.digest.str()), image.sealed.manifest_bytes);
  const std::string layer = image.sealed.layers[0].blob.digest.str();
  const auto seen = lines();
  ASSERT_EQ(seen.size(), 7U);
  EXPECT_EQ(seen[0], "HEAD /v2/app/blobs/" + layer);
  EXPECT_EQ(seen[1], "POST /v2/app/blobs/uploads/");
  EXPECT_EQ(seen[2], "PUT /v2/app/blobs/uploads/upload-1?_state=a%2Fb%3D%3D&digest=sha256%3A" + layer.substr(7));
  EXPECT_EQ(seen[6], "PUT /v2/app/manifests/1");
  const auto requests = server->server().requests();
  EXPECT_EQ(requests[2].header("Content-Length"), "5");
  EXPECT_EQ(requests[6].header("Content-Type"), std::string(oci::k_media_manifest));
}

TEST_F(PushTest, WhatIsThereIsNotSent) {
  server->add_blob("app", "layer");
  put_blob("layer");
  EXPECT_EQ(lines().size(), 1U);
}

TEST_F(PushTest, AnUnchangedImageCostsOneRequest) {
  const SampleImage image = make_sample_image({"layer"});
  publish(image, "app", "1");
  const auto target = client->target(reference("app:1"));
  EXPECT_TRUE(target->has_manifest(image.sealed.manifest, {}));
  EXPECT_THAT(lines(), ElementsAre("HEAD /v2/app/manifests/1"));
  EXPECT_FALSE(target->has_manifest(make_sample_image({"other"}).sealed.manifest, {}));
  EXPECT_FALSE(client->target(reference("app:2"))->has_manifest(image.sealed.manifest, {}));
}

TEST_F(PushTest, HasManifestHashesWhenTheDigestIsNotTold) {
  const SampleImage image = make_sample_image({"layer"});
  intercept("HEAD", "/manifests/", [](const ServerRequest&) -> Answer { return ServerResponse{}; });
  publish(image, "app", "1");
  EXPECT_TRUE(client->target(reference("app:1"))->has_manifest(image.sealed.manifest, {}));
}

TEST_F(PushTest, ARefusedLookAtTheManifestMeansUnknown) {
  const SampleImage image = make_sample_image({"layer"});
  for (const int status : {401, 403, 405, 500}) {
    intercept("HEAD", "/manifests/",
              [status](const ServerRequest&) -> Answer { return ServerResponse{.status = status}; });
    EXPECT_FALSE(client->target(reference("app:1"))->has_manifest(image.sealed.manifest, {})) << status;
  }
}

class RefusedHead : public PushTest, public ::testing::WithParamInterface<int> {};

TEST_P(RefusedHead, LeadsToAnUpload) {
  intercept("HEAD", "/blobs/", [](const ServerRequest&) -> Answer { return ServerResponse{.status = GetParam()}; });
  put_blob("layer");
  EXPECT_TRUE(arrived("layer"));
}

INSTANTIATE_TEST_SUITE_P(Statuses, RefusedHead, ::testing::Values(401, 403, 404, 405, 500, 503));

TEST_F(PushTest, ABlobOfAnotherSizeIsNotTheBlob) {
  intercept("HEAD", "/blobs/", [](const ServerRequest&) -> Answer { return ServerResponse{.body = "sh"}; });
  put_blob("layer");
  EXPECT_TRUE(arrived("layer"));
}

TEST_F(PushTest, BaseLayersAreMounted) {
  server->add_blob("library/python", "base");
  put_blob("base", oci::BlobOrigin{server->name(), "library/python"});
  EXPECT_TRUE(arrived("base"));
  const std::string digest = Sha256::hex_of("base");
  EXPECT_THAT(lines(), ElementsAre("POST /v2/app/blobs/uploads/?mount=sha256%3A" + digest + "&from=library%2Fpython"));
}

TEST_F(PushTest, OriginsElsewhereAreNotMounted) {
  put_blob("one", oci::BlobOrigin{"docker.io", "library/python"});
  put_blob("two", oci::BlobOrigin{server->name(), "app"});
  for (const std::string& line : lines()) EXPECT_THAT(line, Not(HasSubstr("mount")));
  EXPECT_TRUE(arrived("one") && arrived("two"));
}

TEST_F(PushTest, AnUploadOfferedInsteadOfAMountIsUsed) {
  put_blob("base", oci::BlobOrigin{server->name(), "not/there"});
  EXPECT_TRUE(arrived("base"));
  EXPECT_EQ(count("POST"), 1);
  EXPECT_EQ(count("PUT"), 1);
}

class RefusedMount : public PushTest, public ::testing::WithParamInterface<int> {};

TEST_P(RefusedMount, LeadsToAnUpload) {
  intercept("POST", "mount=", [](const ServerRequest&) -> Answer {
    if (GetParam() == 0) return ServerResponse{.drop = true};
    return ServerResponse{.status = GetParam()};  // 202 and 201 without the headers that they need
  });
  put_blob("base", oci::BlobOrigin{server->name(), "library/python"});
  EXPECT_TRUE(arrived("base"));
}

INSTANTIATE_TEST_SUITE_P(Statuses, RefusedMount, ::testing::Values(0, 202, 400, 401, 403, 404, 405, 500));

struct LocationCase {
  const char* location;  // {R}: the registry, {S}: another server
  const char* put;       // what that server has to see
};

class UploadLocation : public PushTest, public ::testing::WithParamInterface<LocationCase> {};

TEST_P(UploadLocation, IsFollowedToTheLetter) {
  tektii::testing::HttpServer storage([](const ServerRequest&) { return ServerResponse{.status = 201}; });
  std::string location = GetParam().location;
  if (const auto at = location.find("{R}"); at != std::string::npos) location.replace(at, 3, server->server().url());
  if (const auto at = location.find("{S}"); at != std::string::npos) location.replace(at, 3, storage.url());
  intercept("POST", "/uploads/", [&](const ServerRequest&) -> Answer {
    return ServerResponse{.status = 202, .headers = {{"Location", location}}};
  });
  std::string seen;
  server->set_intercept([&, inner = location](const ServerRequest& request) -> Answer {
    if (request.method == "POST") return ServerResponse{.status = 202, .headers = {{"Location", inner}}};
    if (request.method == "PUT") return ServerResponse{.status = 201};
    return std::nullopt;
  });
  put_blob("layer");
  const bool elsewhere = std::string(GetParam().location).starts_with("{S}");
  const auto seen_lines = elsewhere ? storage.lines() : lines();
  ASSERT_FALSE(seen_lines.empty());
  EXPECT_EQ(seen_lines.back(), GetParam().put + ("sha256%3A" + Sha256::hex_of("layer")));
}

INSTANTIATE_TEST_SUITE_P(Forms, UploadLocation,
                         ::testing::Values(LocationCase{"/v2/app/blobs/uploads/1",
                                                        "PUT /v2/app/blobs/uploads/1?digest="},
                                           LocationCase{"/u?_state=a%2B/b%3D%3D", "PUT /u?_state=a%2B/b%3D%3D&digest="},
                                           LocationCase{"{R}/u?x=1#fragment", "PUT /u?x=1&digest="},
                                           LocationCase{"next", "PUT /v2/app/blobs/uploads/next?digest="},
                                           LocationCase{"?part=1", "PUT /v2/app/blobs/uploads/?part=1&digest="},
                                           LocationCase{"{S}/bucket/key?sig=%41", "PUT /bucket/key?sig=%41&digest="}));

TEST_F(PushTest, BadLocationsAreRefused) {
  for (const char* location :
       {"", "ftp://a/b", "http://169.254.169.254/latest", "https://10.0.0.1/x", "http://example.com/u"}) {
    intercept("POST", "/uploads/", [&](const ServerRequest&) -> Answer {
      return ServerResponse{.status = 202, .headers = {{"Location", location}}};
    });
    EXPECT_THROW(put_blob("layer"), Error) << location;
  }
  EXPECT_EQ(count("PUT"), 0);
}

class BrokenUpload : public PushTest, public ::testing::WithParamInterface<int> {};

TEST_P(BrokenUpload, StartsAgainFromANewPost) {
  int puts = 0;
  intercept("PUT", "/uploads/", [&](const ServerRequest&) -> Answer {
    if (++puts > 1) return std::nullopt;
    if (GetParam() == 0) return ServerResponse{.drop = true, .reset = true};
    if (GetParam() == 400) return error(400, "DIGEST_INVALID");
    return error(GetParam(), "BLOB_UPLOAD_INVALID");
  });
  // Longer than what libcurl sends again by itself on a kept connection that broke.
  const std::string content(5 << 20, 'c');
  put_blob(content);
  EXPECT_TRUE(arrived(content));
  EXPECT_EQ(puts, 2);
  EXPECT_EQ(count("POST"), 2);
}

INSTANTIATE_TEST_SUITE_P(Statuses, BrokenUpload, ::testing::Values(0, 400, 404, 408, 416, 429, 500, 502, 503));

TEST_F(PushTest, ARegistryThatFailsForGoodIsGivenUp) {
  intercept("PUT", "/uploads/", [&](const ServerRequest&) -> Answer { return error(500, "UNKNOWN"); });
  const Error failure = error_of([&] { put_blob("layer"); });
  EXPECT_EQ(failure.kind(), ErrorKind::network);
  EXPECT_THAT(failure.what(), HasSubstr("500 (UNKNOWN: because)"));
  EXPECT_GE(count("PUT"), 10);
}

TEST_F(PushTest, AConnectionCutAfterTheBodyIsNoSecondUpload) {
  const std::string content(5 << 20, 'c');
  intercept("PUT", "/uploads/", [&](const ServerRequest&) -> Answer {
    server->add_blob("app", content);
    return ServerResponse{.drop = true};
  });
  put_blob(content);
  EXPECT_EQ(count("PUT"), 1);
}

TEST_F(PushTest, ContentThatChangedIsFoundOut) {
  oci::BlobUpload upload = upload_of("layer");
  upload.open = [] { return std::make_unique<StringSource>("LAYER"); };
  const auto target = client->target(reference("app:1"));
  EXPECT_THAT(error_of([&] { target->put_blob(upload, {}); }).what(), HasSubstr("changed while it was sent"));
  EXPECT_EQ(count("PUT"), 1);
}

TEST_F(PushTest, RefusalsAreFinalAndSayWhy) {
  struct Case {
    int status;
    const char* code;
    ErrorKind kind;
  };
  for (const Case& c : {Case{403, "DENIED", ErrorKind::denied}, Case{404, "NAME_UNKNOWN", ErrorKind::not_found},
                        Case{400, "NAME_INVALID", ErrorKind::failure}, Case{401, "UNAUTHORIZED", ErrorKind::denied}}) {
    server->server().clear_requests();
    intercept("POST", "/uploads/", [&](const ServerRequest&) -> Answer { return error(c.status, c.code); });
    const Error failure = error_of([&] { put_blob("layer"); });
    EXPECT_EQ(failure.kind(), c.kind) << c.code;
    EXPECT_THAT(failure.what(), StartsWith("push of blob sha256:"));
    EXPECT_THAT(failure.what(), HasSubstr(server->name() + "/app: start of the upload: the registry answered"));
    EXPECT_THAT(failure.what(), HasSubstr(fmt::format("{} ({}: because)", c.status, c.code)));
    EXPECT_FALSE(failure.hints().empty() && c.status != 400);
    EXPECT_EQ(count("POST"), 1);
  }
}

TEST_F(PushTest, EachBlobIsSentOncePerRepository) {
  const std::string content(1 << 20, 'b');
  std::vector<std::unique_ptr<oci::ImageTarget>> targets;
  for (const char* name : {"app:1", "app:2", "app:3", "app:4"}) targets.push_back(client->target(reference(name)));
  std::vector<std::thread> threads;
  for (const auto& target : targets) {
    threads.emplace_back([&content, &target] { target->put_blob(upload_of(content), {}); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(count("HEAD"), 1);
  EXPECT_EQ(count("PUT"), 1);
  client->target(reference("other:1"))->put_blob(upload_of(content), {});
  EXPECT_EQ(count("PUT"), 2);
}

TEST_F(PushTest, AFailedBlobMayBeTriedAgain) {
  intercept("POST", "/uploads/", [&](const ServerRequest&) -> Answer { return error(403, "DENIED"); });
  EXPECT_THROW(put_blob("layer"), Error);
  server->set_intercept({});
  put_blob("layer");
  EXPECT_TRUE(arrived("layer"));
}

TEST_F(PushTest, AnImmutableTagHasAKindOfItsOwn) {
  const SampleImage old_image = make_sample_image({"old"});
  const SampleImage new_image = make_sample_image({"new"});
  publish(old_image, "app", "1");
  const std::pair<int, const char*> answers[] = {
      {400, R"({"errors":[{"code":"TAG_INVALID","message":"The image tag '1' already exists"}]})"},
      {412, R"({"errors":[{"code":"PRECONDITION","message":"configured as immutable, cannot be updated"}]})"},
      {409, "Tag is Immutable"},
  };
  for (const auto& [status, body] : answers) {
    intercept("PUT", "/manifests/", [status = status, body = body](const ServerRequest&) -> Answer {
      return ServerResponse{.status = status, .body = body};
    });
    const Error failure = error_of([&] { push(new_image, "app:1"); });
    EXPECT_EQ(failure.kind(), ErrorKind::immutable_tag) << body;
    EXPECT_THAT(failure.hints().at(0), HasSubstr(old_image.sealed.manifest.digest.str()));
    EXPECT_NO_THROW(push(old_image, "app:1")) << "the same digest is a success";
  }
}

TEST_F(PushTest, ARefusedManifestIsReported) {
  intercept("PUT", "/manifests/", [](const ServerRequest&) -> Answer { return error(400, "MANIFEST_INVALID"); });
  const Error failure = error_of([&] { push(make_sample_image({"x"}), "app:1"); });
  EXPECT_EQ(failure.kind(), ErrorKind::failure);
  EXPECT_THAT(failure.what(), HasSubstr("400 (MANIFEST_INVALID: because)"));
}

TEST_F(PushTest, ARegistryThatStoresSomethingElseIsNoticed) {
  intercept("PUT", "/manifests/", [](const ServerRequest&) -> Answer {
    return ServerResponse{.status = 201, .headers = {{"Docker-Content-Digest", "sha256:" + std::string(64, 'a')}}};
  });
  EXPECT_THAT(error_of([&] { push(make_sample_image({"x"}), "app:1"); }).what(), HasSubstr("instead of"));
}

TEST_F(PushTest, CheckPushAccess) {
  EXPECT_NO_THROW(client->check_push_access(reference("app:1"), {}));
  server->set_intercept(
      [](const ServerRequest&) -> Answer { return ServerResponse{.status = 404, .body = "nothing here"}; });
  const Error failure = error_of([&] { client->check_push_access(reference("app:1"), {}); });
  EXPECT_EQ(failure.kind(), ErrorKind::network);
  EXPECT_THAT(failure.what(), HasSubstr("does not speak the registry protocol"));
}

TEST_F(PushTest, AStopRequestEndsThePush) {
  std::stop_source stop;
  intercept("PUT", "/uploads/", [&](const ServerRequest&) -> Answer {
    stop.request_stop();
    return ServerResponse{.status = 503};
  });
  const auto target = client->target(reference("app:1"));
  const Error failure = error_of([&] { target->put_blob(upload_of("layer"), stop.get_token()); });
  EXPECT_EQ(failure.kind(), ErrorKind::interrupted);
}

}  // namespace
}  // namespace tektii::registry
