#include "cli/git_sha.hpp"

#include "cli/git_command.hpp"
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string_view>

namespace tektii::cli {

namespace {

constexpr std::size_t k_sha_length = 7;
constexpr std::string_view k_fallback_prefix = "ts-";

bool is_commit_id(std::string_view text) {
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return text.size() >= k_sha_length && std::all_of(text.begin(), text.end(), is_hex);
}

bool is_fallback(std::string_view text) {
  return text.starts_with(k_fallback_prefix) && parse_int(text.substr(k_fallback_prefix.size())).value_or(-1) >= 0;
}

}  // namespace

GitSha detect_git_sha(const std::filesystem::path& directory, const ProcessRunner& run, const Clock& clock) {
  // The abbreviation is made here: `--short=7` gives more where 7 would be ambiguous.
  const ProcessResult result = run(git_command(directory, {"rev-parse", "--verify", "HEAD"}));
  const std::string id(trim(result.out));
  if (!result.not_found && result.exit_code == 0 && is_commit_id(id)) return {id.substr(0, k_sha_length), true, {}};
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(clock.now().time_since_epoch()).count();
  std::string reason = result.not_found ? "git is not installed" : std::string(trim(result.err));
  return {fmt::format("{}{}", k_fallback_prefix, now), false, std::move(reason)};
}

std::string normalise_git_sha(const std::string& text) {
  const std::string sha = to_lower(trim(text));
  if (is_commit_id(sha)) return sha.substr(0, k_sha_length);
  if (is_fallback(sha)) return sha;
  throw Error(ErrorKind::usage, fmt::format("\"{}\" is not a git SHA", text))
      .add_hint("--git-sha takes the 7 (or more) hex characters that `git rev-parse HEAD` prints");
}

}  // namespace tektii::cli
