#include "registry/faults/fault_fixture.hpp"

#include <fmt/format.h>

namespace tektii::registry {
namespace {

using ::testing::HasSubstr;

TEST_F(FaultTable, Row33_EveryRedirectOfAGet) {
  start_with_login();
  storage.store().add_blob("bucket", "layer");
  for (const int status : {301, 302, 303, 307, 308}) {
    server->clear_script();
    const std::string to = storage.url("/v2/bucket/blobs/" + descriptor_of("layer").digest.str() + "?sig=%2Fa%2B");
    server->on({"GET", "/blobs/", 1, 0}, Fault{.status = status, .headers = {{"Location", to}}});
    EXPECT_EQ(fetch("layer"), "layer") << status;
  }
  EXPECT_THAT(storage.lines().at(0), HasSubstr("?sig=%2Fa%2B"));
}

TEST_F(FaultTable, Row33_AnUploadKeepsMethodAndBody) {
  start_with_login();
  for (const int status : {307, 308}) {
    storage.clear_requests();
    storage.clear_script();
    storage.on({}, Fault{.status = 201});
    server->clear_script();
    const std::string to = storage.url("/bucket/key?sig=1");
    server->on({"PUT", "/uploads/", 1, 0}, Fault{.status = status, .headers = {{"Location", to}}});
    put_blob(fmt::format("layer {}", status));
    const auto seen = storage.requests("PUT");
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_EQ(seen[0].body, fmt::format("layer {}", status));
  }
}

TEST_F(FaultTable, Row34_CredentialsStayBehind) {
  start_with_login();
  storage.store().add_blob("bucket", "layer");
  const std::string to = storage.url("/v2/bucket/blobs/" + descriptor_of("layer").digest.str());
  server->store().add_blob("app", "layer");
  EXPECT_EQ(fetch("layer"), "layer");
  server->on({"GET", "/blobs/", 1, 0}, Fault{.status = 307, .headers = {{"Location", to}}});
  server->on({"POST", "/uploads/", 1, 0},
             Fault{.status = 202, .headers = {{"Location", storage.url("/v2/bucket/blobs/uploads/x")}}});
  EXPECT_EQ(fetch("layer"), "layer");
  storage.on({"PUT"}, Fault{.status = 201});
  put_blob("other");
  const auto seen = storage.requests();
  ASSERT_EQ(seen.size(), 2U);
  for (const auto& request : seen) EXPECT_EQ(request.header("Authorization"), std::nullopt) << request.line();
}

TEST_F(FaultTable, Row35_LoopsAndDeadEnds) {
  start_with_login();
  const auto refused = [&](const Fault& fault, const char* text) {
    server->clear_script();
    server->on({"GET", "/blobs/", 1, 0}, fault);
    const Error error = error_of([&] { fetch("layer"); });
    EXPECT_EQ(error.kind(), ErrorKind::network);
    EXPECT_THAT(error.what(), HasSubstr(text));
  };
  const std::string self = "/v2/app/blobs/" + descriptor_of("layer").digest.str();
  refused(Fault{.status = 307, .headers = {{"Location", self}}}, "more than 10 times");
  EXPECT_LE(server->count("GET", "/blobs/"), 12);
  refused(Fault{.status = 307}, "without a Location");
  refused(Fault{.status = 307, .headers = {{"Location", "ftp://example.com/x"}}}, "");
  refused(Fault{.status = 302, .headers = {{"Location", "http://user:pw@example.com/"}}}, "credentials");
}

TEST_F(FaultTable, Row36_LocationsOfUploads) {
  start_with_login();
  struct Case {
    std::string location;
    std::string target;  // of the PUT, without the digest; empty: refused
  };
  const std::string host = server->name();
  const Case cases[] = {
      {"/v2/app/blobs/uploads/u?_state=a%2Fb%3D%3D", "/v2/app/blobs/uploads/u?_state=a%2Fb%3D%3D&digest="},
      {"u2", "/v2/app/blobs/uploads/u2?digest="},
      {"?part=1", "/v2/app/blobs/uploads/?part=1&digest="},
      {"//" + host + "/u3?x=%41", "/u3?x=%41&digest="},
      {"http://" + host + "/u4#fragment", "/u4?digest="},
      {storage.url("/elsewhere?sig=a+b%20c"), "/elsewhere?sig=a+b%20c&digest="},
      {"", ""},
      {"http://10.0.0.1/u", ""},
      {"https://169.254.169.254/u", ""},
      {"https://192.168.1.1/u", ""},
      {"http://example.com/u", ""},
      {"https://u:p@example.com/u", ""},
      {"/u\rX-Injected: 1", ""},
      {"/u\tx y", ""},
  };
  int number = 0;
  for (const Case& one : cases) {
    server->clear_script();
    server->clear_requests();
    storage.clear_requests();
    server->on({"POST", "/uploads/", 1, 0}, Fault{.status = 202, .headers = {{"Location", one.location}}});
    server->on({"PUT", "", 1, 0}, Fault{.status = 201});
    storage.on({"PUT", "", 1, 0}, Fault{.status = 201});
    const std::string content = fmt::format("layer {}", ++number);
    if (one.target.empty()) {
      EXPECT_EQ(error_of([&] { put_blob(content); }).kind(), ErrorKind::network) << one.location;
      EXPECT_EQ(server->count("PUT") + storage.count("PUT"), 0) << one.location;
      continue;
    }
    put_blob(content);
    auto puts = server->requests("PUT");
    if (puts.empty()) puts = storage.requests("PUT");
    ASSERT_EQ(puts.size(), 1U) << one.location;
    EXPECT_EQ(puts[0].target, one.target + "sha256%3A" + std::string(descriptor_of(content).digest.hex()));
  }
  // None at all.
  server->clear_script();
  server->on({"POST", "/uploads/", 1, 0}, Fault{.status = 202});
  EXPECT_THAT(error_of([&] { put_blob("last"); }).what(), HasSubstr("without saying where to"));
}

TEST_F(FaultTable, Row40_OddHeaders) {
  server->store().add_blob("app", "layer");
  server->on({"GET", "/blobs/"}, Fault{.raw = "HTTP/1.1 200 OK\nX-Bare: 1\nContent-Length: 5\n\nlayer"});
  EXPECT_EQ(fetch("layer"), "layer") << "bare line feeds";
  std::string flood;
  for (int i = 0; i < 1000; ++i) flood += "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
  server->on({"GET", "/blobs/", 2}, Fault{.before = flood});
  EXPECT_EQ(fetch("layer"), "layer") << "interim answers";
  server->on({"GET", "/blobs/", 3, 1},
             Fault{.headers = {{"Content-Length", "5"}, {"Content-Length", "5"}, {"Content-Encoding", "gzip"}}});
  EXPECT_EQ(fetch("layer"), "layer") << "the same length twice, and an encoding that is not there";
}

TEST_F(FaultTable, Row40_OddHeadersThatAreRefused) {
  server->store().add_blob("app", "layer");
  std::string endless;
  for (int i = 0; i < 50000; ++i) endless += "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
  struct Case {
    Fault fault;
    const char* text;
  };
  const Case cases[] = {
      {Fault{.headers = {{"X-Long", std::string(1 << 20, 'h')}}}, ""},
      {Fault{.before = endless}, "of headers"},
      {Fault{.headers = {{"Content-Length", "5"}, {"Content-Length", "7"}}}, "two lengths"},
      {Fault{.raw = "SSH-2.0-OpenSSH_9.2\r\n"}, "does not answer in HTTP"},
      {Fault{.raw = std::string(3, '\0')}, ""},
      {Fault{.raw = "HTTP/1.1 99999 X\r\n\r\n"}, ""},
  };
  for (const Case& one : cases) {
    server->clear_script();
    server->on({"GET", "/blobs/", 1, 0}, one.fault);
    const Error error = error_of([&] { fetch("layer"); });
    EXPECT_EQ(error.kind(), ErrorKind::network) << error.what();
    EXPECT_THAT(error.what(), HasSubstr(one.text));
    EXPECT_THAT(error.what(), HasSubstr(server->name()));
  }
}

TEST_F(FaultTable, Row41_WarningsAreShownOnce) {
  Fault fault;
  for (int i = 0; i < 1000; ++i) fault.headers.emplace_back("Warning", R"(299 - "this tag will be gone in \"May\"")");
  fault.headers.emplace_back("Warning", "199 - \"other code\"");
  fault.headers.emplace_back("Warning", "299 - unquoted");
  fault.headers.emplace_back("Warning", "299 - \"bell\a\"");
  server->on({"", "", 1, 0}, fault);
  put_blob("layer");
  EXPECT_THAT(warnings, ::testing::ElementsAre("this tag will be gone in \"May\"", "bell\\x07"));
  server->clear_script();
  Fault many;
  for (int i = 0; i < 1000; ++i) many.headers.emplace_back("Warning", fmt::format("299 - \"text number {}\"", i));
  server->on({"", "", 1, 0}, many);
  put_blob("another");
  std::size_t bytes = 0;
  for (const std::string& text : warnings) bytes += text.size();
  EXPECT_LE(bytes, 4096U);
  EXPECT_GT(warnings.size(), 100U);
}

}  // namespace
}  // namespace tektii::registry
