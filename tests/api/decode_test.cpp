#include "api/decode.hpp"

#include <tektii/util/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tektii::api {
namespace {

struct ListRow {
  const char* text;
  std::size_t items;
  const char* cursor;
};

class ListForms : public ::testing::TestWithParam<ListRow> {};

TEST_P(ListForms, AreAllRead) {
  const auto page = decode_strategies(GetParam().text);
  EXPECT_EQ(page.items.size(), GetParam().items);
  EXPECT_EQ(page.next_cursor, GetParam().cursor);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, ListForms,
    ::testing::Values(ListRow{R"([{"id":"a"},{"id":"b"}])", 2, ""}, ListRow{R"({"data":[{"id":"a"}]})", 1, ""},
                      ListRow{R"({"data":[{"id":"a"}],"nextCursor":"c1"})", 1, "c1"},
                      ListRow{R"({"strategies":[{"id":"a"}],"nextCursor":"c2"})", 1, "c2"},
                      ListRow{R"({"strategies":[],"pagination":{"nextCursor":"c3"}})", 0, "c3"},
                      ListRow{R"({"data":{"strategies":[{"id":"a"}],"nextCursor":"c4"}})", 1, "c4"},
                      ListRow{R"({"data":{"strategies":[]},"pagination":{"nextCursor":"c5"}})", 0, "c5"},
                      ListRow{R"({"strategies":[{"id":"a"}],"nextCursor":null})", 1, ""}));

TEST(Decode, ListsWithoutAListAreRefused) {
  EXPECT_THROW(decode_strategies(R"({"versions":[]})"), Error);
  EXPECT_THROW(decode_strategies(R"("text")"), Error);
  EXPECT_THROW(decode_strategies(R"([{"name":"no id"}])"), Error);
}

TEST(Decode, Strategy) {
  const Strategy strategy = decode_strategy(
      R"({"data":{"id":"strat_1","name":"n","ownerId":"user_1","createdBy":{"id":"user_2"},"createdAt":"t","updatedAt":"u"}})");
  EXPECT_EQ(strategy.owner_id, "user_1");
  EXPECT_EQ(strategy.created_by, "user_2");
  EXPECT_EQ(strategy.updated_at, "u");
}

TEST(Decode, MetricsComeKnownOnesFirst) {
  const Scenario scenario = decode_scenario(
      R"({"id":"s","state":"COMPLETE","simulated":true,"metrics":{"alpha":0.5,"totalTrades":12,"totalReturn":3.25,"note":"x"}})");
  ASSERT_EQ(scenario.metrics.size(), 3U);
  EXPECT_EQ(scenario.metrics[0].name, "totalReturn");
  EXPECT_EQ(scenario.metrics[1].name, "totalTrades");
  EXPECT_EQ(scenario.metrics[2].name, "alpha");
  EXPECT_TRUE(scenario.simulated);
  EXPECT_TRUE(scenario.finished());
  EXPECT_EQ(scenario.metric("totalTrades"), 12);
  EXPECT_EQ(scenario.metric("sharpeRatio"), std::nullopt);
}

TEST(Decode, MetricsBesideTheOtherFields) {
  const Scenario scenario =
      decode_scenario(R"({"id":"s","state":"RUNNING","totalReturn":1.5,"initialCapital":1000,"sharpeRatio":null})");
  ASSERT_EQ(scenario.metrics.size(), 1U);
  EXPECT_FALSE(scenario.finished());
  EXPECT_FALSE(scenario.simulated);
}

struct UploadRow {
  const char* url;
  const char* reference;
};

class UploadReference : public ::testing::TestWithParam<UploadRow> {};

TEST_P(UploadReference, IsRead) {
  const VersionUpload upload{"ver_1", GetParam().url, Secret("t")};
  EXPECT_EQ(upload_reference(upload).str(), GetParam().reference);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, UploadReference,
    ::testing::Values(UploadRow{"europe-docker.pkg.dev/p/r/s", "europe-docker.pkg.dev/p/r/s:ver_1"},
                      UploadRow{"https://europe-docker.pkg.dev/p/r/s", "europe-docker.pkg.dev/p/r/s:ver_1"},
                      UploadRow{"https://europe-docker.pkg.dev/p/r/s/", "europe-docker.pkg.dev/p/r/s:ver_1"},
                      UploadRow{"europe-docker.pkg.dev/p/r/s:v9", "europe-docker.pkg.dev/p/r/s:v9"},
                      UploadRow{"http://127.0.0.1:5000/s", "127.0.0.1:5000/s:ver_1"},
                      UploadRow{"127.0.0.1:5000/s:v9", "127.0.0.1:5000/s:v9"}));

TEST(UploadReferenceErrors, AreTheServers) {
  for (const char* url : {"", "name", "https://", "h.test/UPPER", "h.test/r@sha256:00"}) {
    try {
      upload_reference({"ver_1", url, Secret("t")});
      ADD_FAILURE() << url;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::network) << url;
    }
  }
}

}  // namespace
}  // namespace tektii::api
