#pragma once

#include "net/proxy.hpp"
#include <tektii/net/http.hpp>
#include <tektii/net/url.hpp>

#include <curl/curl.h>

#include <optional>
#include <string>

namespace tektii::net {

// What is known about a transfer that failed.
struct CurlFailure {
  CURLcode code = CURLE_OK;
  long os_errno = 0;
  std::string detail;  // curl's error buffer
  Url url;
  bool connected = false;
  bool response_started = false;
  bool sending = false;  // the request body was not sent completely
  std::chrono::milliseconds connect_timeout{0};
  std::optional<Proxy> proxy = std::nullopt;
};

// Says in the user's words what went wrong with which host, with hints where something can be done.
TransportError make_transport_error(const CurlFailure& failure);

// A proxy's answer instead of the server's: 407 and whatever else it says to CONNECT.
TransportError make_proxy_refusal(const Url& url, const Proxy& proxy, int status);

}  // namespace tektii::net
