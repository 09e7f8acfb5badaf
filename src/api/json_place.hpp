#pragma once

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>

namespace tektii::api {

// Parses a JSON file that a user wrote, which may hold comments (// and /* */). Throws Error{usage} with the line and
// column of the first thing that is not JSON.
nlohmann::ordered_json parse_json_file(std::string_view text, const std::string& file_name);

}  // namespace tektii::api
