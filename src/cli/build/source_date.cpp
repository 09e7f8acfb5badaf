#include "source_date.hpp"

#include "cli/git_command.hpp"
#include <tektii/util/error.hpp>
#include <tektii/util/process.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <cstdlib>

namespace tektii::cli {
namespace {

constexpr std::int64_t k_year_1980 = 315532800;
// 8 GiB of seconds is what 11 octal digits of a tar header hold: the year 2242.
constexpr std::int64_t k_end = std::int64_t{1} << 33;

std::int64_t parse_epoch(const std::string& text, const std::string& where) {
  const auto value = parse_int(trim(text));
  if (possible_time(value)) return *value;
  throw Error(ErrorKind::usage, fmt::format("{}: {} is not a time in seconds since 1970", where, text));
}

std::optional<std::int64_t> given_epoch(const std::string& timestamps,
                                        const std::map<std::string, std::string>& build_args) {
  if (!timestamps.empty() && timestamps != "preserve") return parse_epoch(timestamps, "--timestamps");
  if (const auto arg = build_args.find("SOURCE_DATE_EPOCH"); arg != build_args.end()) {
    return parse_epoch(arg->second, "--build-arg SOURCE_DATE_EPOCH");
  }
  if (const char* value = std::getenv("SOURCE_DATE_EPOCH"); value != nullptr && *value != '\0') {
    return parse_epoch(value, "SOURCE_DATE_EPOCH");
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::int64_t> possible_time(std::optional<std::int64_t> time) {
  return time && *time >= 0 && *time < k_end ? time : std::nullopt;
}

// Out of the raw commit object: `git log` would start programs that the repository's configuration names.
std::optional<std::int64_t> local_commit_time(const std::filesystem::path& directory) {
  const auto result = run_process(git_command(directory, {"cat-file", "commit", "HEAD"}));
  if (result.not_found || result.exit_code != 0) return std::nullopt;
  for (const auto& line : split(result.out, '\n')) {
    if (line.empty()) break;  // the message begins
    if (!line.starts_with("committer ")) continue;
    const auto words = split(line, ' ');  // ... <mail> seconds zone
    return words.size() < 3 ? std::nullopt : parse_int(words[words.size() - 2]);
  }
  return std::nullopt;
}

BuildTimes find_build_times(const std::string& timestamps, const std::map<std::string, std::string>& build_args,
                            std::optional<std::int64_t> commit_time) {
  if (const auto given = given_epoch(timestamps, build_args)) return {*given, *given};
  return {k_year_1980, possible_time(commit_time).value_or(k_year_1980)};
}

}  // namespace tektii::cli
