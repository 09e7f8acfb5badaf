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

std::int64_t parse_epoch(const std::string& text, const std::string& where) {
  const auto value = parse_int(trim(text));
  // 8 GiB of seconds is what 12 octal digits of a tar header hold: the year 2242.
  if (value && *value >= 0 && *value < (std::int64_t{1} << 33)) return *value;
  throw Error(ErrorKind::usage, fmt::format("{}: {} is not a time in seconds since 1970", where, text));
}

// The committer's time of HEAD, out of the raw commit object.
std::optional<std::int64_t> commit_time(const std::filesystem::path& context) {
  const auto result = run_process(git_command(context, {"cat-file", "commit", "HEAD"}));
  if (result.not_found || result.exit_code != 0) return std::nullopt;
  for (const auto& line : split(result.out, '\n')) {
    if (line.empty()) break;  // the message begins
    if (!line.starts_with("committer ")) continue;
    const auto words = split(line, ' ');  // ... <mail> seconds zone
    return words.size() < 3 ? std::nullopt : parse_int(words[words.size() - 2]);
  }
  return std::nullopt;
}

// "context" or the name of a --build-context stands for the time of its commit (BuildKit since dockerfile 1.24).
std::optional<std::int64_t> epoch_argument(const std::string& text, const std::string& where,
                                           const builder::BuildRequest& request) {
  if (trim(text).empty()) return std::nullopt;
  if (text == "context") return request.context_time ? request.context_time : commit_time(request.context);
  if (const auto named = request.named_contexts.find(text); named != request.named_contexts.end()) {
    const auto& context = named->second;
    if (context.time || context.kind != builder::NamedContext::Kind::directory) return context.time;
    return commit_time(context.directory);
  }
  try {
    return parse_epoch(text, where);
  } catch (Error& error) {
    error.add_hint("give a number, \"context\" or the name of a --build-context");
    throw;
  }
}

std::optional<std::int64_t> given_epoch(const std::string& timestamps, const builder::BuildRequest& request) {
  if (!timestamps.empty() && timestamps != "preserve") return parse_epoch(timestamps, "--timestamps");
  const auto argument = builder::source_date_epoch_argument(request);
  const bool is_option = request.build_args.contains("SOURCE_DATE_EPOCH");
  if (argument && is_option) return epoch_argument(*argument, "--build-arg SOURCE_DATE_EPOCH", request);
  if (const char* value = std::getenv("SOURCE_DATE_EPOCH"); value != nullptr && *value != '\0') {
    return parse_epoch(value, "SOURCE_DATE_EPOCH");
  }
  if (argument) return epoch_argument(*argument, "ARG SOURCE_DATE_EPOCH", request);
  return std::nullopt;
}

}  // namespace

BuildTimes find_build_times(const std::string& timestamps, const builder::BuildRequest& request) {
  if (const auto given = given_epoch(timestamps, request)) return {*given, *given};
  const auto commit = request.context_time ? request.context_time : commit_time(request.context);
  return {k_year_1980, commit.value_or(k_year_1980)};
}

}  // namespace tektii::cli
