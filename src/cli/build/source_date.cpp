#include "source_date.hpp"

#include <tektii/util/error.hpp>
#include <tektii/util/process.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <cstdlib>

namespace tektii::cli {
namespace {

constexpr std::int64_t k_year_1980 = 315532800;

std::int64_t parse_epoch(const std::string& text, const std::string& where) {
  const auto value = parse_int(trim(text));
  // 8 GiB of seconds is what 12 octal digits of a tar header hold: the year 2242.
  if (value && *value >= 0 && *value < (std::int64_t{1} << 33)) return *value;
  throw Error(ErrorKind::usage, fmt::format("{}: {} is not a time in seconds since 1970", where, text));
}

// The user may build in a checkout that belongs to somebody else; only the date of HEAD is read, so git's check of the
// owner is turned off for this one call.
std::optional<std::int64_t> commit_time(const std::filesystem::path& context) {
  const auto result =
      run_process({"git", "-c", "safe.directory=*", "-C", context.string(), "log", "-1", "--format=%ct"});
  if (result.not_found || result.exit_code != 0) return std::nullopt;
  return parse_int(trim(result.out));
}

}  // namespace

std::int64_t find_source_date_epoch(const std::string& timestamps, const builder::BuildRequest& request) {
  if (!timestamps.empty() && timestamps != "preserve") return parse_epoch(timestamps, "--timestamps");
  if (const auto arg = request.build_args.find("SOURCE_DATE_EPOCH"); arg != request.build_args.end()) {
    return parse_epoch(arg->second, "--build-arg SOURCE_DATE_EPOCH");
  }
  if (const char* value = std::getenv("SOURCE_DATE_EPOCH"); value != nullptr && *value != '\0') {
    return parse_epoch(value, "SOURCE_DATE_EPOCH");
  }
  return commit_time(request.context).value_or(k_year_1980);
}

}  // namespace tektii::cli
