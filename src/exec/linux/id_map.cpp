#include "id_map.hpp"

#include <tektii/util/text.hpp>

#include <algorithm>
#include <limits>
#include <vector>

namespace tektii::exec {

namespace {

std::optional<std::uint32_t> parse_id(std::string_view text) {
  const std::optional<std::int64_t> value = parse_int(text);
  if (!value || *value < 0 || *value > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  return static_cast<std::uint32_t>(*value);
}

std::vector<std::int64_t> numbers(std::string_view line) {
  std::vector<std::int64_t> list;
  for (const std::string& word : split(line, ' ')) {
    if (const std::optional<std::int64_t> number = parse_int(trim(word))) list.push_back(*number);
  }
  return list;
}

}  // namespace

std::optional<IdRange> find_subordinate_range(std::string_view subid_file, std::string_view user_name,
                                              std::uint32_t uid) {
  std::optional<IdRange> best;
  for (const std::string& line : split(subid_file, '\n')) {
    const std::vector<std::string> fields = split(trim(line), ':');
    if (fields.size() != 3 || (fields[0] != user_name && fields[0] != std::to_string(uid))) continue;
    const std::optional<std::uint32_t> start = parse_id(fields[1]);
    const std::optional<std::uint32_t> count = parse_id(fields[2]);
    if (!start || !count || *count == 0) continue;
    if (!best || *count > best->count) best = IdRange{*start, *count};
  }
  return best;
}

std::uint64_t first_free_id(std::string_view subid_file) {
  std::uint64_t first = 100000;
  for (const std::string& line : split(subid_file, '\n')) {
    const std::vector<std::string> fields = split(trim(line), ':');
    if (fields.size() != 3) continue;
    const std::optional<std::uint32_t> start = parse_id(fields[1]);
    const std::optional<std::uint32_t> count = parse_id(fields[2]);
    if (start && count) first = std::max(first, std::uint64_t{*start} + *count);
  }
  return first;
}

std::uint64_t mapped_ids(std::string_view map_file) {
  std::vector<std::pair<std::int64_t, std::int64_t>> extents;  // first id inside, count
  for (const std::string& line : split(map_file, '\n')) {
    const std::vector<std::int64_t> fields = numbers(line);
    if (fields.size() == 3) extents.emplace_back(fields[0], fields[2]);
  }
  std::sort(extents.begin(), extents.end());
  std::int64_t next = 0;
  for (const auto& [first, count] : extents) {
    if (first != next) break;
    next += count;
  }
  return static_cast<std::uint64_t>(next);
}

}  // namespace tektii::exec
