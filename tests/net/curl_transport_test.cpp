#include "support/http_server.hpp"
#include <tektii/net/http.hpp>
#include <tektii/util/hash.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <thread>

namespace tektii::net {
namespace {

using std::chrono::milliseconds;
using tektii::testing::HttpServer;
using tektii::testing::ServerRequest;
using tektii::testing::ServerResponse;
using ::testing::HasSubstr;

class CurlTransportTest : public ::testing::Test {
 protected:
  HttpResponse get(const std::string& url, ByteSink* sink = nullptr) {
    HttpRequest request;
    request.url = url;
    return transport->send(request, sink, {});
  }

  static HttpRequest put(const std::string& url, std::string content) {
    HttpRequest request;
    request.method = "PUT";
    request.url = url;
    request.body_size = content.size();
    request.body = [content = std::move(content)] { return std::make_unique<StringSource>(content); };
    return request;
  }

  template <typename Call>
  static std::string failure_of(Call&& call) {
    try {
      call();
    } catch (const TransportError& error) {
      EXPECT_EQ(error.kind(), ErrorKind::network);
      return error.what();
    }
    ADD_FAILURE() << "no TransportError";
    return {};
  }

  std::unique_ptr<HttpTransport> transport = make_curl_transport("tektii-test/1");
};

TEST_F(CurlTransportTest, SendsHeadersAndReadsTheAnswer) {
  HttpServer server([](const ServerRequest&) {
    return ServerResponse{.status = 404, .headers = {{"X-A", "1"}, {"x-a", "2"}}, .body = "gone"};
  });
  HttpRequest request;
  request.url = server.url("/p?q=%2F#fragment");
  request.headers = {{"Accept", "a/b"}, {"X-Empty", ""}};
  request.authorization = Secret("Basic Zm9v");
  const HttpResponse response = transport->send(request, nullptr, {});
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.body, "gone");
  EXPECT_EQ(response.header("x-A"), "1");
  EXPECT_THAT(response.all_headers("X-A"), ::testing::ElementsAre("1", "2"));
  const ServerRequest seen = server.requests().at(0);
  EXPECT_EQ(seen.line(), "GET /p?q=%2F");
  EXPECT_EQ(seen.header("Accept"), "a/b");
  EXPECT_EQ(seen.header("X-Empty"), "");
  EXPECT_EQ(seen.header("Authorization"), "Basic Zm9v");
  EXPECT_EQ(seen.header("User-Agent"), "tektii-test/1");
}

TEST_F(CurlTransportTest, BodyGoesToTheSinkOnlyOnSuccess) {
  HttpServer server([](const ServerRequest& request) {
    return ServerResponse{.status = request.path() == "/ok" ? 200 : 500, .body = "content"};
  });
  StringSink sink;
  EXPECT_EQ(get(server.url("/ok"), &sink).body, "");
  EXPECT_EQ(sink.str(), "content");
  EXPECT_EQ(get(server.url("/bad"), &sink).body, "content");
  EXPECT_EQ(sink.str(), "content");
}

TEST_F(CurlTransportTest, UploadsWithLengthAndWithoutExpect) {
  HttpServer server([](const ServerRequest&) { return ServerResponse{.status = 201}; });
  std::string content(5'000'000, 'x');
  for (std::size_t i = 0; i < content.size(); i += 4096) content[i] = static_cast<char>('a' + (i / 4096) % 26);
  EXPECT_EQ(transport->send(put(server.url("/blob"), content), nullptr, {}).status, 201);
  const ServerRequest seen = server.requests().at(0);
  EXPECT_EQ(seen.header("Content-Length"), "5000000");
  EXPECT_EQ(seen.header("Expect"), std::nullopt);
  EXPECT_EQ(seen.header("Transfer-Encoding"), std::nullopt);
  EXPECT_EQ(Sha256::hex_of(seen.body), Sha256::hex_of(content));
}

TEST_F(CurlTransportTest, PostWithoutBodySaysSo) {
  HttpServer server([](const ServerRequest&) { return ServerResponse{.status = 202}; });
  HttpRequest request;
  request.method = "POST";
  request.url = server.url("/uploads/");
  EXPECT_EQ(transport->send(request, nullptr, {}).status, 202);
  EXPECT_EQ(server.requests().at(0).header("Content-Length"), "0");
}

TEST_F(CurlTransportTest, HeadHasNoBody) {
  HttpServer server([](const ServerRequest&) { return ServerResponse{.status = 200, .body = "12345"}; });
  HttpRequest request;
  request.method = "HEAD";
  request.url = server.url("/x");
  const HttpResponse response = transport->send(request, nullptr, {});
  EXPECT_EQ(response.header("content-length"), "5");
  EXPECT_EQ(response.body, "");
}

TEST_F(CurlTransportTest, ReusesItsConnections) {
  HttpServer server([](const ServerRequest&) { return ServerResponse{}; });
  for (int i = 0; i < 4; ++i) get(server.url());
  transport->send(put(server.url(), "abc"), nullptr, {});
  for (const ServerRequest& request : server.requests()) EXPECT_EQ(request.connection, 1);
}

TEST_F(CurlTransportTest, SendsAgainOnANewConnectionWhenTheKeptOneDied) {
  HttpServer server([](const ServerRequest& request) {
    // The second request of the first connection meets a server that has given the connection up.
    return ServerResponse{.status = 201, .drop = request.connection == 1 && request.path() == "/2"};
  });
  transport->send(put(server.url("/1"), "one"), nullptr, {});
  EXPECT_EQ(transport->send(put(server.url("/2"), "two"), nullptr, {}).status, 201);
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 3U);
  EXPECT_EQ(requests[2].body, "two");
  EXPECT_EQ(requests[2].connection, 2);
}

