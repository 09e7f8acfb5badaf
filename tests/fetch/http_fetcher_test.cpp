#include "support/fake_clock.hpp"
#include "support/http_server.hpp"
#include <tektii/fetch/http_fetcher.hpp>
#include <tektii/util/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tektii::fetch {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::HttpServer;
using testing::ServerRequest;
using testing::ServerResponse;

class HttpFetcherTest : public ::testing::Test {
 protected:
  HttpFile fetch(const HttpFileRequest& request) {
    HttpFetcher fetcher(*transport_, clock_);
    return fetcher.fetch(
        request,
        [&]() -> ByteSink& {
          ++opened_;
          return target_.emplace();
        },
        stop_.get_token());
  }
  HttpFile fetch(const std::string& path) {
    HttpFileRequest request;
    request.url = server_.url(path);
    return fetch(request);
  }
  Error error(const std::string& path) {
    try {
      fetch(path);
    } catch (const Error& failure) {
      return failure;
    }
    ADD_FAILURE() << "no error";
    return Error(ErrorKind::failure, "");
  }

  std::function<ServerResponse(const ServerRequest&)> handler_;
  HttpServer server_{[this](const ServerRequest& request) { return handler_(request); }};
  std::unique_ptr<net::HttpTransport> transport_ = net::make_curl_transport("tektii-test");
  testing::FakeClock clock_;
  std::stop_source stop_;
  std::optional<StringSink> target_;
  int opened_ = 0;
};

TEST_F(HttpFetcherTest, AFileAndWhatIsKnownOfIt) {
  handler_ = [](const auto&) {
    return ServerResponse{200, {{"ETag", "\"1\""}, {"Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT"}}, "hello"};
  };
  const auto file = fetch("/a?x=1");
  EXPECT_EQ(target_->str(), "hello");
  EXPECT_EQ(file.size, 5U);
  EXPECT_EQ(file.etag, "\"1\"");
  EXPECT_EQ(parse_http_date(file.last_modified), 784111777);
  EXPECT_FALSE(file.not_modified);
}

TEST_F(HttpFetcherTest, AnEmptyFileIsAFile) {
  handler_ = [](const auto&) { return ServerResponse{200, {}, ""}; };
  EXPECT_EQ(fetch("/a").size, 0U);
  EXPECT_EQ(opened_, 1);
}

TEST_F(HttpFetcherTest, Redirects) {
  handler_ = [](const ServerRequest& request) {
    if (request.path() == "/a") return ServerResponse{302, {{"Location", "/b"}}, "x"};
    return ServerResponse{200, {}, "there"};
  };
  fetch("/a");
  EXPECT_EQ(target_->str(), "there");
}

// Answers every request by a redirect.
class Redirecting : public net::HttpTransport {
 public:
  explicit Redirecting(std::string location) : location_(std::move(location)) {}
  net::HttpResponse send(const net::HttpRequest& request, ByteSink*, std::stop_token) override {
    asked.push_back(request.url);
    net::HttpResponse response;
    response.url = request.url;
    response.status = asked.size() == 1 ? 302 : 404;
    response.headers.push_back({"Location", location_});
    return response;
  }
  std::vector<std::string> asked;

 private:
  std::string location_;
};

TEST_F(HttpFetcherTest, RedirectsFromThePublicToThePrivateAreRefused) {
  struct Row {
    const char* from;
    const char* to;
    bool followed;
  };
  for (const auto& row :
       {Row{"http://host/a", "http://169.254.169.254/latest", false},
        Row{"http://host/a", "http://localhost:80/", false}, Row{"http://host/a", "http://[::1]/", false},
        Row{"https://host/a", "https://10.0.0.1/", false}, Row{"http://host/a", "http://other/", true},
        Row{"http://10.0.0.1/a", "http://10.0.0.2/", true}}) {
    Redirecting transport(row.to);
    HttpFileRequest request;
    request.url = row.from;
    try {
      HttpFetcher(transport, clock_).fetch(request, [&]() -> ByteSink& { return target_.emplace(); }, {});
      ADD_FAILURE() << "no error";
    } catch (const Error& failure) {
      EXPECT_THAT(failure.what(), HasSubstr(row.followed ? "status 404" : "which is refused")) << row.to;
    }
    EXPECT_EQ(transport.asked.size(), row.followed ? 2U : 1U) << row.to;
  }
}

TEST_F(HttpFetcherTest, TheServerIsAskedWhetherTheFileChanged) {
  handler_ = [](const ServerRequest& request) {
    if (request.header("If-None-Match") == "\"1\"") return ServerResponse{304, {}, ""};
    if (request.header("If-Modified-Since") == "then") return ServerResponse{304, {}, ""};
    return ServerResponse{200, {}, "new"};
  };
  HttpFileRequest request;
  request.url = server_.url("/a");
  request.etag = "\"1\"";
  request.last_modified = "then";
  EXPECT_TRUE(fetch(request).not_modified);
  EXPECT_EQ(server_.requests().back().header("If-Modified-Since"), std::nullopt);
  request.etag.clear();
  EXPECT_TRUE(fetch(request).not_modified);
  request.last_modified = "now";
  EXPECT_FALSE(fetch(request).not_modified);
}

