#include "fetch/credentials.hpp"

#include <tektii/util/text.hpp>

namespace tektii::fetch {

std::string percent_decode(std::string_view text) {
  constexpr std::string_view k_digits = "0123456789abcdefABCDEF";
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '%' && i + 2 < text.size() && k_digits.find(text[i + 1]) != std::string_view::npos &&
                        k_digits.find(text[i + 2]) != std::string_view::npos;
    decoded += escape ? static_cast<char>(std::stoul(std::string(text.substr(i + 1, 2)), nullptr, 16)) : text[i];
    if (escape) i += 2;
  }
  return decoded;
}

Secret basic_authorization(std::string_view userinfo) {
  return Secret("Basic " + base64_encode(percent_decode(userinfo)));
}

}  // namespace tektii::fetch
