#include "net/proxy.hpp"

namespace tektii::net {

std::optional<std::string> proxy_for(const Url& url, const EnvLookup& env) {
  if (is_loopback_host(url.host)) return "";
  if (url.scheme != "http" || env("http_proxy") || env("REQUEST_METHOD")) return std::nullopt;
  return env("HTTP_PROXY");
}

}  // namespace tektii::net
