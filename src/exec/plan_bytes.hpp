#pragma once

#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// JSON strings have to be UTF-8, but paths, arguments and environments are bytes: they are written in base64.
namespace tektii::exec {

inline nlohmann::json encode_bytes(std::string_view bytes) {
  return base64_encode(bytes);
}

inline std::string decode_bytes(const nlohmann::json& value) {
  std::optional<std::string> bytes = base64_decode(value.get_ref<const std::string&>());
  if (!bytes) throw Error(ErrorKind::failure, "malformed run plan");
  return std::move(*bytes);
}

template <typename List>
nlohmann::json encode_byte_list(const List& list) {
  nlohmann::json array = nlohmann::json::array();
  for (const auto& item : list) array.push_back(encode_bytes(std::string(item)));
  return array;
}

template <typename Item>
std::vector<Item> decode_byte_list(const nlohmann::json& array) {
  std::vector<Item> list;
  for (const nlohmann::json& item : array) list.emplace_back(decode_bytes(item));
  return list;
}

}  // namespace tektii::exec
