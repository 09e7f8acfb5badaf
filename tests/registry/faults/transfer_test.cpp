#include "registry/faults/fault_fixture.hpp"

#include <fmt/format.h>

namespace tektii::registry {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

TEST_F(FaultTable, Row01_TruncatedPullGoesOnByRange) {
  const std::string content = big_content();
  server->store().add_blob("app", content);
  server->on({"GET", "/blobs/"}, Fault{.cut_answer_after = 100000});
  EXPECT_TRUE(fetch(content) == content);
  const auto requests = server->requests("GET", "/blobs/");
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_EQ(requests[1].header("Range"), "bytes=100000-");
}

TEST_F(FaultTable, Row01_TruncatedPullIsNeverAccepted) {
  const std::string content(1000, 'x');
  server->store().add_blob("app", content);
  server->on({"GET", "/blobs/", 1, 0}, Fault{.cut_answer_after = 0, .reset = true});
  EXPECT_EQ(error_of([&] { fetch(content); }).kind(), ErrorKind::network);
  // A length that is wrong, but fits what is sent.
  server->clear_script();
  server->on({"GET", "/blobs/", 1, 0}, Fault{.status = 200, .body = std::string(10, 'x')});
  const Error error = error_of([&] { fetch(content); });
  EXPECT_EQ(error.kind(), ErrorKind::content);
  EXPECT_THAT(error.what(), HasSubstr("of sha256:"));
}

TEST_F(FaultTable, Row01_AShortAnswerThatEndsWellIsContinued) {
  const std::string content(1000, 'x');
  server->store().add_blob("app", content);
  server->on({"GET", "/blobs/"}, Fault{.status = 200, .body = content.substr(0, 300)});
  EXPECT_EQ(fetch(content), content);
  EXPECT_EQ(server->requests("GET", "/blobs/").at(1).header("Range"), "bytes=300-");
}

TEST_F(FaultTable, Row02_RangeIsIgnored) {
  const std::string content = big_content();
  server->store().add_blob("app", content);
  server->on({"GET", "/blobs/"}, Fault{.cut_answer_after = 100000});
  server->on({"GET", "/blobs/", 2}, Fault{.status = 200, .body = content});
  EXPECT_TRUE(fetch(content) == content);
  EXPECT_EQ(server->count("GET", "/blobs/"), 2);
}

TEST_F(FaultTable, Row02_RangeIsRefused) {
  const std::string content = big_content();
  server->store().add_blob("app", content);
  server->on({"GET", "/blobs/"}, Fault{.cut_answer_after = 100000});
  server->on({"GET", "/blobs/", 2}, Fault{.status = 416});
  EXPECT_TRUE(fetch(content) == content);
  EXPECT_EQ(server->requests("GET", "/blobs/").at(2).header("Range"), std::nullopt);
}

TEST_F(FaultTable, Row02_WrongContentRange) {
  const std::string content = big_content();
  server->store().add_blob("app", content);
  server->on({"GET", "/blobs/"}, Fault{.cut_answer_after = 100000});
  server->on({"GET", "/blobs/", 2}, Fault{.headers = {{"Content-Range", "bytes 5-9/10"}}});
  EXPECT_TRUE(fetch(content) == content);
  EXPECT_EQ(server->count("GET", "/blobs/"), 3);
  EXPECT_EQ(server->requests("GET", "/blobs/").at(2).header("Range"), std::nullopt);
}

TEST_F(FaultTable, Row03_WrongBytesAreRefetchedOnce) {
  const SampleImage image = make_sample_image({"layer"});
  publish(image, "app", "1");
  const auto garble = [](std::string& body) { body[0] = static_cast<char>(body[0] ^ 1); };
  const std::string config = "/blobs/" + image.sealed.config.digest.str();
  server->on({"GET", config}, Fault{.alter_body = garble});
  EXPECT_EQ(client->image(reference("app:1"))->resolve({}, {}).config_bytes, image.sealed.config_bytes);
  EXPECT_EQ(server->count("GET", config), 2);
  server->clear_script();
  server->on({"GET", config, 1, 0}, Fault{.alter_body = garble});
  const Error error = error_of([&] { client->image(reference("app:1"))->resolve({}, {}); });
  EXPECT_EQ(error.kind(), ErrorKind::content);
  EXPECT_THAT(error.what(), HasSubstr("digest mismatch"));
  EXPECT_EQ(server->count("GET", config), 4);
}

TEST_F(FaultTable, Row04_LongerThanItMayBe) {
  const std::string content(1000, 'x');
  server->store().add_blob("app", content);
  for (const Fault& fault : {Fault{.status = 200, .body = content + "y"}, Fault{.status = 200, .endless = true}}) {
    server->clear_script();
    server->on({"GET", "/blobs/", 1, 0}, fault);
    StringSink sink;
    const auto source = client->image(reference("app:1"));
    const Error error = error_of([&] { source->fetch(descriptor_of(content), sink, {}); });
    EXPECT_EQ(error.kind(), ErrorKind::content);
    EXPECT_THAT(error.what(), HasSubstr("more than the 1000 bytes"));
    EXPECT_LE(sink.str().size(), 1000U);
  }
}

struct Stall {
  const char* name;
  const char* method;
  const char* target;
  Fault fault;
  const char* phase;
};

class StallTable : public FaultTable, public ::testing::WithParamInterface<Stall> {
 protected:
  void SetUp() override {
    transfer.stall_timeout = milliseconds(250);
    FaultTable::SetUp();
  }
};

TEST_P(StallTable, Row05_Stall) {
  const Stall& stall = GetParam();
  const std::string content = big_content();
  server->store().add_blob("app", content);
  const bool pulls = stall.method == std::string("GET");
  // Once: the next attempt succeeds.
  server->on({stall.method, stall.target}, stall.fault);
  if (pulls) {
    EXPECT_TRUE(fetch(content) == content);
  } else {
    put_blob(big_content('p'));
    EXPECT_TRUE(arrived(big_content('p')));
  }
  EXPECT_GE(server->count(stall.method, stall.target), 2);
  ASSERT_FALSE(waits.empty());
  EXPECT_THAT(waits[0].reason, HasSubstr(server->name() + " stalled"));
  EXPECT_THAT(waits[0].reason, HasSubstr(stall.phase));
  // For good: the error says so.
  transfer.retry_timeout = milliseconds(1000);
  restart_client();
  server->clear_script();
  server->on({stall.method, stall.target, 1, 0}, stall.fault);
  const Error error = error_of([&] { pulls ? void(fetch(content)) : put_blob(big_content('q')); });
  EXPECT_EQ(error.kind(), ErrorKind::network);
  EXPECT_THAT(error.what(), HasSubstr(server->name() + " stalled"));
  EXPECT_THAT(error.what(), HasSubstr(stall.phase));
}

constexpr const char* k_middle = "in the middle of the answer";

INSTANTIATE_TEST_SUITE_P(
    FaultTable, StallTable,
    ::testing::Values(Stall{"NoHead", "GET", "/blobs/", Fault{.delay = milliseconds(8000)}, "waiting for the answer"},
                      Stall{"NoBody", "GET", "/blobs/", Fault{.stall_answer_after = 70000}, k_middle},
                      Stall{"SlowBody", "GET", "/blobs/", Fault{.drip_body = Drip{1, milliseconds(30)}}, k_middle},
                      Stall{"SlowHead", "GET", "/blobs/", Fault{.drip_head = Drip{1, milliseconds(30)}},
                            "waiting for the answer"},
                      Stall{"NotRead", "PUT", "/uploads/", Fault{.stop_reading_after = 1000}, "was being sent"}),
    [](const auto& param) { return std::string(param.param.name); });

struct Cut {
  double part;
  bool reset;
};

class CutTable : public FaultTable, public ::testing::WithParamInterface<Cut> {};

TEST_P(CutTable, Row06_UploadIsCut) {
  const std::string content = big_content();
  const auto after = static_cast<std::uint64_t>(GetParam().part * static_cast<double>(content.size()));
  for (const auto kept : {RegistryStore::AfterCut::forget, RegistryStore::AfterCut::keep}) {
    RegistryStore::Options options;
    options.after_cut = kept;
    start(options);
    server->on({"PUT", "/uploads/"}, Fault{.cut_request_after = after, .reset = GetParam().reset});
    put_blob(content);
    EXPECT_TRUE(arrived(content));
    EXPECT_EQ(server->store().open_uploads(), 0U);
    const auto puts = server->requests("PUT", "/uploads/");
    // libcurl sends what broke at its very start again by itself, once.
    ASSERT_GE(puts.size(), 2U);
    ASSERT_LE(puts.size(), 3U);
    const bool resumed = kept == RegistryStore::AfterCut::keep && after > 1;
    EXPECT_EQ(puts.back().body_length, content.size() - (resumed ? after : 0));
    EXPECT_LE(server->count("POST"), resumed ? 1 : 2);
  }
}

INSTANTIATE_TEST_SUITE_P(FaultTable, CutTable,
                         ::testing::Values(Cut{0, false}, Cut{0.00000011, false}, Cut{0.5, false}, Cut{0.99, false},
                                           Cut{0, true}, Cut{0.00000011, true}, Cut{0.5, true}, Cut{0.99, true}),
                         [](const auto& param) {
                           return fmt::format("At{}{}", static_cast<int>(param.param.part * 100 + 0.999),
                                              param.param.reset ? "Rst" : "Fin") +
                                  (param.param.part == 0 ? "None" : "");
                         });

TEST_F(FaultTable, Row07_CutAfterTheBodyIsNoSecondUpload) {
  const std::string content = big_content();
  server->on({"PUT", "/uploads/"}, Fault{.carry_out = true, .drop = true});
  put_blob(content);
  EXPECT_TRUE(arrived(content));
  EXPECT_EQ(server->count("PUT", "/uploads/"), 1);
  EXPECT_EQ(server->count("HEAD", "/blobs/"), 2);
}

TEST_F(FaultTable, Row08_AnEarlyErrorIsReadAndReported) {
  for (int round = 0; round < 10; ++round) {
    server->clear_script();
    server->clear_requests();
    Fault fault = error_fault(403, "DENIED");
    fault.answer_before_body = true;
    server->on({"PUT", "/uploads/", 1, 0}, fault);
    const Error error = error_of([&] { put_blob(std::string(16 << 20, 'e')); });
    ASSERT_EQ(error.kind(), ErrorKind::denied) << error.what();
    ASSERT_THAT(error.what(), HasSubstr("403 (DENIED: because)"));
    ASSERT_EQ(server->count("PUT"), 1) << "and is final";
  }
}

TEST_F(FaultTable, Row09_NothingWaitsFor100Continue) {
  const std::string content = big_content();
  server->on({"PUT", "/uploads/", 1, 0}, Fault{.no_continue = true});
  const auto began = std::chrono::steady_clock::now();
  put_blob(content);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::milliseconds(900));
  EXPECT_TRUE(arrived(content));
  EXPECT_EQ(server->requests("PUT").at(0).header("Expect"), std::nullopt) << "so no server can answer 417";
  // One that is sent all the same is no trouble.
  server->on({"PUT", "/uploads/", 2, 0}, Fault{.before = "HTTP/1.1 100 Continue\r\n\r\n"});
  put_blob("another");
  EXPECT_TRUE(arrived("another"));
}

}  // namespace
}  // namespace tektii::registry
