#pragma once

#include <tektii/net/http.hpp>
#include <tektii/util/error.hpp>

#include <string>
#include <string_view>

namespace tektii::api {

// What an error is about, for its text.
struct ErrorSubject {
  std::string subject;     // "strategy strat_1"; empty when the path itself is missing
  std::string api_key;     // to look for the usual mistakes; never quoted
  bool idempotent = true;  // else the server may have carried the call out all the same
};

// The text of an error body: `message`, else `error.message`, else `error`, else the status text. A list of messages is
// joined.
std::string error_message(std::string_view body, int status);

// The Error for an answer that is not 2xx (documented beside api::Client).
Error error_of(const net::HttpResponse& response, const ErrorSubject& about);

}  // namespace tektii::api
