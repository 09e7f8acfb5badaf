#pragma once

#include <tektii/net/url.hpp>

#include <functional>
#include <optional>
#include <string>

namespace tektii::net {

using EnvLookup = std::function<std::optional<std::string>(const char* name)>;

// A proxy, and the variable that names it.
struct Proxy {
  std::string url;  // may hold a login: for libcurl alone
  std::string variable;

  // For messages: "http://proxy:3128 (HTTPS_PROXY)", never with a login.
  std::string shown() const;
};

// The proxy for a URL; nullopt for none. https_proxy or http_proxy by the URL's scheme, else all_proxy, each in lower
// case before upper case as curl has it; HTTP_PROXY in upper case is not believed in CGI, where a client's "Proxy:"
// header sets it (when there is REQUEST_METHOD). Loopback hosts are never reached through a proxy. Throws Error{usage}
// on a value that is no proxy. `env` gives nullopt for an empty variable.
std::optional<Proxy> proxy_for(const Url& url, const EnvLookup& env);

// Does a list as in NO_PROXY have the URL's host? Entries are separated by commas or white space: "*", a domain (with
// its subdomains; a leading "." or "*." makes no difference), an address, a network ("10.0.0.0/8", "fd00::/8"), each
// but the network with ":port" or not. IPv6 addresses may stand in brackets, and have to where a port follows.
bool is_excluded(const Url& url, const std::string& no_proxy);

}  // namespace tektii::net
