#include "shown.hpp"

#include <tektii/net/url.hpp>
#include <tektii/util/text.hpp>

namespace tektii::cli {

std::string shown_context(const std::string& given) {
  auto shown = escape_control(given);
  return shown.find("://") == std::string::npos ? shown : net::redact_url(shown);
}

}  // namespace tektii::cli
