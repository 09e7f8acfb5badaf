#pragma once

#include "api/endpoints.hpp"
#include <tektii/api/client.hpp>

#include <stop_token>
#include <string>

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

 private:
  net::HttpRequest request_of(const Call& call) const;
  net::HttpResponse exchange(const Call& call, const std::stop_token& stop);
  net::HttpResponse send_once(const net::HttpRequest& request, const std::stop_token& stop);
  Error error_for(const Call& call, const net::HttpResponse& response) const;
  void wait(std::chrono::milliseconds duration, const std::stop_token& stop);

  std::string base_url_;
  Secret api_key_;
  ClientDeps deps_;
};

}  // namespace tektii::api
