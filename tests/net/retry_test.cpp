#include "support/fake_clock.hpp"
#include <tektii/net/retry.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace tektii::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct ClassifyCase {
  int status;
  const char* body;
  StatusClass expected;
};

class Classify : public ::testing::TestWithParam<ClassifyCase> {};

TEST_P(Classify, Table) {
  EXPECT_EQ(classify(GetParam().status, GetParam().body), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    Statuses, Classify,
    ::testing::Values(ClassifyCase{200, "", StatusClass::ok}, ClassifyCase{201, "", StatusClass::ok},
                      ClassifyCase{202, "", StatusClass::ok}, ClassifyCase{204, "", StatusClass::ok},
                      ClassifyCase{206, "", StatusClass::ok}, ClassifyCase{301, "", StatusClass::fatal},
                      ClassifyCase{304, "", StatusClass::fatal}, ClassifyCase{400, "", StatusClass::fatal},
                      ClassifyCase{400, "<Error><Code>RequestTimeout</Code></Error>", StatusClass::retry_after},
                      ClassifyCase{401, "", StatusClass::auth}, ClassifyCase{401, "TOOMANYREQUESTS", StatusClass::auth},
                      ClassifyCase{403, "", StatusClass::fatal},
                      ClassifyCase{403, R"({"errors":[{"code":"TOOMANYREQUESTS"}]})", StatusClass::retry_after},
                      ClassifyCase{404, "", StatusClass::fatal}, ClassifyCase{405, "", StatusClass::fatal},
                      ClassifyCase{408, "", StatusClass::retry_after}, ClassifyCase{409, "", StatusClass::fatal},
                      ClassifyCase{413, "", StatusClass::fatal}, ClassifyCase{416, "", StatusClass::fatal},
                      ClassifyCase{429, "", StatusClass::retry_after}, ClassifyCase{499, "", StatusClass::retry_after},
                      ClassifyCase{500, "", StatusClass::retry_after}, ClassifyCase{501, "", StatusClass::fatal},
                      ClassifyCase{502, "", StatusClass::retry_after}, ClassifyCase{503, "", StatusClass::retry_after},
                      ClassifyCase{504, "", StatusClass::retry_after}, ClassifyCase{505, "", StatusClass::fatal},
                      ClassifyCase{522, "", StatusClass::retry_after}, ClassifyCase{0, "", StatusClass::fatal}));

TEST(RetryAfter, ReadsBothForms) {
  const auto read = [](const char* value) {
    HttpResponse response;
    response.headers.push_back({"retry-after", value});
    return retry_after(response);
  };
  EXPECT_EQ(read("7"), seconds(7));
  EXPECT_EQ(read(" 0 "), seconds(0));
  EXPECT_EQ(read("9999999999999"), seconds(1'000'000'000));
  EXPECT_EQ(read("-1"), std::nullopt);
  EXPECT_EQ(read("soon"), std::nullopt);
  EXPECT_EQ(read("99999999999999999999999"), seconds(1'000'000'000));
  EXPECT_EQ(read(""), std::nullopt);
  EXPECT_EQ(read("1.5"), std::nullopt);
  EXPECT_EQ(read("7 s"), std::nullopt);
  EXPECT_EQ(retry_after(HttpResponse{}), std::nullopt);
}

TEST(RetryAfter, CountsADateFromTheServersClockOrOurs) {
  HttpResponse response;
  response.headers = {{"Retry-After", "Tue, 01 Dec 2026 10:01:00 GMT"}};
  const auto at = [](std::int64_t unix_seconds) {
    return std::chrono::system_clock::time_point(seconds(unix_seconds));
  };
  EXPECT_EQ(retry_after(response, at(1796119250)), seconds(10));  // 10:00:50
  EXPECT_EQ(retry_after(response, at(1796119260 + 5)), seconds(0)) << "in the past";
  response.headers.push_back({"Date", "Tue, 01 Dec 2026 10:00:30 GMT"});
  EXPECT_EQ(retry_after(response, at(0)), seconds(30));
}

TEST(RetryBudget, CountsTheSameTimeOnce) {
  RetryBudget budget(milliseconds(1000));
  const RetryBudget::TimePoint start{};
  EXPECT_TRUE(budget.take(start, start + milliseconds(400)));
  EXPECT_TRUE(budget.take(start + milliseconds(100), start + milliseconds(400))) << "another request, at the same time";
  EXPECT_EQ(budget.spent(), milliseconds(400));
  EXPECT_FALSE(budget.take(start + milliseconds(300), start + milliseconds(1001)));
  EXPECT_EQ(budget.spent(), milliseconds(400)) << "what is not given is not taken";
  EXPECT_TRUE(budget.take(start + milliseconds(5000), start + milliseconds(5600)));
  EXPECT_FALSE(budget.take(start + milliseconds(6000), start + milliseconds(6001)));
}

TEST(Backoff, GoesOnUntilTheBudgetIsUsedUp) {
  tektii::testing::FakeClock clock;
  RetryBudget budget(seconds(60));
  std::vector<milliseconds> pauses;
  Backoff backoff({0, milliseconds(1000), milliseconds(8000)}, clock, &budget,
                  [&](milliseconds pause) { pauses.push_back(pause); });
  while (backoff.next_attempt({})) {
  }
  EXPECT_GE(backoff.attempts_made(), 7);
  EXPECT_LE(backoff.tried_for(), seconds(60));
  EXPECT_EQ(pauses, clock.sleeps());
  EXPECT_LE(pauses.back(), milliseconds(10000));
}

TEST(Backoff, AnAttemptThatGotSomewhereIsNotLost) {
  tektii::testing::FakeClock clock;
  RetryBudget budget(seconds(100));
  Backoff backoff({0, milliseconds(1000), milliseconds(8000)}, clock, &budget);
  clock.advance(std::chrono::hours(1));
  backoff.progressed();
  EXPECT_TRUE(backoff.next_attempt({}));
  EXPECT_LE(budget.spent(), milliseconds(1250));
  // One that did not is, up to a minute.
  clock.advance(std::chrono::hours(1));
  EXPECT_TRUE(backoff.next_attempt({}));
  EXPECT_GE(budget.spent(), seconds(60));
  clock.advance(std::chrono::hours(1));
  EXPECT_FALSE(backoff.next_attempt({}));
}

TEST(Backoff, DoublesWithJitterUpToItsAttempts) {
  tektii::testing::FakeClock clock;
  Backoff backoff({4, milliseconds(1000), milliseconds(3000)}, clock);
  EXPECT_TRUE(backoff.next_attempt({}));
  EXPECT_TRUE(backoff.next_attempt({}));
  EXPECT_TRUE(backoff.next_attempt({}));
  EXPECT_FALSE(backoff.next_attempt({}));
  const auto sleeps = clock.sleeps();
  ASSERT_EQ(sleeps.size(), 3U);
  const std::int64_t expected[] = {1000, 2000, 3000};
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_GE(sleeps[i].count(), expected[i] * 3 / 4);
    EXPECT_LE(sleeps[i].count(), expected[i] * 5 / 4);
  }
  EXPECT_EQ(backoff.attempts_made(), 4);
}

TEST(Backoff, WaitsAsLongAsTheServerAsksWithinLimits) {
  tektii::testing::FakeClock clock;
  Backoff backoff({}, clock);
  EXPECT_TRUE(backoff.next_attempt({}, seconds(20)));
  EXPECT_EQ(clock.sleeps().back(), seconds(20));
  EXPECT_FALSE(backoff.next_attempt({}, seconds(31)));
}

TEST(Backoff, StopsWhenAsked) {
  tektii::testing::FakeClock clock;
  Backoff backoff({}, clock);
  std::stop_source stop;
  stop.request_stop();
  try {
    backoff.next_attempt(stop.get_token());
    FAIL() << "went on";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::interrupted);
  }
}

}  // namespace
}  // namespace tektii::net
