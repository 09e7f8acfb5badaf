#pragma once

#include "net/curl_error.hpp"

#include <optional>

namespace tektii::net {

// What a failure of TLS means, with what to do about it; nullopt when it was no such failure. A server that does
// without a client certificate at first says so (TLS 1.3) only in place of its answer.
std::optional<TransportError> tls_error(const CurlFailure& failure);

}  // namespace tektii::net
