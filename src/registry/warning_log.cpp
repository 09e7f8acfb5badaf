#include "registry/warning_log.hpp"

#include <tektii/util/text.hpp>

#include <optional>
#include <string_view>
#include <utility>

namespace tektii::registry {

namespace {

constexpr std::size_t k_max_bytes = 4096;

// The text of `299 - "text"`; the specification has no other form.
std::optional<std::string> parse_warning(std::string_view value) {
  constexpr std::string_view k_begin = "299 - \"";
  if (!value.starts_with(k_begin)) return std::nullopt;
  std::string text;
  for (std::size_t i = k_begin.size(); i < value.size(); ++i) {
    if (value[i] == '"') return text;
    if (value[i] == '\\' && i + 1 < value.size()) ++i;
    text += value[i];
  }
  return std::nullopt;
}

}  // namespace

void WarningLog::take(const std::string& registry, const net::HttpResponse& response) {
  if (!show_) return;
  for (const std::string& value : response.all_headers("Warning")) {
    const auto given = parse_warning(value);
    if (!given) continue;
    const std::string text = escape_control(*given);
    {
      const std::lock_guard lock(mutex_);
      const std::string key = registry + "\n" + text;
      if (bytes_ + text.size() > k_max_bytes || !seen_.insert(key).second) continue;
      bytes_ += text.size();
    }
    show_(registry, text);
  }
}

}  // namespace tektii::registry
