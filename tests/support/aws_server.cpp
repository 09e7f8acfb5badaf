#include "support/aws_server.hpp"

#include <tektii/util/text.hpp>

#include <fmt/format.h>

namespace tektii::testing {

namespace {

constexpr const char* k_expiration = "2099-01-01T00:00:00Z";

ServerResponse json(std::string body, int status = 200) {
  return {.status = status, .headers = {{"Content-Type", "application/x-amz-json-1.1"}}, .body = std::move(body)};
}

ServerResponse service_error(int status, const std::string& type, const std::string& message) {
  return json(fmt::format(R"({{"__type":"com.amazon.coral#{}","message":"{}"}})", type, message), status);
}

ServerResponse sts_error(int status, const std::string& code) {
  return {
      .status = status,
      .headers = {{"Content-Type", "text/xml"}},
      .body = fmt::format("<ErrorResponse><Error><Type>Sender</Type><Code>{}</Code><Message>because</Message></Error>"
                          "</ErrorResponse>",
                          code)};
}

std::string field(const ServerRequest& request, const std::string& name) {
  ServerRequest form = request;
  form.target = "/?" + request.body;
  return form.query(name).value_or("");
}

// The keys that come out of a role or a metadata service; STS and ECR know them.
SigV4Keys keys_named(const std::string& name) {
  return {"ASIA" + name, "secret/of+" + name, "session/token+of==" + name};
}

std::string keys_json(const SigV4Keys& keys) {
  return fmt::format(R"({{"Code":"Success","AccessKeyId":"{}","SecretAccessKey":"{}","Token":"{}","Expiration":"{}"}})",
                     keys.access_key_id, keys.secret, keys.session_token, k_expiration);
}

}  // namespace

AwsServer::AwsServer() : server_([this](const ServerRequest& request) { return handle(request); }) {
  add_keys({"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", ""});
  for (const char* name : {"ROLE", "WEBROLE", "INSTANCE", "CONTAINER"}) add_keys(keys_named(name));
}

void AwsServer::add_keys(const SigV4Keys& keys) {
  const std::lock_guard lock(mutex_);
  keys_[keys.access_key_id] = keys;
}

std::vector<std::string> AwsServer::signature_faults() const {
  const std::lock_guard lock(mutex_);
  return faults_;
}

std::vector<std::string> AwsServer::calls() const {
  const std::lock_guard lock(mutex_);
  return calls_;
}

void AwsServer::note(const std::string& call) {
  const std::lock_guard lock(mutex_);
  calls_.push_back(call);
}

ServerResponse AwsServer::handle(const ServerRequest& request) {
  const std::string path = request.path();
  if (path.starts_with("/latest/")) return handle_instance(request);
  if (path == "/container") {
    if (request.header("Authorization").value_or("") != container_token) return {.status = 403};
    note("container");
    return json(keys_json(keys_named("CONTAINER")));
  }
  if (path == "/github") {
    if (request.header("Authorization") != "Bearer github-request-token") return {.status = 401};
    note("github " + request.query("audience").value_or(""));
    return json(R"({"count":1,"value":"github.identity.token"})");
  }
  if (path.starts_with("/computeMetadata/")) {
    if (request.header("Metadata-Flavor") != "Google" || google_token.empty()) return {.status = 404};
    note("google");
    auto response =
        json(fmt::format(R"({{"access_token":"{}","expires_in":3600,"token_type":"Bearer"}})", google_token));
    response.headers.emplace_back("Metadata-Flavor", "Google");
    return response;
  }
  if (request.method == "POST") return handle_signed(request);
  return {.status = 404};
}

ServerResponse AwsServer::handle_signed(const ServerRequest& request) {
  if (field(request, "Action") == "AssumeRoleWithWebIdentity") return handle_sts(request);
  const std::string target = request.header("X-Amz-Target").value_or("");
  const std::string service =
      target.empty() ? "sts" : (target.starts_with("SpencerFrontendService.") ? "ecr-public" : "ecr");
  const std::string authorization = request.header("Authorization").value_or("");
  const auto begin = authorization.find("Credential=");
  const std::string id = begin == std::string::npos
                             ? std::string()
                             : authorization.substr(begin + 11, authorization.find('/', begin) - begin - 11);
  std::string fault = "unknown access key '" + id + "'";
  {
    const std::lock_guard lock(mutex_);
    if (const auto known = keys_.find(id); known != keys_.end())
      fault = verify_v4(request, known->second, region, service);
    if (!fault.empty()) faults_.push_back(service + ": " + fault);
  }
  if (!fault.empty()) return service_error(403, "InvalidSignatureException", "the signature does not match");
  return service == "sts" ? handle_sts(request) : handle_ecr(request, service);
}

ServerResponse AwsServer::handle_ecr(const ServerRequest& request, const std::string& service) {
  const std::string target = request.header("X-Amz-Target").value_or("");
  const std::string operation = target.substr(target.find('.') + 1);
  note(service + " " + operation);
  if (ecr_status != 200) return service_error(ecr_status, ecr_error, "not today");
  if (operation == "CreateRepository") {
    note(request.body);
    return repository_error.empty() ? json(R"({"repository":{}})") : service_error(400, repository_error, "no");
  }
  const std::string expires = token_expires > 0 ? fmt::format(R"(,"expiresAt":{:.3f})", token_expires) : "";
  const std::string data =
      fmt::format(R"({{"authorizationToken":"{}"{}}})", base64_encode("AWS:pw:" + service), expires);
  return json(fmt::format(R"({{"authorizationData":{}}})", service == "ecr" ? "[" + data + "]" : data));
}

ServerResponse AwsServer::handle_sts(const ServerRequest& request) {
  const std::string action = field(request, "Action");
  const std::string role = field(request, "RoleArn");
  const bool web = action == "AssumeRoleWithWebIdentity";
  note(fmt::format("sts {} {} {}", action, role,
                   web ? field(request, "WebIdentityToken") : field(request, "ExternalId")));
  if (role.ends_with("/denied")) return sts_error(403, "AccessDenied");
  const SigV4Keys keys = keys_named(web ? "WEBROLE" : "ROLE");
  return {
      .status = 200,
      .headers = {{"Content-Type", "text/xml"}},
      .body = fmt::format("<{0}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{0}Result>\n<Credentials>"
                          "<AccessKeyId>{1}</AccessKeyId>\n<SecretAccessKey>{2}</SecretAccessKey>"
                          "<SessionToken>{3}</SessionToken><Expiration>{4}</Expiration></Credentials></{0}Result>"
                          "</{0}Response>",
                          action, keys.access_key_id, keys.secret, keys.session_token, k_expiration)};
}

ServerResponse AwsServer::handle_instance(const ServerRequest& request) {
  const std::string path = request.path();
  if (path == "/latest/api/token") {
    const bool right = request.method == "PUT" && request.header("X-aws-ec2-metadata-token-ttl-seconds") == "21600";
    return right ? ServerResponse{.body = "imds-session"} : ServerResponse{.status = 400};
  }
  if (request.header("X-aws-ec2-metadata-token") != "imds-session") return {.status = 401};
  if (instance_role.empty()) return {.status = 404};
  const std::string base = "/latest/meta-data/iam/security-credentials/";
  if (path == base) return {.body = instance_role};
  if (path != base + instance_role) return {.status = 404};
  note("instance");
  return json(keys_json(keys_named("INSTANCE")));
}

}  // namespace tektii::testing
