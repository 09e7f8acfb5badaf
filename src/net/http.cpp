#include <tektii/net/http.hpp>
#include <tektii/util/text.hpp>

namespace tektii::net {

std::optional<std::string> HttpResponse::header(std::string_view name) const {
  for (const Header& candidate : headers) {
    if (equals_ignoring_case(candidate.name, name)) return candidate.value;
  }
  return std::nullopt;
}

std::vector<std::string> HttpResponse::all_headers(std::string_view name) const {
  std::vector<std::string> values;
  for (const Header& candidate : headers) {
    if (equals_ignoring_case(candidate.name, name)) values.push_back(candidate.value);
  }
  return values;
}

}  // namespace tektii::net
