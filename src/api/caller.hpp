#pragma once

#include "api/endpoints.hpp"
#include "api/retry.hpp"
#include <tektii/api/client.hpp>

#include <chrono>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace tektii::api {

// One call of an endpoint.
struct Call {
  Endpoint endpoint;
  PathParameters parameters = {};
  Query query = {};
  std::string body = {};  // JSON; empty for none
};

// Sends calls: headers, retries, and an Error for whatever is not 2xx. Thread-safe.
class Caller {
 public:
  Caller(ClientOptions options, ClientDeps deps);

  // The body of the 2xx answer.
  std::string send(const Call& call, const std::stop_token& stop);
  // As send(), but false for a 404 or 405, which only mean that the platform has no such call.
  bool send_if_known(const Call& call, const std::stop_token& stop);
  // The body of the 2xx answer to a call that stands in no table. Throws Error{usage} for a path or method that is
  // none.
  std::string send_raw(const RawCall& call, const std::stop_token& stop);

  // For callers that retry by themselves: one request, whose 2xx body goes to the sink.
  net::HttpResponse stream_once(const Call& call, const std::vector<net::Header>& headers, ByteSink& sink,
                                std::function<void(const net::HttpResponse&)> on_head, const std::stop_token& stop);
  Decision judge(const net::HttpResponse& response, bool idempotent, int attempt) const;
  Error error_for(const Call& call, const net::HttpResponse& response) const;
  // Throws Error{interrupted} when the stop comes first.
  void wait(std::chrono::milliseconds duration, const std::stop_token& stop);

 private:
  net::HttpRequest request_of(const Call& call) const;
  net::HttpRequest request_to(std::string_view method, const std::string& target, const std::string& body) const;
  net::HttpResponse exchange(const Call& call, const std::stop_token& stop);
  net::HttpResponse exchange(const net::HttpRequest& request, bool idempotent, const std::stop_token& stop);
  net::HttpResponse send_once(const net::HttpRequest& request, const std::stop_token& stop);

  std::string base_url_;
  Secret api_key_;
  ClientDeps deps_;
};

}  // namespace tektii::api
