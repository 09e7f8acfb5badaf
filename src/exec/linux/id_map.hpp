#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tektii::exec {

struct IdRange {
  std::uint32_t start = 0;
  std::uint32_t count = 0;
  bool operator==(const IdRange&) const = default;
};

// The largest range that a file of the form of subuid(5) gives to a user, named or by number; nullopt when it has none.
std::optional<IdRange> find_subordinate_range(std::string_view subid_file, std::string_view user_name,
                                              std::uint32_t uid);

// The first id above every range of a file of the form of subuid(5), and at least 100000, where useradd begins.
std::uint64_t first_free_id(std::string_view subid_file);

// How many ids, counted from 0, are mapped without a gap by a /proc/PID/uid_map or gid_map.
std::uint64_t mapped_ids(std::string_view map_file);

}  // namespace tektii::exec
