#include "registry/credential_helper.hpp"

#include <tektii/util/error.hpp>
#include <tektii/util/process.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace tektii::registry {

namespace {

using Json = nlohmann::json;

constexpr std::size_t k_max_output = 256 << 10;
constexpr std::size_t k_max_text = 300;

std::string program_of(const HelperSite& site) {
  return "docker-credential-" + site.name;
}

Error helper_error(const HelperSite& site, const std::string& server, const std::string& what) {
  return Error(ErrorKind::denied, fmt::format("credential helper {} {} (asked for {} because of {} in {})",
                                              escape_control(program_of(site)), what, escape_control(server),
                                              escape_control(site.setting), escape_control(site.file)));
}

// Helpers print their failures to standard output; some add more on the other stream.
std::string said(const ProcessResult& result) {
  std::string_view text = trim(result.out);
  if (text.empty()) text = trim(result.err);
  const std::string line = escape_control(trim(text.substr(0, text.find('\n'))));
  return line.size() > k_max_text ? line.substr(0, k_max_text) + "..." : line;
}

bool says_not_found(const ProcessResult& result) {
  return trim(result.out).starts_with("credentials not found in native keychain");
}

ProcessResult run_helper(const HelperSite& site, const char* action, const std::string& server, std::string input,
                         const std::stop_token& stop) {
  // With a slash in it, a program outside of PATH would be run.
  if (site.name.find('/') != std::string::npos) throw helper_error(site, server, "has a name with a slash");
  ProcessOptions options;
  options.stdin_text = std::move(input);
  options.timeout = site.timeout;
  options.output_limit = k_max_output;
  options.stop = stop;
  ProcessResult result;
  try {
    result = run_process({program_of(site), action}, options);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::interrupted) throw;
    throw helper_error(site, server, "failed: " + std::string(error.what()));
  }
  if (result.timed_out) {
    throw helper_error(site, server,
                       fmt::format("did not answer within {} and was ended", format_duration(site.timeout.count())))
        .add_hint("it may be waiting for a keychain that nobody unlocks here");
  }
  return result;
}

void require_success(const HelperSite& site, const std::string& server, const ProcessResult& result) {
  if (result.not_found) throw missing_helper_error(site, server);
  if (result.exit_code == 0) return;
  const std::string text = said(result);
  throw helper_error(site, server,
                     fmt::format("failed with exit code {}{}{}", result.exit_code, text.empty() ? "" : ": ", text));
}

}  // namespace

Error missing_helper_error(const HelperSite& site, const std::string& server) {
  Error error = helper_error(site, server, "is not in PATH");
  error.add_hint(fmt::format("install {}, or take {} out of {} and log in again", escape_control(program_of(site)),
                             escape_control(site.setting), escape_control(site.file)));
  return error;
}

HelperAnswer helper_get(const HelperSite& site, const std::string& server, const std::stop_token& stop) {
  const ProcessResult result = run_helper(site, "get", server, server, stop);
  if (result.not_found) return {true, std::nullopt};
  if (result.exit_code != 0 && says_not_found(result)) return {};
  require_success(site, server, result);
  const Secret output(result.out);
  const Json answer = Json::parse(output.reveal(), nullptr, false);
  const auto text = [&](const char* name) {
    const auto member = answer.find(name);
    return member != answer.end() && member->is_string() ? member->get<std::string>() : std::string();
  };
  if (!answer.is_object()) throw helper_error(site, server, "printed something that is not a JSON object");
  Credentials credentials;
  credentials.username = text("Username");
  const std::string secret = text("Secret");
  if (credentials.username.empty() && secret.empty()) return {};
  if (secret.empty()) throw helper_error(site, server, "printed no \"Secret\"");
  if (credentials.username == "<token>") {
    credentials.identity_token = Secret(secret);
  } else {
    credentials.password = Secret(secret);
  }
  return {false, std::move(credentials)};
}

void helper_store(const HelperSite& site, const std::string& server, const Credentials& credentials,
                  const std::stop_token& stop) {
  const Json input = {
      {"ServerURL", server}, {"Username", credentials.username}, {"Secret", credentials.password.reveal()}};
  require_success(site, server, run_helper(site, "store", server, input.dump(), stop));
}

bool helper_erase(const HelperSite& site, const std::string& server, const std::stop_token& stop) {
  const ProcessResult result = run_helper(site, "erase", server, server, stop);
  if (result.exit_code != 0 && says_not_found(result)) return false;
  require_success(site, server, result);
  return true;
}

}  // namespace tektii::registry
