#include "oci/json.hpp"

#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <set>

namespace tektii::oci {

namespace {

constexpr std::size_t k_max_document = 4U << 20;
constexpr int k_max_depth = 64;
constexpr std::uint64_t k_max_integer = std::uint64_t{1} << 53U;  // what every JSON reader holds exactly

// Enforces the depth and refuses duplicate names, before anything is built. It is not a parser callback: with one, the
// library looks through all earlier elements of an array after each object in it, which a list of a million of them
// turns into hours.
class StructureGuard : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit StructureGuard(const std::string& what) : what_(what) {}

  bool null() override { return true; }
  bool boolean(bool /*value*/) override { return true; }
  bool number_integer(number_integer_t /*value*/) override { return true; }
  bool number_unsigned(number_unsigned_t /*value*/) override { return true; }
  bool number_float(number_float_t /*value*/, const string_t& /*text*/) override { return true; }
  bool string(string_t& /*value*/) override { return true; }
  bool binary(binary_t& /*value*/) override { return true; }
  bool start_object(std::size_t /*elements*/) override {
    enter();
    names_.emplace_back();
    return true;
  }
  bool key(string_t& name) override {
    if (!names_.back().insert(name).second)
      throw Error(ErrorKind::failure, fmt::format("{}: the name \"{}\" comes twice", what_, escape_control(name)));
    return true;
  }
  bool end_object() override {
    names_.pop_back();
    --depth_;
    return true;
  }
  bool start_array(std::size_t /*elements*/) override {
    enter();
    return true;
  }
  bool end_array() override {
    --depth_;
    return true;
  }
  // The parser that builds the value says it again, with its message.
  bool parse_error(std::size_t /*position*/, const std::string& /*token*/,
                   const nlohmann::json::exception& /*error*/) override {
    return false;
  }

 private:
  void enter() {
    if (depth_++ >= k_max_depth)
      throw Error(ErrorKind::failure, fmt::format("{}: nested deeper than {} levels", what_, k_max_depth));
  }

  const std::string& what_;
  int depth_ = 0;
  std::vector<std::set<std::string>> names_;
};

}  // namespace

nlohmann::json parse_document(std::string_view text, const std::string& what) {
  if (text.size() > k_max_document)
    throw Error(ErrorKind::failure,
                fmt::format("{}: {} bytes are more than the allowed {}", what, text.size(), k_max_document));
  try {
    StructureGuard guard(what);
    nlohmann::json::sax_parse(text, &guard);
    auto value = nlohmann::json::parse(text);
    if (!value.is_object()) throw Error(ErrorKind::failure, what + ": not a JSON object");
    return value;
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorKind::failure, fmt::format("{}: not valid JSON: {}", what, escape_control(error.what())));
  }
}

std::string dump(const nlohmann::ordered_json& value) {
  return value.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::string dump(const nlohmann::json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

ObjectReader::ObjectReader(const nlohmann::json& value, std::string path) : value_(value), path_(std::move(path)) {
  if (!value_.is_object()) throw Error(ErrorKind::failure, path_ + ": expected an object");
}

void ObjectReader::fail(std::string_view name, std::string_view problem) const {
  throw Error(ErrorKind::failure, fmt::format("{}: {}", path_of(name), problem));
}

const nlohmann::json* ObjectReader::find(std::string_view name) const {
  const auto it = value_.find(name);
  return it == value_.end() || it->is_null() ? nullptr : &*it;
}

const nlohmann::json& ObjectReader::require(std::string_view name) const {
  const auto* member = find(name);
  if (member == nullptr) fail(name, "missing");
  return *member;
}

std::string ObjectReader::require_string(std::string_view name) const {
  const auto& member = require(name);
  if (!member.is_string()) fail(name, "expected a string");
  return member.get<std::string>();
}

std::optional<std::string> ObjectReader::find_string(std::string_view name) const {
  if (find(name) == nullptr) return std::nullopt;
  return require_string(name);
}

bool ObjectReader::find_bool(std::string_view name) const {
  const auto* member = find(name);
  if (member == nullptr) return false;
  if (!member->is_boolean()) fail(name, "expected true or false");
  return member->get<bool>();
}

std::int64_t ObjectReader::find_int(std::string_view name) const {
  const auto* member = find(name);
  if (member == nullptr) return 0;
  const bool fits =
      member->is_number_unsigned() ? member->get<std::uint64_t>() <= INT64_MAX : member->is_number_integer();
  if (!fits) fail(name, "expected an integer");
  return member->get<std::int64_t>();
}

std::uint64_t ObjectReader::require_size(std::string_view name) const {
  const auto& member = require(name);
  if (!member.is_number_unsigned() || member.get<std::uint64_t>() > k_max_integer)
    fail(name, "expected a size from 0 to 2^53");
  return member.get<std::uint64_t>();
}

const nlohmann::json* ObjectReader::find_array(std::string_view name) const {
  const auto* member = find(name);
  if (member != nullptr && !member->is_array()) fail(name, "expected an array");
  return member;
}

std::optional<ObjectReader> ObjectReader::find_object(std::string_view name) const {
  const auto* member = find(name);
  if (member == nullptr) return std::nullopt;
  return ObjectReader(*member, path_of(name));
}

std::vector<std::string> ObjectReader::string_list(std::string_view name) const {
  std::vector<std::string> list;
  const auto* array = find_array(name);
  if (array == nullptr) return list;
  list.reserve(array->size());
  for (const auto& element : *array) {
    if (!element.is_string()) fail(name, "expected an array of strings");
    list.push_back(element.get<std::string>());
  }
  return list;
}

std::map<std::string, std::string> ObjectReader::string_map(std::string_view name) const {
  std::map<std::string, std::string> map;
  const auto object = find_object(name);
  if (!object) return map;
  for (const auto& [key, element] : object->value().items()) {
    if (!element.is_string()) fail(name, "expected strings as values");
    map.emplace(key, element.get<std::string>());
  }
  return map;
}

}  // namespace tektii::oci
