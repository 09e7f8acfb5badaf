#include "registry/faults/fault_fixture.hpp"

#include <fmt/format.h>

namespace tektii::registry {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(FaultTable, Row10_BusyServersAreAskedAgain) {
  for (const int status : {500, 502, 503, 504, 408, 429, 499, 522}) {
    for (const char* method : {"POST", "PUT"}) {
      start();
      server->on({method, "/v2/app/", 1, 3}, Fault{.status = status});
      push(make_sample_image({"layer"}), "app:1");
      EXPECT_FALSE(server->store().manifest("app", "1").empty()) << status;
      // The pauses double and are never quite the same.
      ASSERT_GE(waits.size(), 3U) << status << method;
      EXPECT_GT(waits[2].pause, waits[0].pause);
      waits.clear();
    }
  }
}

TEST_F(FaultTable, Row10_UntilTheTimeIsUsedUp) {
  server->on({"POST", "/uploads/", 1, 0}, error_fault(503, "UNAVAILABLE"));
  const auto began = clock.now();
  const Error error = error_of([&] { put_blob("layer"); });
  EXPECT_EQ(error.kind(), ErrorKind::network);
  EXPECT_THAT(error.what(), HasSubstr("start of the upload: the registry answered 503 (UNAVAILABLE: because)"));
  EXPECT_TRUE(hints_at(error, fmt::format("tried {} times in ", server->count("POST"))));
  EXPECT_TRUE(hints_at(error, "--retry-timeout"));
  EXPECT_LE(clock.now() - began, transfer.retry_timeout);
  // It is one time for the run: the next blob has none left of it, and fails after a few attempts.
  server->clear_requests();
  EXPECT_THROW(put_blob("another"), Error);
  EXPECT_LE(server->count("POST"), 6);
}

TEST_F(FaultTable, Row10_SomeStatusesAreFinal) {
  for (const int status : {501, 505, 400, 405}) {
    start();
    server->on({"POST", "/uploads/", 1, 0}, Fault{.status = status});
    EXPECT_THROW(put_blob("layer"), Error);
    EXPECT_EQ(server->count("POST"), 1) << status;
  }
}

TEST_F(FaultTable, Row11_RetryAfterInAllForms) {
  struct Case {
    const char* value;
    const char* date;
    seconds at_least;
    seconds at_most;
  };
  const Case cases[] = {
      {"30", "", seconds(30), seconds(30)},
      {"Tue, 01 Dec 2026 10:00:40 GMT", "Tue, 01 Dec 2026 10:00:00 GMT", seconds(40), seconds(40)},
      {"Tuesday, 01-Dec-26 10:00:40 GMT", "Tue, 01 Dec 2026 10:00:00 GMT", seconds(40), seconds(40)},
      {"Tue, 01 Dec 1998 10:00:00 GMT", "", seconds(0), seconds(1)},
      {"-5", "", seconds(0), seconds(1)},
      {"soon", "", seconds(0), seconds(1)},
      {"", "", seconds(0), seconds(1)},
  };
  for (const Case& one : cases) {
    start();
    waits.clear();
    Fault fault{.status = 429, .headers = {{"Retry-After", one.value}}};
    if (*one.date != '\0') fault.headers.emplace_back("Date", one.date);
    server->on({"PUT", "/uploads/"}, fault);
    put_blob("layer");
    EXPECT_TRUE(arrived("layer"));
    ASSERT_EQ(waits.size(), 1U) << one.value;
    EXPECT_GE(waits[0].pause, one.at_least) << one.value;
    EXPECT_LE(waits[0].pause, one.at_most) << one.value;
    EXPECT_EQ(waits[0].reason, "429");
    EXPECT_EQ(waits[0].asked_by_server, one.at_least.count() > 0);
  }
}

TEST_F(FaultTable, Row11_MoreThanTheTimeThatThereIs) {
  for (const char* value : {"1000000000", "99999999999999999999999", "301"}) {
    start();
    server->on({"POST", "/uploads/", 1, 0}, Fault{.status = 429, .headers = {{"Retry-After", value}}});
    const auto began = clock.now();
    const Error error = error_of([&] { put_blob("layer"); });
    EXPECT_EQ(error.kind(), ErrorKind::rate_limited);
    EXPECT_TRUE(hints_at(error, "the registry asks to wait"));
    EXPECT_TRUE(hints_at(error, "--retry-timeout"));
    EXPECT_EQ(clock.now(), began) << "nothing is waited for in vain";
    EXPECT_EQ(server->count("POST"), 1);
  }
}

TEST_F(FaultTable, Row12_ALostUploadIsBegunAnew) {
  for (const char* code : {"BLOB_UPLOAD_UNKNOWN", "BLOB_UPLOAD_INVALID"}) {
    start();
    server->on({"PUT", "/uploads/"}, error_fault(404, code));
    put_blob("layer");
    EXPECT_TRUE(arrived("layer"));
    EXPECT_EQ(server->count("POST"), 2);
    // In chunks likewise.
    transfer.push_chunk_size = 1000;
    start();
    server->on({"PATCH", "/uploads/", 3}, error_fault(404, code));
    put_blob(std::string(5500, 'l'));
    EXPECT_TRUE(arrived(std::string(5500, 'l')));
    EXPECT_EQ(server->count("POST"), 2);
    // And not for ever.
    start();
    server->on({"PATCH", "/uploads/", 1, 0}, error_fault(404, code));
    EXPECT_EQ(error_of([&] { put_blob(std::string(5500, 'l')); }).kind(), ErrorKind::not_found);
    EXPECT_LE(server->count("POST"), 4);
    transfer.push_chunk_size.reset();
  }
}

struct Status {
  const char* name;
  Fault fault;  // of the request that asks how much arrived
};

class ResumeTable : public FaultTable, public ::testing::WithParamInterface<Status> {};

TEST_P(ResumeTable, Row13_WhatAStatusProves) {
  RegistryStore::Options options;
  options.after_cut = RegistryStore::AfterCut::keep;
  start(options);
  const std::string content = big_content();
  server->on({"PUT", "/uploads/"}, Fault{.cut_request_after = 5000000});
  server->on({"GET", "/uploads/", 1, 0}, GetParam().fault);
  put_blob(content);
  EXPECT_TRUE(arrived(content));
  EXPECT_LE(server->count("PUT"), 3);
  EXPECT_LE(server->count("POST"), 2);
  // Of one that is said to be gone nothing is asked any more.
  EXPECT_EQ(server->store().open_uploads(), GetParam().fault.status == 404 ? 1U : 0U);
}

INSTANTIATE_TEST_SUITE_P(FaultTable, ResumeTable,
                         ::testing::Values(Status{"Good", Fault{}}, Status{"Gone", Fault{.status = 404}},
                                           Status{"StaleRange", Fault{.headers = {{"Range", "0-999"}}}},
                                           Status{"OneByteOrNone", Fault{.headers = {{"Range", "0-0"}}}},
                                           Status{"BeyondTheEnd", Fault{.headers = {{"Range", "0-99999999999"}}}},
                                           Status{"Overflow", Fault{.headers = {{"Range", "0-18446744073709551615"}}}},
                                           Status{"Garbage", Fault{.headers = {{"Range", "bytes 7"}}}},
                                           Status{"NoRange", Fault{.without = {"Range"}}},
                                           Status{"Error", Fault{.status = 500}},
                                           Status{"Dropped", Fault{.drop = true, .reset = true}}),
                         [](const auto& param) { return std::string(param.param.name); });

TEST_F(FaultTable, Row13_AResumeThatDoesNotGetOnIsNotRepeated) {
  RegistryStore::Options options;
  options.after_cut = RegistryStore::AfterCut::keep;
  start(options);
  const std::string content = big_content();
  // Whatever is sent, the status stays the same, as on Amazon ECR.
  server->on({"PUT", "/uploads/", 1, 4}, Fault{.cut_request_after = 3000000});
  server->on({"GET", "/uploads/", 1, 0}, Fault{.headers = {{"Range", "0-999"}}});
  put_blob(content);
  EXPECT_TRUE(arrived(content));
  EXPECT_LE(server->count("GET", "/uploads/"), 6);
}

TEST_F(FaultTable, Row13_AStaleOffsetIs416) {
  transfer.push_chunk_size = 1000;
  start();
  server->on({"PATCH", "/uploads/", 3}, Fault{.status = 416});
  put_blob(std::string(5500, 'l'));
  EXPECT_TRUE(arrived(std::string(5500, 'l')));
  // And not for ever.
  start();
  server->on({"PATCH", "/uploads/", 2, 0}, Fault{.status = 416});
  EXPECT_THROW(put_blob(std::string(5500, 'l')), Error);
  EXPECT_LE(server->count("PATCH"), 12);
}

TEST_F(FaultTable, Row14_AnySuccessIsOne) {
  transfer.push_chunk_size = 1000;
  start();
  server->on({"POST", "/uploads/", 1, 0}, [](const FaultRequest&) { return Fault{}; });
  server->on({"PATCH", "/uploads/", 1, 0}, [](const FaultRequest&) { return Fault{}; });
  for (const int put : {200, 201, 204}) {
    const std::string content(2500, static_cast<char>('a' + put - 200));
    server->clear_script();
    server->on({"PUT", "/uploads/"}, Fault{.status = put, .carry_out = true});
    put_blob(content);
    EXPECT_TRUE(arrived(content)) << put;
  }
  // Status and headers of the registry, with another number.
  for (const char* method : {"POST", "PATCH"}) {
    start();
    server->on({method, "/uploads/", 1, 0}, [&](const FaultRequest& request) {
      Fault fault{.status = 201, .carry_out = true};
      const std::string state = "?_state=a%2Fb%3D%3D";
      const auto path = request.method == "POST" ? request.path() + "upload-1" : request.path();
      fault.headers = {{"Location", path + state}, {"Range", "0-0"}};
      return fault;
    });
    put_blob(std::string(2500, 'p'));
    EXPECT_TRUE(arrived(std::string(2500, 'p'))) << method;
  }
}

// What a proxy does that limits the size of a request.
Fault refuse_above(const FaultRequest& request, std::uint64_t limit, int status) {
  const auto length = std::stoull(request.header("Content-Length").value_or("0"));
  if (length <= limit) return {};
  return Fault{.answer_before_body = true, .status = status};
}

TEST_F(FaultTable, Row15_TooLargeBodiesGoInChunks) {
  const std::string content(20 << 20, 'b');
  server->on({"PUT", "", 1, 0}, [](const FaultRequest& request) { return refuse_above(request, 1 << 20, 413); });
  server->on({"PATCH", "", 1, 0}, [](const FaultRequest& request) { return refuse_above(request, 1 << 20, 413); });
  put_blob(content);
  EXPECT_TRUE(arrived(content));
  for (const auto& request : server->requests("PATCH")) {
    if (request.body_complete) {
      EXPECT_EQ(request.body_length, 1U << 20);
    }
  }
  // The next one knows, and a small one needs no chunks.
  server->clear_requests();
  put_blob(std::string(3 << 20, 'n'));
  put_blob("small");
  EXPECT_TRUE(arrived(std::string(3 << 20, 'n')) && arrived("small"));
  EXPECT_EQ(server->count("PATCH"), 3);
  EXPECT_EQ(server->count("PUT"), 2);
}

TEST_F(FaultTable, Row15_AChunkOfMoreThanFourMebibytesIs416) {
  transfer.push_chunk_size = 8 << 20;
  start();
  server->on({"PATCH", "", 1, 0}, [](const FaultRequest& request) { return refuse_above(request, 4 << 20, 416); });
  const std::string content = big_content();
  put_blob(content);
  EXPECT_TRUE(arrived(content));
  EXPECT_EQ(server->count("PATCH"), 4) << "the one that was refused, and three of up to 4 MiB";
}

TEST_F(FaultTable, Row15_TheLeastSizeOfAChunkIsKept) {
  RegistryStore::Options options;
  options.min_chunk = 6 << 20;
  transfer.push_chunk_size = 1000;
  start(options);
  put_blob(big_content());
  EXPECT_TRUE(arrived(big_content()));
  EXPECT_EQ(server->requests("PATCH").at(0).body_length, options.min_chunk);
  EXPECT_EQ(server->count("PATCH"), 2);
}

TEST_F(FaultTable, Row15_NoSizeIsSmallEnough) {
  server->on({"PUT", "", 1, 0}, Fault{.status = 413});
  server->on({"PATCH", "", 1, 0}, Fault{.status = 413});
  const Error error = error_of([&] { put_blob(big_content()); });
  EXPECT_THAT(error.what(), HasSubstr("413"));
  EXPECT_LE(server->count("PATCH"), 6);
  EXPECT_EQ(server->store().open_uploads(), 0U);
}

TEST_F(FaultTable, Row16_DigestInvalidOnce) {
  server->on({"PUT", "/uploads/"}, error_fault(400, "DIGEST_INVALID"));
  put_blob("layer");
  EXPECT_TRUE(arrived("layer"));
  EXPECT_EQ(server->count("PUT"), 2);
}

TEST_F(FaultTable, Row16_DigestInvalidAlways) {
  server->on({"PUT", "/uploads/", 1, 0}, error_fault(400, "DIGEST_INVALID"));
  EXPECT_EQ(error_of([&] { put_blob("layer"); }).kind(), ErrorKind::content);
  EXPECT_EQ(server->count("PUT"), 2);
}

TEST_F(FaultTable, Row16_TheContentIsNotWhatItWas) {
  oci::BlobUpload upload = upload_of("layer");
  upload.open = [] { return std::make_unique<StringSource>("LAYER"); };
  const auto target = client->target(reference("app:1"));
  EXPECT_THAT(error_of([&] { target->put_blob(upload, {}); }).what(), HasSubstr("changed while it was sent"));
  EXPECT_EQ(server->count("PUT"), 1);
}

TEST_F(FaultTable, Row17_AMissingBlobIsSentAgain) {
  const SampleImage image = make_sample_image({"one", "two"});
  const std::string lost = image.sealed.layers[1].blob.digest.str();
  server->on({"PUT", "/manifests/"}, [&](const FaultRequest&) {
    server->store().remove_blob("app", lost);
    return Fault{};
  });
  push(image, "app:1");
  EXPECT_EQ(server->store().manifest("app", "1"), image.sealed.manifest_bytes);
  EXPECT_EQ(server->count("PUT", "/manifests/"), 2);
  EXPECT_EQ(server->count("PUT", "/uploads/"), 4) << "three blobs, and one of them again";
}

TEST_F(FaultTable, Row17_OnceAndNoMore) {
  server->on({"PUT", "/manifests/", 1, 0}, error_fault(404, "MANIFEST_BLOB_UNKNOWN"));
  const Error error = error_of([&] { push(make_sample_image({"one"}), "app:1"); });
  EXPECT_THAT(error.what(), HasSubstr("MANIFEST_BLOB_UNKNOWN"));
  EXPECT_EQ(server->count("PUT", "/manifests/"), 2);
}

TEST_F(FaultTable, Row18_ARefusedHeadMeansUnknown) {
  for (const int status : {401, 403, 405, 500, 503}) {
    start();
    server->on({"HEAD", "", 1, 0}, Fault{.status = status});
    const SampleImage image = make_sample_image({"layer"});
    EXPECT_FALSE(client->target(reference("app:1"))->has_manifest(image.sealed.manifest, {}));
    push(image, "app:1");
    EXPECT_EQ(server->store().manifest("app", "1"), image.sealed.manifest_bytes) << status;
    EXPECT_TRUE(waits.empty()) << "nobody waits for an answer that only saves work";
  }
}

TEST_F(FaultTable, Row19_AHeadThatLiesIsFoundOut) {
  server->on({"HEAD", "/blobs/", 1, 0}, Fault{.status = 200, .headers = {{"Content-Length", "5"}}});
  const SampleImage image = make_sample_image({"layer"});
  push(image, "app:1");
  EXPECT_EQ(server->store().manifest("app", "1"), image.sealed.manifest_bytes);
  EXPECT_TRUE(arrived("layer"));
}

TEST_F(FaultTable, Row20_AMountThatFailsIsAnUpload) {
  for (const int status : {0, 202, 401, 403, 404, 405, 500}) {
    start();
    server->store().add_blob("base", "layer");
    Fault fault{.status = status};
    if (status == 0) fault = Fault{.drop = true, .reset = true};
    server->on({"POST", "mount=", 1, 0}, fault);
    put_blob("layer", oci::BlobOrigin{server->name(), "base"});
    EXPECT_TRUE(arrived("layer")) << status;
    EXPECT_EQ(server->count("POST", "mount="), 1) << status;
  }
}

TEST_F(FaultTable, Row20_MountsThatWork) {
  server->store().add_blob("base", "layer");
  put_blob("layer", oci::BlobOrigin{server->name(), "base"});
  EXPECT_TRUE(arrived("layer"));
  EXPECT_EQ(server->count(), 1);
  // A 202 is the upload already.
  put_blob("other", oci::BlobOrigin{server->name(), "base"});
  EXPECT_TRUE(arrived("other"));
  EXPECT_EQ(server->count("POST"), 2);
  EXPECT_EQ(server->store().open_uploads(), 0U);
}

TEST_F(FaultTable, Row20_OtherRepositoriesToMountFrom) {
  transfer.mount_from = {{"", "team/one"}, {"elsewhere.example", "team/none"}, {server->name(), "team/two"}};
  restart_client();
  server->store().add_blob("team/two", "layer");
  put_blob("layer");
  EXPECT_TRUE(arrived("layer"));
  EXPECT_EQ(server->count("PUT"), 0);
  EXPECT_EQ(server->store().open_uploads(), 0U) << "what the first repository's refusal opened is given up";
}

TEST_F(FaultTable, Row21_ImmutableTags) {
  RegistryStore::Options options;
  options.immutable_tags = true;
  start(options);
  const SampleImage image = make_sample_image({"old"});
  push(image, "app:1");
  EXPECT_NO_THROW(push(image, "app:1")) << "the same digest";
  const Error error = error_of([&] { push(make_sample_image({"new"}), "app:1"); });
  EXPECT_EQ(error.kind(), ErrorKind::immutable_tag);
  EXPECT_TRUE(hints_at(error, image.sealed.manifest.digest.str()));
}

TEST_F(FaultTable, Row22_RefusalsAreFinal) {
  struct Case {
    int status;
    const char* body;
    ErrorKind kind;
    const char* hint;
  };
  const Case cases[] = {
      {403, R"({"errors":[{"code":"DENIED","message":"requested access is denied"}]})", ErrorKind::denied, "login"},
      {403, R"({"errors":[{"code":"DENIED","message":"storage quota exceeded"}]})", ErrorKind::denied, "quota"},
      {404, R"({"errors":[{"code":"NAME_UNKNOWN","message":"no such repository"}]})", ErrorKind::not_found, "created"},
  };
  for (const Case& one : cases) {
    start();
    server->on({"POST", "/uploads/", 1, 0}, Fault{.status = one.status, .body = one.body});
    const Error error = error_of([&] { put_blob("layer"); });
    EXPECT_EQ(error.kind(), one.kind) << one.body;
    EXPECT_TRUE(hints_at(error, one.hint)) << one.body;
    EXPECT_EQ(server->count("POST"), 1);
    EXPECT_TRUE(waits.empty());
  }
}

}  // namespace
}  // namespace tektii::registry