TEST_F(CurlTransportTest, ManyThreadsAtOnce) {
  HttpServer server([](const ServerRequest& request) {
    return ServerResponse{.status = 200, .body = request.body + request.path()};
  });
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 10; ++i) {
        const std::string path = "/" + std::to_string(t) + "/" + std::to_string(i);
        if (transport->send(put(server.url(path), "b"), nullptr, {}).body == "b" + path) ++good;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 80);
}

TEST_F(CurlTransportTest, AnErrorThatComesBeforeTheBodyIsReadIsReported) {
  HttpServer server([](const ServerRequest&) { return ServerResponse{}; },
                    [](const ServerRequest&) -> std::optional<ServerResponse> {
                      return ServerResponse{.status = 413, .body = "too big", .close_connection = true};
                    });
  const HttpResponse response = transport->send(put(server.url("/x"), std::string(64 << 20, 'x')), nullptr, {});
  EXPECT_EQ(response.status, 413);
  EXPECT_EQ(response.body, "too big");
}

TEST_F(CurlTransportTest, ConnectionRefusedNamesHostAndPort) {
  std::uint16_t port = 0;
  {
    const HttpServer server([](const ServerRequest&) { return ServerResponse{}; });
    port = server.port();
  }
  const std::string url = "http://127.0.0.1:" + std::to_string(port) + "/v2/";
  const std::string text = failure_of([&] { get(url); });
  EXPECT_EQ(text, "cannot connect to 127.0.0.1:" + std::to_string(port) + ": Connection refused");
}

TEST_F(CurlTransportTest, UnknownHostNameIsNamed) {
  // ".invalid" never resolves (RFC 6761), but a resolver that is out of order may take its time to say so.
  HttpRequest request;
  request.url = "https://no-such-host.invalid/v2/";
  request.connect_timeout = milliseconds(3000);
  const std::string text = failure_of([&] { transport->send(request, nullptr, {}); });
  EXPECT_THAT(text, HasSubstr("no-such-host.invalid"));
}

TEST_F(CurlTransportTest, BrokenAnswersAreToldApart) {
  const std::pair<ServerResponse, const char*> cases[] = {
      {ServerResponse{.status = 200, .drop = true}, "closed the connection without an answer"},
      {ServerResponse{.status = 200, .body = "abc", .claimed_length = 10}, "broke in the middle of the answer"},
      {ServerResponse{.status = 200, .raw = "SSH-2.0-OpenSSH_9.2\r\n"}, "does not answer in HTTP"},
  };
  for (const auto& [answer, text] : cases) {
    HttpServer server([answer = &answer](const ServerRequest&) { return *answer; });
    StringSink sink;
    EXPECT_THAT(failure_of([&] { get(server.url(), &sink); }), HasSubstr(text));
  }
}

