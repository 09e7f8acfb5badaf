#pragma once

#include <tektii/util/secret.hpp>

#include <string>
#include <string_view>

namespace tektii::fetch {

// "%40" becomes '@'; a '%' without two hex digits behind it stays.
std::string percent_decode(std::string_view text);

// The value of the Authorization header for "user:password" as a URL has it, still encoded.
Secret basic_authorization(std::string_view userinfo);

}  // namespace tektii::fetch
