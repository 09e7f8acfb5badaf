#include "api/fake_transport.hpp"
#include <tektii/api/client.hpp>
#include <tektii/util/error.hpp>

#include <gmock/gmock.h>

#include <deque>
#include <optional>

namespace tektii::api {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Serves one document, cut after so many bytes of each answer.
class CutTransport : public net::HttpTransport {
 public:
  net::HttpResponse send(const net::HttpRequest& request, ByteSink* sink, std::stop_token) override {
    std::string range;
    for (const auto& header : request.headers) {
      if (header.name == "Range") range = header.value;
    }
    ranges.push_back(range);
    net::HttpResponse response;
    std::size_t begin = 0;
    response.status = 200;
    if (!etag.empty()) response.headers.push_back({"ETag", etag});
    if (!range.empty() && honours_ranges) {
      begin = std::stoul(range.substr(6));
      response.status = 206;
      response.headers.push_back({"Content-Range", "bytes " + std::to_string(begin) + "-99/100"});
    }
    const std::string rest = document.substr(begin);
    response.headers.push_back({"Content-Length", std::to_string(rest.size())});
    if (request.on_head) request.on_head(response);
    const std::optional<std::size_t> cut = cuts.empty() ? std::nullopt : std::optional(cuts.front());
    if (cut) cuts.pop_front();
    const std::string part = rest.substr(0, cut.value_or(rest.size()));
    sink->write(as_byte_span(part));
    if (after_cut) after_cut();
    if (cut) throw net::TransportError("connection reset", true, true);
    return response;
  }

  std::string document = "0123456789";
  std::string etag = "\"a\"";
  bool honours_ranges = true;
  std::deque<std::size_t> cuts;
  std::vector<std::string> ranges;
  std::function<void()> after_cut;
};

struct DownloadTest : ::testing::Test {
  std::string download() {
    Client client({"https://api.test", Secret(std::string(64, 'a'))}, {transport, clock});
    StringSink sink;
    progress.clear();
    client.download_results("strat_1", "scen_1", ResultType::trades, sink,
                            [&](std::uint64_t received, std::optional<std::uint64_t> total) {
                              progress.emplace_back(received, total.value_or(0));
                            },
                            {});
    return sink.take();
  }
  CutTransport transport;
  test::FakeClock clock;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> progress;
};

TEST_F(DownloadTest, GoesOnWhereItBroke) {
  transport.cuts = {4, 3};
  EXPECT_EQ(download(), "0123456789");
  EXPECT_THAT(transport.ranges, ElementsAre("", "bytes=4-", "bytes=7-"));
  EXPECT_THAT(progress, ElementsAre(std::pair(4U, 10U), std::pair(7U, 10U), std::pair(10U, 10U)));
}

TEST_F(DownloadTest, StartsAnewAndLeavesOutWhatIsThereWithoutRanges) {
  transport.honours_ranges = false;
  transport.cuts = {4, 2, 6};
  EXPECT_EQ(download(), "0123456789");
  transport.etag.clear();
  transport.cuts = {9};
  transport.ranges.clear();
  EXPECT_EQ(download(), "0123456789");
  EXPECT_THAT(transport.ranges, ElementsAre("", ""));
}

TEST_F(DownloadTest, AnotherDocumentIsNoticed) {
  transport.honours_ranges = false;
  transport.cuts = {4};
  transport.after_cut = [&] { transport.document = "0x23456789"; };
  EXPECT_THROW(
      {
        try {
          download();
        } catch (const Error& error) {
          EXPECT_THAT(error.what(), HasSubstr("the results changed while they were downloaded"));
          throw;
        }
      },
      Error);
}

TEST_F(DownloadTest, GivesUpWhenNothingMoreComes) {
  transport.cuts = {4, 0, 0, 0, 0, 0, 0, 0};
  EXPECT_THROW(download(), net::TransportError);
  EXPECT_THAT(transport.ranges.size(), 4U) << "three attempts without a byte more";
}

}  // namespace
}  // namespace tektii::api
