#include "api/config_override.hpp"

#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace tektii::api {

namespace {

using nlohmann::ordered_json;

// Walks "a.b[0].c" from left to right.
class PathReader {
 public:
  explicit PathReader(const std::string& path) : path_(path), rest_(path) {}

  bool done() const { return rest_.empty(); }

  // The element that the next step leads to; made when it may be missing.
  ordered_json& step(ordered_json& from) {
    if (rest_.starts_with('[')) return element(from);
    if (rest_.size() < path_.size()) {
      if (!rest_.starts_with('.')) throw nowhere("a '.' or '[' is missing");
      rest_.remove_prefix(1);
    }
    return member(from);
  }

 private:
  ordered_json& member(ordered_json& from) {
    const std::size_t end = std::min(rest_.find_first_of(".["), rest_.size());
    const std::string name(rest_.substr(0, end));
    if (name.empty()) throw nowhere("a name is missing");
    if (from.is_null()) from = ordered_json::object();
    if (!from.is_object()) throw nowhere(fmt::format("there is no object to hold {}", name));
    rest_.remove_prefix(end);
    return from[name];
  }

  ordered_json& element(ordered_json& from) {
    const std::size_t end = rest_.find(']');
    const auto index = parse_int(rest_.substr(1, end == std::string_view::npos ? 0 : end - 1));
    if (!index || *index < 0) throw nowhere("an index looks like [0]");
    if (from.is_null()) from = ordered_json::array();
    if (!from.is_array()) throw nowhere(fmt::format("[{}] is not in an array", *index));
    if (static_cast<std::size_t>(*index) > from.size()) {
      throw nowhere(fmt::format("[{}] is beyond the array's {} entries", *index, from.size()));
    }
    rest_.remove_prefix(end + 1);
    if (static_cast<std::size_t>(*index) == from.size()) from.push_back(nullptr);
    return from[static_cast<std::size_t>(*index)];
  }

  Error nowhere(const std::string& why) const {
    return Error(ErrorKind::usage, fmt::format("--set {}: {}", escape_control(path_), why))
        .add_hint("a path looks like initialCapital or subscriptions[0].instrument");
  }

  const std::string& path_;
  std::string_view rest_;
};

}  // namespace

ConfigOverride parse_override(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    throw Error(ErrorKind::usage, fmt::format("--set {} is not PATH=VALUE", escape_control(text)))
        .add_hint("for example --set initialCapital=50000");
  }
  return {std::string(text.substr(0, equals)), std::string(text.substr(equals + 1))};
}

void apply_override(ordered_json& document, const ConfigOverride& change) {
  ordered_json value = ordered_json::parse(change.value, nullptr, false);
  if (value.is_discarded()) value = change.value;
  PathReader path(change.path);
  ordered_json* place = &document;
  do place = &path.step(*place);
  while (!path.done());
  *place = std::move(value);
}

}  // namespace tektii::api
