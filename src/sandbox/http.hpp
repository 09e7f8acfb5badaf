#pragma once

#include <tektii/util/stream.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tektii::sandbox {

// One HTTP request as the routes see it, free of the server library.
struct HttpRequest {
  std::string method;
  std::string path;                               // still percent-encoded, without the query
  std::multimap<std::string, std::string> query;  // decoded
  std::map<std::string, std::string> headers;     // names in lower case; the first value of each

  // Streams the body into a sink, at most once; does not call finish(). False when the client broke off before the end:
  // what was received until then is in the sink. Empty for a request without a body.
  std::function<bool(ByteSink&)> body;

  // The header's value, empty when it is not there. `name` in lower case.
  std::string_view header(std::string_view name) const;
  std::optional<std::string> param(const std::string& name) const;
};

struct HttpReply {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string content_type = {};
  std::string body = {};
  // Instead of `body`: a stream of exactly `stream_size` bytes.
  std::shared_ptr<ByteSource> stream = nullptr;
  std::uint64_t stream_size = 0;

  HttpReply& add_header(std::string name, std::string value);
};

using HttpHandler = std::function<HttpReply(HttpRequest&)>;

enum class BodyStatus { complete, too_long, broken_off };

struct BodyText {
  BodyStatus status = BodyStatus::complete;
  std::string text;
};

// Reads a whole body of at most `limit` bytes; a longer one is read to its end, and dropped, so that the connection
// stays usable for the answer.
BodyText read_body(HttpRequest& request, std::size_t limit);

// "/v1/strategies/x" -> {"v1", "strategies", "x"}; a trailing slash gives an empty last segment. Percent-encoding is
// decoded after the split, so that an encoded slash stays in its segment.
std::vector<std::string> path_segments(std::string_view path);

// "a=b&c=%20d", as in a query or a form.
std::multimap<std::string, std::string> parse_query(std::string_view text);

// Part of a blob asked for by a Range header (RFC 9110 section 14).
struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t size = 0;
};
enum class RangeKind { whole, part, unsatisfiable };
struct RangeRequest {
  RangeKind kind = RangeKind::whole;
  ByteRange range = {};
};

// A header that is empty, malformed or names several ranges asks for the whole: all three are allowed by the RFC.
RangeRequest parse_range(std::string_view header, std::uint64_t total_size);

}  // namespace tektii::sandbox
