#pragma once

#include "sandbox/http.hpp"

#include <cstdint>
#include <memory>

namespace tektii::sandbox {

// An HTTP/1.1 server on 127.0.0.1 that hands every request to one handler, from its own threads. Nobody
// else sees cpp-httplib.
class HttpServer {
 public:
  // Binds and serves at once; port 0 takes any free one. Throws Error{failure} when the port is not available. What the
  // handler throws becomes a 500 with its text: whoever can reach this server is the user of this machine.
  HttpServer(std::uint16_t port, HttpHandler handler);
  // Cuts every connection and waits for the requests that are being handled.
  ~HttpServer();

  std::uint16_t port() const { return port_; }

 private:
  class Listener;

  std::unique_ptr<Listener> listener_;
  std::uint16_t port_ = 0;
};

}  // namespace tektii::sandbox
