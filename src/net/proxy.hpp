#pragma once

#include <tektii/net/url.hpp>

#include <functional>
#include <optional>
#include <string>

namespace tektii::net {

using EnvLookup = std::function<std::optional<std::string>(const char* name)>;

// What CURLOPT_PROXY has to be set to for this URL: "" for no proxy at all, nullopt to leave it to libcurl, which reads
// http_proxy, https_proxy, HTTPS_PROXY, ALL_PROXY and NO_PROXY itself. It ignores the upper-case HTTP_PROXY, which
// other tools honour outside of CGI (where a client's "Proxy:" header would set it, so not when REQUEST_METHOD is
// there). Loopback hosts are never reached through a proxy.
std::optional<std::string> proxy_for(const Url& url, const EnvLookup& env);

}  // namespace tektii::net
