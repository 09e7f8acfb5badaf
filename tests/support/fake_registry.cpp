#include "support/fake_registry.hpp"

#include <tektii/util/hash.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

namespace tektii::testing {

namespace {

std::string digest_of(const std::string& content) {
  return "sha256:" + Sha256::hex_of(content);
}

ServerResponse error_answer(int status, std::string_view code, std::string_view message) {
  ServerResponse response;
  response.status = status;
  response.headers = {{"Content-Type", "application/json"}};
  response.body = fmt::format(R"({{"errors":[{{"code":"{}","message":"{}"}}]}})", code, message);
  return response;
}

// Splits "/v2/<repository>/<kind>/<rest>".
struct Route {
  std::string repository;
  std::string rest;
};
std::optional<Route> match(const std::string& path, const std::string& kind) {
  const auto at = path.rfind("/" + kind + "/");
  if (!path.starts_with("/v2/") || at == std::string::npos || at < 4) return std::nullopt;
  return Route{path.substr(4, at - 4), path.substr(at + kind.size() + 2)};
}

}  // namespace

FakeRegistry::FakeRegistry(Options options)
    : options_(std::move(options)), server_([this](const ServerRequest& request) { return handle(request); }) {}

void FakeRegistry::set_intercept(Intercept intercept) {
  const std::lock_guard lock(mutex_);
  intercept_ = std::move(intercept);
}

std::string FakeRegistry::add_blob(const std::string& repository, const std::string& content) {
  const std::lock_guard lock(mutex_);
  blobs_[repository][digest_of(content)] = content;
  return digest_of(content);
}

std::string FakeRegistry::add_manifest(const std::string& repository, const std::string& tag,
                                       const std::string& media_type, const std::string& content) {
  const std::lock_guard lock(mutex_);
  const std::string digest = digest_of(content);
  manifests_[repository][digest] = {media_type, content};
  if (!tag.empty()) manifests_[repository][tag] = {media_type, content};
  return digest;
}

bool FakeRegistry::has_blob(const std::string& repository, const std::string& digest) const {
  const std::lock_guard lock(mutex_);
  const auto found = blobs_.find(repository);
  return found != blobs_.end() && found->second.count(digest) > 0;
}

std::string FakeRegistry::manifest(const std::string& repository, const std::string& reference) const {
  const std::lock_guard lock(mutex_);
  const auto found = manifests_.find(repository);
  if (found == manifests_.end()) return {};
  const auto manifest = found->second.find(reference);
  return manifest == found->second.end() ? std::string() : manifest->second.content;
}

void FakeRegistry::revoke_tokens() {
  const std::lock_guard lock(mutex_);
  tokens_.clear();
}

ServerResponse FakeRegistry::handle(const ServerRequest& request) {
  Intercept intercept;
  {
    const std::lock_guard lock(mutex_);
    intercept = intercept_;
  }
  if (intercept) {
    if (auto response = intercept(request)) return *response;
  }
  const std::lock_guard lock(mutex_);
  const std::string path = request.path();
  if (path == "/token") return handle_token(request);
  if (auto refusal = check_auth(request)) return *refusal;
  if (path == "/v2/") return {.status = 200, .body = "{}"};
  if (const auto route = match(path, "blobs/uploads")) {
    return route->rest.empty() ? start_upload(request, route->repository)
                               : finish_upload(request, route->repository, route->rest);
  }
  if (const auto route = match(path, "blobs")) return handle_blob(request, route->repository, route->rest);
  if (const auto route = match(path, "manifests")) return handle_manifest(request, route->repository, route->rest);
  return {.status = 404, .body = "404 page not found"};
}

ServerResponse FakeRegistry::handle_token(const ServerRequest& request) {
  const std::string basic = "Basic " + base64_encode(options_.username + ":" + options_.password);
  const auto given = request.header("Authorization");
  const bool known = given == basic || (!given && (options_.anonymous_tokens || request.method == "POST"));
  if (!known) return error_answer(401, "UNAUTHORIZED", "incorrect username or password");
  ++tokens_issued_;
  const std::string token = fmt::format("token-{}", tokens_issued_.load());
  tokens_[token] = join(request.all_queries("scope"), " ");
  ServerResponse response;
  response.body =
      options_.token_body.empty() ? fmt::format(R"({{"token":"{}","expires_in":300}})", token) : options_.token_body;
  return response;
}

std::optional<ServerResponse> FakeRegistry::check_auth(const ServerRequest& request) {
  const std::string given = request.header("Authorization").value_or("");
  if (options_.auth == Auth::none) return std::nullopt;
  ServerResponse refusal = error_answer(401, "UNAUTHORIZED", "authentication required");
  if (options_.auth == Auth::basic) {
    if (given == "Basic " + base64_encode(options_.username + ":" + options_.password)) return std::nullopt;
    refusal.headers.emplace_back("WWW-Authenticate", "Basic realm=\"test\"");
    return refusal;
  }
  if (given.starts_with("Bearer ") && tokens_.count(given.substr(7)) > 0) return std::nullopt;
  refusal.headers.emplace_back("WWW-Authenticate",
                               fmt::format(R"(Bearer realm="{}",service="fake, \"quoted\"")", server_.url("/token")));
  return refusal;
}

ServerResponse FakeRegistry::handle_blob(const ServerRequest& request, const std::string& repository,
                                         const std::string& digest) {
  const auto& blobs = blobs_[repository];
  const auto found = blobs.find(digest);
  if (found == blobs.end()) return error_answer(404, "BLOB_UNKNOWN", "blob unknown to registry");
  ServerResponse response;
  response.headers = {{"Docker-Content-Digest", digest}, {"Content-Type", "application/octet-stream"}};
  response.body = found->second;
  const std::string range = request.header("Range").value_or("");
  if (range.starts_with("bytes=") && range.ends_with("-")) {
    const auto offset = static_cast<std::size_t>(parse_int(range.substr(6, range.size() - 7)).value_or(0));
    response.status = 206;
    response.headers.emplace_back(
        "Content-Range", fmt::format("bytes {}-{}/{}", offset, response.body.size() - 1, response.body.size()));
    response.body.erase(0, offset);
  }
  return response;
}

ServerResponse FakeRegistry::handle_manifest(const ServerRequest& request, const std::string& repository,
                                             const std::string& reference) {
  auto& manifests = manifests_[repository];
  if (request.method == "PUT") {
    const std::string digest = digest_of(request.body);
    manifests[digest] = {request.header("Content-Type").value_or(""), request.body};
    manifests[reference] = manifests[digest];
    return {.status = 201, .headers = {{"Docker-Content-Digest", digest}}};
  }
  const auto found = manifests.find(reference);
  if (found == manifests.end()) return error_answer(404, "MANIFEST_UNKNOWN", "manifest unknown");
  return {.status = 200,
          .headers = {{"Content-Type", found->second.media_type},
                      {"Docker-Content-Digest", digest_of(found->second.content)}},
          .body = found->second.content};
}

ServerResponse FakeRegistry::start_upload(const ServerRequest& request, const std::string& repository) {
  const auto mount = request.query("mount");
  if (mount && options_.supports_mount) {
    const auto& source = blobs_[request.query("from").value_or("")];
    if (const auto found = source.find(*mount); found != source.end()) {
      blobs_[repository][*mount] = found->second;
      return {.status = 201, .headers = {{"Location", "/v2/" + repository + "/blobs/" + *mount}}};
    }
  }
  const std::string id = fmt::format("upload-{}", ++next_upload_);
  uploads_.insert(id);
  const std::string location = fmt::format("/v2/{}/blobs/uploads/{}?_state=a%2Fb%3D%3D", repository, id);
  return {.status = 202, .headers = {{"Location", location}}};
}

ServerResponse FakeRegistry::finish_upload(const ServerRequest& request, const std::string& repository,
                                           const std::string& id) {
  const bool state_is_intact = request.target.find("?_state=a%2Fb%3D%3D&digest=") != std::string::npos;
  if (request.method != "PUT" || uploads_.erase(id) == 0 || !state_is_intact) {
    return error_answer(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry");
  }
  const std::string digest = request.query("digest").value_or("");
  if (digest_of(request.body) != digest) return error_answer(400, "DIGEST_INVALID", "provided digest did not match");
  blobs_[repository][digest] = request.body;
  return {.status = 201, .headers = {{"Docker-Content-Digest", digest}}};
}

}  // namespace tektii::testing
