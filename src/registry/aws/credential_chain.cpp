#include "registry/aws/credential_chain.hpp"

#include "registry/aws/metadata.hpp"
#include "registry/aws/sts.hpp"
#include <tektii/net/url.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/process.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace tektii::registry::aws {

namespace {

constexpr std::size_t k_max_token_file = 64 << 10;
constexpr std::chrono::milliseconds k_process_timeout(60000);

std::string setting(const Profile& profile, const char* name) {
  const auto found = profile.find(name);
  return found == profile.end() ? std::string() : found->second;
}

[[noreturn]] void refuse_profile(const std::string& name, const std::string& why) {
  throw Error(ErrorKind::denied, fmt::format("the AWS profile '{}' {}", escape_control(name), why));
}

std::optional<AwsCredentials> static_keys(const Profile& profile, const std::string& name) {
  AwsCredentials credentials{setting(profile, "aws_access_key_id"), Secret(setting(profile, "aws_secret_access_key")),
                             Secret(setting(profile, "aws_session_token")), std::nullopt,
                             fmt::format("the profile '{}'", name)};
  if (credentials.access_key_id.empty()) return std::nullopt;
  if (credentials.secret_access_key.empty()) refuse_profile(name, "has an access key without its secret");
  return credentials;
}

Secret token_of_file(const std::string& file) {
  return Secret(read_file(file, k_max_token_file));
}

bool uses_sso(const Profile& profile) {
  return !setting(profile, "sso_session").empty() || !setting(profile, "sso_start_url").empty();
}

}  // namespace

std::string CredentialChain::region(const Profile* profile) const {
  if (const auto name = deps_.env("AWS_REGION")) return *name;
  if (const auto name = deps_.env("AWS_DEFAULT_REGION")) return *name;
  const std::string own = profile == nullptr ? std::string() : setting(*profile, "region");
  return own.empty() ? region_ : own;
}

std::string CredentialChain::session_name(const Profile* profile) const {
  const std::string own = profile == nullptr ? std::string() : setting(*profile, "role_session_name");
  if (!own.empty()) return own;
  if (const auto name = deps_.env("AWS_ROLE_SESSION_NAME")) return *name;
  return fmt::format("tektii-{}",
                     std::chrono::duration_cast<std::chrono::seconds>(deps_.clock.now().time_since_epoch()).count());
}

std::optional<AwsCredentials> CredentialChain::find(const std::stop_token& stop) {
  const Profiles profiles = load_profiles(deps_.env);
  if (const auto name = deps_.env("AWS_PROFILE")) {
    auto credentials = from_profile(profiles, *name, {}, stop);
    if (!credentials) refuse_profile(*name, "has no credentials");
    return credentials;
  }
  if (auto credentials = from_environment()) return credentials;
  if (auto credentials = from_web_identity(stop)) return credentials;
  const std::string name = deps_.env("AWS_DEFAULT_PROFILE").value_or("default");
  if (profiles.count(name) > 0) {
    if (auto credentials = from_profile(profiles, name, {}, stop)) return credentials;
  }
  if (auto credentials = container_credentials(deps_, stop)) return credentials;
  return instance_credentials(deps_, stop);
}

std::optional<AwsCredentials> CredentialChain::from_environment() const {
  const auto id = deps_.env("AWS_ACCESS_KEY_ID");
  const auto secret = deps_.env("AWS_SECRET_ACCESS_KEY");
  if (!id || !secret) return std::nullopt;
  return AwsCredentials{*id, Secret(*secret), Secret(deps_.env("AWS_SESSION_TOKEN").value_or("")), std::nullopt,
                        "the environment"};
}

// A job of GitHub Actions with "permissions: id-token: write" asks GitHub who it is.
Secret CredentialChain::github_token(const std::string& role_arn, const std::string& url,
                                     const std::stop_token& stop) const {
  const bool china = role_arn.starts_with("arn:aws-cn:");
  net::HttpRequest request;
  request.url =
      net::with_query(net::Url::parse(url), "audience", china ? "sts.amazonaws.com.cn" : "sts.amazonaws.com").str();
  request.authorization = Secret("Bearer " + deps_.env("ACTIONS_ID_TOKEN_REQUEST_TOKEN").value_or(""));
  const net::HttpResponse response = send(deps_, request, stop);
  const Secret text(response.body);
  const auto answer = nlohmann::json::parse(text.reveal(), nullptr, false);
  if (response.status == 200 && answer.is_object()) {
    const auto value = answer.find("value");
    if (value != answer.end() && value->is_string()) return Secret(value->get<std::string>());
  }
  throw Error(ErrorKind::denied, fmt::format("GitHub gave no identity token: it answered {}", response.status))
      .add_hint("the job needs \"permissions: id-token: write\"");
}

