#include "registry/aws/sts.hpp"

#include "registry/aws/ecr_host.hpp"
#include <tektii/net/url.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

namespace tektii::registry::aws {

namespace {

constexpr const char* k_form = "application/x-www-form-urlencoded";

std::string form_of(const char* action, const RoleRequest& role) {
  std::string form = fmt::format("Action={}&Version=2011-06-15&RoleArn={}&RoleSessionName={}", action,
                                 net::percent_encode(role.role_arn), net::percent_encode(role.session_name));
  if (!role.external_id.empty()) form += "&ExternalId=" + net::percent_encode(role.external_id);
  return form;
}

AwsCredentials ask(const CloudDeps& deps, const RoleRequest& role, const net::HttpRequest& request,
                   const std::stop_token& stop) {
  const net::HttpResponse response = send(deps, request, stop);
  const Secret answer(response.body);
  if (response.status != 200) {
    const std::string code = xml_text(answer.reveal(), "Code");
    const std::string message = xml_text(answer.reveal(), "Message");
    const bool busy = response.status >= 500 || response.status == 429;
    throw Error(busy ? ErrorKind::network : ErrorKind::denied,
                fmt::format("AWS STS answered {} ({}: {}) for the role {}", response.status, escape_control(code),
                            escape_control(message), escape_control(role.role_arn)));
  }
  AwsCredentials credentials;
  credentials.access_key_id = xml_text(answer.reveal(), "AccessKeyId");
  credentials.secret_access_key = Secret(xml_text(answer.reveal(), "SecretAccessKey"));
  credentials.session_token = Secret(xml_text(answer.reveal(), "SessionToken"));
  credentials.source = "the role " + role.role_arn;
  if (const auto seconds = parse_rfc3339(xml_text(answer.reveal(), "Expiration"))) {
    credentials.expires = TimePoint(std::chrono::seconds(*seconds));
  }
  if (credentials.access_key_id.empty() || credentials.secret_access_key.empty()) {
    throw Error(ErrorKind::network, fmt::format("AWS STS gave no credentials for the role {}", role.role_arn));
  }
  return credentials;
}

std::string sts_url(const CloudDeps& deps, const RoleRequest& role) {
  return endpoint_of(deps.env, "STS", fmt::format("https://sts.{}.{}/", role.region, dns_suffix(role.region)));
}

}  // namespace

std::string xml_text(std::string_view xml, std::string_view element) {
  const std::string open = fmt::format("<{}>", element);
  const auto begin = xml.find(open);
  if (begin == std::string_view::npos) return {};
  const std::string_view rest = xml.substr(begin + open.size());
  const auto end = rest.find("</");
  return end == std::string_view::npos ? std::string() : std::string(trim(rest.substr(0, end)));
}

AwsCredentials assume_role(const CloudDeps& deps, const RoleRequest& role, const AwsCredentials& source,
                           const std::stop_token& stop) {
  auto request = make_post(sts_url(deps, role), k_form, form_of("AssumeRole", role));
  request.aws_signing = signing_for(source, role.region, "sts");
  return ask(deps, role, request, stop);
}

AwsCredentials assume_role_with_web_identity(const CloudDeps& deps, const RoleRequest& role, const Secret& token,
                                             const std::stop_token& stop) {
  const std::string form =
      form_of("AssumeRoleWithWebIdentity", role) + "&WebIdentityToken=" + net::percent_encode(trim(token.reveal()));
  return ask(deps, role, make_post(sts_url(deps, role), k_form, form), stop);
}

}  // namespace tektii::registry::aws
