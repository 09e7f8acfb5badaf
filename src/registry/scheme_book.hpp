#pragma once

#include "registry/endpoint.hpp"
#include <tektii/net/http.hpp>
#include <tektii/util/single_flight.hpp>

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

namespace tektii::registry {

// Which hosts that may be spoken to in plain http are. Thread-safe.
class SchemeBook {
 public:
  // Finds out once per host: https is tried first, then http. `https` is the endpoint as it is tried first. When
  // neither works, the failure of https is thrown.
  void settle(const Endpoint& https, const std::shared_ptr<const net::TlsSettings>& tls, net::HttpTransport& transport,
              const std::stop_token& stop);
  // False as long as it is not known.
  bool is_plain(const Endpoint& https) const;

 private:
  std::optional<bool> known(const std::string& host) const;

  mutable std::mutex mutex_;
  std::map<std::string, bool> plain_;
  SingleFlight<bool> probes_;
};

}  // namespace tektii::registry