std::optional<AwsCredentials> CredentialChain::from_web_identity(const std::stop_token& stop) const {
  const auto role = deps_.env("AWS_ROLE_ARN");
  if (!role) return std::nullopt;
  const RoleRequest request{*role, session_name(), {}, region()};
  if (const auto file = deps_.env("AWS_WEB_IDENTITY_TOKEN_FILE")) {
    return assume_role_with_web_identity(deps_, request, token_of_file(*file), stop);
  }
  const auto url = deps_.env("ACTIONS_ID_TOKEN_REQUEST_URL");
  if (!url) return std::nullopt;
  return assume_role_with_web_identity(deps_, request, github_token(*role, *url, stop), stop);
}

std::optional<AwsCredentials> CredentialChain::from_profile(const Profiles& profiles, const std::string& name,
                                                            std::set<std::string> visited,
                                                            const std::stop_token& stop) const {
  const auto found = profiles.find(name);
  if (found == profiles.end()) refuse_profile(name, "is in neither of the files ~/.aws/config and ~/.aws/credentials");
  const Profile& profile = found->second;
  if (!visited.insert(name).second) refuse_profile(name, "is the source of its own role");
  // The end of the way of source_profile: "the profile itself" means its keys.
  if (!setting(profile, "role_arn").empty()) return from_role(profiles, name, visited, stop);
  if (auto keys = static_keys(profile, name)) return keys;
  if (const auto command = setting(profile, "credential_process"); !command.empty()) {
    return from_process(name, command, stop);
  }
  if (uses_sso(profile)) {
    Error error(ErrorKind::denied, fmt::format("the AWS profile '{}' logs in through IAM Identity Center (SSO), which "
                                               "is not supported",
                                               escape_control(name)));
    error.add_hint(
        fmt::format("hand its credentials on: eval \"$(aws configure export-credentials --profile {} "
                    "--format env)\"",
                    escape_control(name)));
    throw error;
  }
  return std::nullopt;
}

std::optional<AwsCredentials> CredentialChain::role_source(const Profiles& profiles, const std::string& name,
                                                           const std::set<std::string>& visited,
                                                           const std::stop_token& stop) const {
  const Profile& profile = profiles.at(name);
  if (const auto source = setting(profile, "source_profile"); !source.empty()) {
    return source == name ? static_keys(profile, name) : from_profile(profiles, source, visited, stop);
  }
  const std::string source = setting(profile, "credential_source");
  if (source == "Environment") return from_environment();
  if (source == "Ec2InstanceMetadata") return instance_credentials(deps_, stop);
  if (source == "EcsContainer") return container_credentials(deps_, stop);
  if (source.empty()) refuse_profile(name, "has a role_arn but neither source_profile nor credential_source");
  refuse_profile(name, fmt::format("has the unknown credential_source '{}'", escape_control(source)));
}

AwsCredentials CredentialChain::from_role(const Profiles& profiles, const std::string& name,
                                          const std::set<std::string>& visited, const std::stop_token& stop) const {
  const Profile& profile = profiles.at(name);
  const RoleRequest request{setting(profile, "role_arn"), session_name(&profile), setting(profile, "external_id"),
                            region(&profile)};
  if (const auto file = setting(profile, "web_identity_token_file"); !file.empty()) {
    return assume_role_with_web_identity(deps_, request, token_of_file(file), stop);
  }
  if (!setting(profile, "mfa_serial").empty()) {
    refuse_profile(name, "wants a code of a second factor (mfa_serial), and nobody is asked for one here");
  }
  const auto source = role_source(profiles, name, visited, stop);
  if (!source) refuse_profile(name, "takes its role on with credentials that are not there");
  return assume_role(deps_, request, *source, stop);
}

AwsCredentials CredentialChain::from_process(const std::string& name, const std::string& command,
                                             const std::stop_token& stop) const {
  ProcessOptions options;
  options.timeout = k_process_timeout;
  options.stop = stop;
  // The setting is a command line by the definition of the AWS tools.
  const ProcessResult result = run_process({"/bin/sh", "-c", command}, options);
  const Secret output(result.out);
  if (result.timed_out) {
    refuse_profile(name, fmt::format("has a credential_process that did not end within {}",
                                     format_duration(k_process_timeout.count())));
  }
  if (result.exit_code != 0) {
    const std::string_view said = trim(result.err);
    refuse_profile(name, fmt::format("has a credential_process that failed with exit code {}: {}", result.exit_code,
                                     escape_control(said.substr(0, said.find('\n')))));
  }
  auto credentials =
      parse_credentials(output.reveal(), fmt::format("the credential_process of the profile '{}'", name));
  if (!credentials) refuse_profile(name, "has a credential_process that printed no credentials");
  return *credentials;
}

}  // namespace tektii::registry::aws
