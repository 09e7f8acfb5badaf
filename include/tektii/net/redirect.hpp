#pragma once

#include <tektii/net/http.hpp>
#include <tektii/net/url.hpp>

#include <functional>
#include <stop_token>

namespace tektii::net {

// Sends a request and follows at most 10 redirects by hand: GET and HEAD on 301, 302, 303, 307 and 308, other methods
// (with their body) on 307 and 308 only; any other answer is returned as it is. The Authorization, and what else is for
// one origin alone, is dropped for good when scheme, host or port change (presigned storage refuses a request that
// carries one). Throws Error{network} on a
// redirect from https to http, without a usable Location, or one too many. `check`, when given, may throw to refuse the
// next hop. The response's `url` is the last one asked.
HttpResponse send_with_redirects(HttpTransport& transport, HttpRequest request, ByteSink* sink, std::stop_token stop,
                                 const std::function<void(const Url&)>& check = {});

}  // namespace tektii::net