TEST_F(CurlTransportTest, ATlsRequestToAPlainServerSaysSo) {
  HttpServer server([](const ServerRequest&) { return ServerResponse{}; },
                    [](const ServerRequest&) -> std::optional<ServerResponse> { return std::nullopt; });
  // The server waits for the end of a header block that a ClientHello does not have; give up quickly.
  HttpRequest request;
  request.url = "https://" + server.host_port() + "/";
  request.connect_timeout = milliseconds(300);
  EXPECT_THAT(failure_of([&] { transport->send(request, nullptr, {}); }), HasSubstr("within 300ms"));
}

TEST_F(CurlTransportTest, AStallIsNoticed) {
  HttpServer server([](const ServerRequest& request) {
    ServerResponse response;
    response.body = "x";
    if (request.path() == "/head") response.delay = milliseconds(5000);
    if (request.path() == "/body") response.stall_after_head = milliseconds(5000);
    return response;
  });
  HttpRequest request;
  request.stall_timeout = milliseconds(200);
  request.url = server.url("/head");
  EXPECT_THAT(failure_of([&] { transport->send(request, nullptr, {}); }), HasSubstr("while waiting for the answer"));
  request.url = server.url("/body");
  EXPECT_THAT(failure_of([&] { transport->send(request, nullptr, {}); }), HasSubstr("in the middle of the answer"));
}

TEST_F(CurlTransportTest, AStopRequestEndsATransferAtOnce) {
  HttpServer server([](const ServerRequest&) {
    ServerResponse response;
    response.delay = milliseconds(20000);
    return response;
  });
  std::stop_source stop;
  std::thread stopper([&] {
    std::this_thread::sleep_for(milliseconds(100));
    stop.request_stop();
  });
  const auto start = std::chrono::steady_clock::now();
  HttpRequest request;
  request.url = server.url();
  try {
    transport->send(request, nullptr, stop.get_token());
    ADD_FAILURE() << "not interrupted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::interrupted);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
  stopper.join();
}

class ThrowingSink : public ByteSink {
 public:
  void write(ByteSpan /*data*/) override { throw Error(ErrorKind::failure, "disk full"); }
};

TEST_F(CurlTransportTest, ErrorsOfOurOwnStreamsComeThrough) {
  HttpServer server([](const ServerRequest&) { return ServerResponse{.status = 200, .body = "x"}; });
  ThrowingSink sink;
  try {
    get(server.url(), &sink);
    ADD_FAILURE() << "not thrown";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "disk full");
  }
  HttpRequest request = put(server.url(), "abc");
  request.body_size = 5;
  try {
    transport->send(request, nullptr, {});
    ADD_FAILURE() << "not thrown";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "the data to be sent ended after 3 of 5 bytes");
  }
}

TEST_F(CurlTransportTest, LongAnswersAreBounded) {
  HttpServer server([](const ServerRequest& request) {
    return ServerResponse{.status = request.path() == "/ok" ? 200 : 400, .body = std::string(3 << 20, 'e')};
  });
  EXPECT_EQ(get(server.url("/bad")).body.size(), 1U << 20);
  EXPECT_THROW(get(server.url("/ok")), Error);
}

TEST_F(CurlTransportTest, HeaderInjectionIsRefused) {
  HttpServer server([](const ServerRequest&) { return ServerResponse{}; });
  HttpRequest request;
  request.url = server.url();
  request.headers = {{"Accept", "a\r\nX-Evil: 1"}};
  EXPECT_THROW(transport->send(request, nullptr, {}), Error);
  EXPECT_TRUE(server.requests().empty());
}

TEST_F(CurlTransportTest, InterimAnswersAreSkipped) {
  HttpServer server([](const ServerRequest&) {
    ServerResponse response;
    response.raw = "HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\nHTTP/1.1 200 OK\nX-Bare: 1\nContent-Length: 2\n\nok";
    return response;
  });
  const HttpResponse response = get(server.url());
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.header("X-Early"), std::nullopt);
  EXPECT_EQ(response.header("X-Bare"), "1");
  EXPECT_EQ(response.body, "ok");
}

}  // namespace
}  // namespace tektii::net
