#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Values of options as Go's standard library reads them, and with it docker's command line.
namespace tektii {

// strconv.ParseBool; nullopt for any other text.
std::optional<bool> parse_go_bool(std::string_view text);

// One record of encoding/csv. Throws Error{usage} "failed to parse <what>: ...".
std::vector<std::string> split_csv(std::string_view text, std::string_view what);

}  // namespace tektii
