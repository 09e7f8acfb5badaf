#pragma once

#include <tektii/net/http.hpp>

#include <curl/curl.h>

#include <vector>

namespace tektii::net {

// The headers that a signed request carries beside its own, all of them signed: the hash of the body, which libcurl
// 7.88 takes for empty when the body comes from a callback, and the session token of temporary credentials, which it
// knows nothing of. Reads the whole body; those of the services in question are small.
std::vector<Header> aws_headers(const HttpRequest& request);

// Tells libcurl to sign. Its canonical request leaves a query as it is, unsorted, so URLs with one are refused: throws
// Error{failure}.
void set_aws_signing(CURL* easy, const HttpRequest& request);

}  // namespace tektii::net
