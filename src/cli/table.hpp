#pragma once

#include <string>
#include <utility>
#include <vector>

namespace tektii::cli {

// A table in light box characters with one rule under the header; columns are as wide as their widest cell shows.
// Control characters in cells are escaped. Ends with a line end.
std::string render_table(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows);

// A record as a table of Field and Value.
std::string render_record(const std::vector<std::pair<std::string, std::string>>& fields);

// "2024-01-15 10:30" (UTC) from an RFC 3339 time, for lists; any other text stays.
std::string short_time(const std::string& rfc3339);

// "maxDrawdownPct" -> "Max Drawdown Pct".
std::string words_of_camel_case(const std::string& name);

}  // namespace tektii::cli