TEST_F(HttpFetcherTest, GoesOnWhereTheConnectionBroke) {
  int count = 0;
  handler_ = [&](const ServerRequest& request) {
    if (++count == 1) {
      ServerResponse cut{200, {{"ETag", "\"1\""}}, "01234"};
      cut.claimed_length = 10;
      return cut;
    }
    EXPECT_EQ(request.header("If-Range"), "\"1\"");
    const auto range = request.header("Range");
    if (!range) return ServerResponse{500, {}, ""};
    const auto from = static_cast<std::size_t>(std::stoul(range->substr(6)));
    return ServerResponse{206,
                          {{"ETag", "\"1\""}, {"Content-Range", "bytes " + std::to_string(from) + "-9/10"}},
                          std::string("0123456789").substr(from)};
  };
  EXPECT_EQ(fetch("/a").size, 10U);
  EXPECT_EQ(target_->str(), "0123456789");
  EXPECT_EQ(opened_, 1);
}

TEST_F(HttpFetcherTest, BeginsAnewWhenTheFileMayBeAnother) {
  for (const std::string etag : {"", "W/\"1\"", "\"1\""}) {
    int count = 0;
    handler_ = [&](const ServerRequest&) {
      ServerResponse response{200, {}, "0123456789"};
      if (!etag.empty()) response.headers.emplace_back("ETag", etag);
      if (++count == 1) {
        response.body = "xxxx";
        response.claimed_length = 10;
      }
      return response;
    };
    EXPECT_EQ(fetch("/a").size, 10U);
    EXPECT_EQ(target_->str(), "0123456789") << etag;
  }
}

TEST_F(HttpFetcherTest, WhatMayPassIsRepeated) {
  int count = 0;
  handler_ = [&](const auto&) {
    return ++count < 3 ? ServerResponse{503, {{"Retry-After", "2"}}, "later"} : ServerResponse{200, {}, "x"};
  };
  fetch("/a");
  EXPECT_EQ(count, 3);
  count = -10;
  EXPECT_THAT(error("/a").what(), HasSubstr("the server answered with status 503"));
}

TEST_F(HttpFetcherTest, Failures) {
  handler_ = [](const ServerRequest& request) {
    return ServerResponse{std::stoi(request.path().substr(1)), {}, "<html>"};
  };
  EXPECT_EQ(error("/404?token=s").kind(), ErrorKind::network);
  EXPECT_EQ(std::string(error("/404?token=s").what()),
            "download " + server_.url("/404") + "?...: the server answered with status 404");
  EXPECT_EQ(error("/401").kind(), ErrorKind::denied);
  EXPECT_THAT(error("/403").hints(), ElementsAre(HasSubstr("HTTP_AUTH_TOKEN_127.0.0.1 or HTTP_AUTH_HEADER_127.0.0.1")));
  EXPECT_EQ(error("/206").kind(), ErrorKind::network);
  EXPECT_EQ(error("/304").kind(), ErrorKind::network);
  EXPECT_EQ(opened_, 0);
}

TEST_F(HttpFetcherTest, CredentialsOfTheUrl) {
  handler_ = [](const auto&) { return ServerResponse{200, {}, "x"}; };
  HttpFileRequest request;
  request.url = "http://me:p%40ss@" + server_.host_port() + "/a";
  fetch(request);
  EXPECT_EQ(server_.requests().back().header("Authorization"), "Basic bWU6cEBzcw==");
  request.authorization = Secret("Bearer t");
  fetch(request);
  EXPECT_EQ(server_.requests().back().header("Authorization"), "Bearer t");
}

TEST_F(HttpFetcherTest, AStopEndsADownload) {
  handler_ = [&](const auto&) {
    ServerResponse response{200, {}, "x"};
    response.stall_after_head = std::chrono::seconds(20);
    stop_.request_stop();
    return response;
  };
  EXPECT_EQ(error("/a").kind(), ErrorKind::interrupted);
}

TEST(HttpDate, ThreeForms) {
  for (const auto* text : {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
                           "Sun Nov  6 08:49:37 1994", " Sun, 06 Nov 1994 08:49:37 GMT "}) {
    EXPECT_EQ(parse_http_date(text), 784111777) << text;
  }
  for (const auto* text :
       {"", "0", "yesterday", "Sun, 06 Nov 1994 08:49 GMT", "Sun, 32 Nov 1994 08:49:37 GMT",
        "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 06 Nov 1994 25:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 +0100"}) {
    EXPECT_EQ(parse_http_date(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace tektii::fetch
