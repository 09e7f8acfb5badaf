#include "cli/commands/cache_view.hpp"

#include "cli/table.hpp"
#include <tektii/util/clock.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>

namespace tektii::cli {

namespace {

using Json = nlohmann::ordered_json;
using store::CacheEntry;

struct Sum {
  std::string kind;
  std::size_t count = 0;
  std::uint64_t size = 0;
  std::uint64_t reclaimable = 0;
  std::optional<std::chrono::system_clock::time_point> last_used = std::nullopt;

  void add(const CacheEntry& entry) {
    ++count;
    size += entry.size;
    if (entry.reclaimable()) reclaimable += entry.size;
    last_used = std::max(last_used.value_or(entry.last_used), entry.last_used);
  }
  std::string time() const {
    if (!last_used) return "";
    return format_rfc3339(std::chrono::floor<std::chrono::seconds>(*last_used).time_since_epoch().count());
  }
};

// Images that stay are told from blobs that are there to save work.
std::string kind_of(const CacheEntry& entry) {
  return entry.kept ? "blobs of images" : entry.kind;
}

// In the order in which kinds appear first.
std::vector<Sum> sums_of(const std::vector<CacheEntry>& entries) {
  std::vector<Sum> sums;
  for (const auto& entry : entries) {
    const auto kind = kind_of(entry);
    auto found = std::find_if(sums.begin(), sums.end(), [&](const Sum& sum) { return sum.kind == kind; });
    if (found == sums.end()) {
      sums.push_back({kind});
      found = std::prev(sums.end());
    }
    found->add(entry);
  }
  return sums;
}

Sum total_of(const std::vector<CacheEntry>& entries) {
  Sum total{"total"};
  for (const auto& entry : entries) total.add(entry);
  return total;
}

Json json_of(const Sum& sum) {
  Json json = {{"kind", sum.kind}, {"count", sum.count}, {"size", sum.size}, {"reclaimable", sum.reclaimable}};
  if (sum.last_used) json["lastUsed"] = sum.time();
  return json;
}

Json json_of(const std::vector<CacheEntry>& entries) {
  auto list = Json::array();
  for (const auto& entry : entries) {
    Sum one;
    one.add(entry);
    list.push_back({{"kind", kind_of(entry)},
                    {"path", entry.path.lexically_normal().string()},
                    {"size", entry.size},
                    {"lastUsed", one.time()},
                    {"inUse", entry.in_use},
                    {"reclaimable", entry.reclaimable()}});
  }
  return list;
}

std::string text_of(const Json& json) {
  // Names of files need not be UTF-8.
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string usage_text(const std::vector<CacheEntry>& entries) {
  std::vector<std::vector<std::string>> rows;
  auto sums = sums_of(entries);
  sums.push_back(total_of(entries));
  for (const auto& sum : sums) {
    rows.push_back({sum.kind, std::to_string(sum.count), format_bytes(sum.size), format_bytes(sum.reclaimable),
                    short_time(sum.time())});
  }
  return render_table({"Kind", "Count", "Size", "Reclaimable", "Last used"}, rows);
}

std::string usage_json(const std::filesystem::path& root, const std::vector<CacheEntry>& entries) {
  const auto total = total_of(entries);
  Json json = {{"directory", root.string()}, {"size", total.size}, {"reclaimable", total.reclaimable}};
  json["kinds"] = Json::array();
  for (const auto& sum : sums_of(entries)) json["kinds"].push_back(json_of(sum));
  json["entries"] = json_of(entries);
  return text_of(json);
}

std::string prune_text(const store::PruneResult& result, bool dry_run) {
  std::vector<std::vector<std::string>> rows;
  auto sums = sums_of(result.removed);
  sums.push_back(total_of(result.removed));
  for (const auto& sum : sums) rows.push_back({sum.kind, std::to_string(sum.count), format_bytes(sum.size)});
  std::string text;
  for (const auto& name : result.images) {
    text += fmt::format("{}: {}\n", dry_run ? "Would remove the image" : "Removed the image", escape_control(name));
  }
  text += render_table({dry_run ? "Would remove" : "Removed", "Count", dry_run ? "Would free" : "Freed"}, rows);
  return text;
}

std::string prune_json(const store::PruneResult& result, bool dry_run) {
  Json json = {{"dryRun", dry_run}, {"freed", result.freed}, {"left", result.left}, {"images", result.images}};
  json["removed"] = json_of(result.removed);
  json["failures"] = result.failures;
  return text_of(json);
}

}  // namespace tektii::cli
