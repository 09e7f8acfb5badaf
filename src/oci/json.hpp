#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tektii::oci {

// Reading and writing the JSON of image-spec documents, which come from servers and are not trusted.

// Parses one JSON object. Throws Error{failure} that begins with `what` ("image manifest") for: more than 4 MiB, more
// than 64 levels, a name that comes twice in one object (readers disagree on which one counts, so it could be shown
// one image and run another), bytes that are not UTF-8, and anything after the object.
nlohmann::json parse_document(std::string_view text, const std::string& what);

// Compact and byte-exact. Bytes that are not UTF-8 become U+FFFD, as in Go's encoder.
std::string dump(const nlohmann::ordered_json& value);
std::string dump(const nlohmann::json& value);

// A view of one JSON object for typed reads; `path` ("image manifest: layers[3]") begins every error. A member that is
// null counts as absent: Go writes nil slices and maps that way.
class ObjectReader {
 public:
  ObjectReader(const nlohmann::json& value, std::string path);

  const std::string& path() const { return path_; }
  std::string path_of(std::string_view name) const { return path_ + ": " + std::string(name); }

  const nlohmann::json* find(std::string_view name) const;
  const nlohmann::json& require(std::string_view name) const;

  std::string require_string(std::string_view name) const;
  std::optional<std::string> find_string(std::string_view name) const;
  std::string string_or_empty(std::string_view name) const { return find_string(name).value_or(std::string()); }
  bool find_bool(std::string_view name) const;              // false when absent
  std::int64_t find_int(std::string_view name) const;       // 0 when absent
  std::uint64_t require_size(std::string_view name) const;  // 0..2^53
  const nlohmann::json* find_array(std::string_view name) const;
  std::optional<ObjectReader> find_object(std::string_view name) const;
  std::vector<std::string> string_list(std::string_view name) const;  // empty when absent
  std::map<std::string, std::string> string_map(std::string_view name) const;

  const nlohmann::json& value() const { return value_; }
  [[noreturn]] void fail(std::string_view name, std::string_view problem) const;

 private:
  const nlohmann::json& value_;
  std::string path_;
};

}  // namespace tektii::oci
