#include "support/registry_store.hpp"

#include <tektii/util/text.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>

namespace tektii::testing {

namespace {

using Json = nlohmann::json;

std::string digest_of(const std::string& content) {
  return "sha256:" + Sha256::hex_of(content);
}

// "/v2/<repository>/<kind>/<rest>".
struct Route {
  std::string repository;
  std::string rest;
};

std::optional<Route> match(const std::string& path, const std::string& kind) {
  const auto at = path.rfind("/" + kind + "/");
  if (!path.starts_with("/v2/") || at == std::string::npos || at < 4) return std::nullopt;
  return Route{path.substr(4, at - 4), path.substr(at + kind.size() + 2)};
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// "first-last" with an optional last.
std::optional<std::pair<std::uint64_t, std::optional<std::uint64_t>>> parse_range(std::string_view text) {
  const auto dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto first = number(text.substr(0, dash));
  const auto last = number(text.substr(dash + 1));
  if (!first || (!last && dash + 1 != text.size())) return std::nullopt;
  return std::pair(*first, last);
}

// Every digest that a manifest needs: of config and layers, or of the manifests of an index.
std::vector<std::string> references_of(const Json& document, const char* list) {
  std::vector<std::string> digests;
  for (const Json& item : document.value(list, Json::array())) digests.push_back(item.value("digest", ""));
  return digests;
}

}  // namespace

StoreAnswer store_error(int status, std::string_view code, std::string_view message) {
  StoreAnswer answer;
  answer.status = status;
  answer.headers = {{"Content-Type", "application/json"}};
  answer.body = fmt::format(R"({{"errors":[{{"code":"{}","message":"{}"}}]}})", code, message);
  return answer;
}

void ReceivedBody::append(std::string_view data) {
  hash_.update(data);
  size_ += data.size();
  if (size_ <= keep_limit_) {
    content_.append(data);
  } else {
    content_.clear();
    content_.shrink_to_fit();
  }
}

StoreAnswer RegistryStore::handle(const ServerRequest& request, ReceivedBody& body) {
  const std::lock_guard lock(mutex_);
  const std::string path = request.path();
  if (path == "/token") return handle_token(request, body);
  if (auto refusal = check_auth(request)) return *refusal;
  if (path == "/v2/") return {.headers = {{"Docker-Distribution-API-Version", "registry/2.0"}}, .body = "{}"};
  if (const auto route = match(path, "blobs/uploads")) {
    if (!route->rest.empty()) return handle_upload(request, route->repository, route->rest, body);
    if (request.method == "POST") return start_upload(request, route->repository, body);
  } else if (const auto blob = match(path, "blobs")) {
    return handle_blob(request, repositories_[blob->repository], blob->rest);
  } else if (const auto manifest = match(path, "manifests")) {
    return handle_manifest(request, manifest->repository, manifest->rest, body);
  } else if (const auto tags = match(path, "tags")) {
    if (request.method == "GET" && tags->rest == "list") return handle_tags(request, tags->repository);
  } else if (const auto referrers = match(path, "referrers"); referrers && options_.supports_referrers) {
    return handle_referrers(request, repositories_[referrers->repository], referrers->rest);
  }
  return {.status = 404, .headers = {{"Content-Type", "text/plain"}}, .body = "404 page not found\n"};
}

void RegistryStore::cut(const ServerRequest& request, ReceivedBody& body) {
  const std::lock_guard lock(mutex_);
  const auto route = match(request.path(), "blobs/uploads");
  if (!route || route->rest.empty()) return;
  auto& uploads = repositories_[route->repository].uploads;
  const auto upload = uploads.find(route->rest);
  if (upload == uploads.end()) return;
  if (options_.after_cut == AfterCut::forget) {
    uploads.erase(upload);
  } else {
    append(upload->second, body);
  }
}

StoreAnswer RegistryStore::handle_token(const ServerRequest& request, const ReceivedBody& body) {
  const std::string basic = "Basic " + base64_encode(options_.username + ":" + options_.password);
  const auto given = request.header("Authorization");
  const bool known = given == basic || (!given && (options_.anonymous_tokens || request.method == "POST"));
  if (!known) return store_error(401, "UNAUTHORIZED", "incorrect username or password");
  std::string scopes = join(request.all_queries("scope"), " ");
  if (request.method == "POST") {
    ServerRequest form = request;
    form.target = "/token?" + body.content();
    scopes = join(form.all_queries("scope"), " ");
  }
  const std::string token = fmt::format("token-{}", ++tokens_issued_);
  tokens_[token] = scopes;
  return {.headers = {{"Content-Type", "application/json"}},
          .body = fmt::format(R"({{"token":"{}","expires_in":{}}})", token, options_.token_seconds)};
}

std::optional<StoreAnswer> RegistryStore::check_auth(const ServerRequest& request) {
  const std::string given = request.header("Authorization").value_or("");
  if (options_.auth == Auth::none) return std::nullopt;
  StoreAnswer refusal = store_error(401, "UNAUTHORIZED", "authentication required");
  if (options_.auth == Auth::basic) {
    if (given == "Basic " + base64_encode(options_.username + ":" + options_.password)) return std::nullopt;
    refusal.headers.emplace_back("WWW-Authenticate", "Basic realm=\"test\"");
    return refusal;
  }
  const std::string path = request.path();
  std::string scope;
  for (const char* kind : {"blobs/uploads", "blobs", "manifests", "tags", "referrers"}) {
    if (const auto route = match(path, kind)) {
      const bool reads = request.method == "GET" || request.method == "HEAD";
      scope = fmt::format("repository:{}:{}", route->repository, reads ? "pull" : "pull,push");
      break;
    }
  }
  const auto token = given.starts_with("Bearer ") ? tokens_.find(given.substr(7)) : tokens_.end();
  const auto covered = [&] {
    if (!options_.enforce_scopes || scope.empty()) return true;
    const auto granted = split(token->second, ' ');
    return std::any_of(granted.begin(), granted.end(), [&](const std::string& one) { return one.starts_with(scope); });
  };
  if (token != tokens_.end() && covered()) return std::nullopt;
  std::string challenge = fmt::format(R"(Bearer realm="{}/token",service="fake, \"quoted\"")", base_url_);
  if (!scope.empty()) challenge += fmt::format(R"(,scope="{}")", scope);
  if (token != tokens_.end()) challenge += R"(,error="insufficient_scope")";
  refusal.headers.emplace_back("WWW-Authenticate", challenge);
  return refusal;
}

StoreAnswer RegistryStore::handle_blob(const ServerRequest& request, Repository& repository,
                                       const std::string& digest) {
  const auto found = repository.blobs.find(digest);
  if (found == repository.blobs.end()) return store_error(404, "BLOB_UNKNOWN", "blob unknown to registry");
  if (request.method == "DELETE") {
    repository.blobs.erase(found);
    return {.status = 202};
  }
  const Blob& blob = found->second;
  StoreAnswer answer;
  answer.headers = {{"Docker-Content-Digest", digest},
                    {"Content-Type", "application/octet-stream"},
                    {"Accept-Ranges", "bytes"},
                    {"ETag", "\"" + digest + "\""}};
  std::uint64_t first = 0;
  std::uint64_t last = blob.size - 1;
  const std::string range = request.header("Range").value_or("");
  const bool same = request.header("If-Range").value_or("\"" + digest + "\"") == "\"" + digest + "\"";
  if (const auto wanted = range.starts_with("bytes=") && same ? parse_range(range.substr(6)) : std::nullopt) {
    first = wanted->first;
    last = std::min(last, wanted->second.value_or(last));
    if (first >= blob.size || last < first) {
      return {.status = 416, .headers = {{"Content-Range", fmt::format("bytes */{}", blob.size)}}};
    }
    answer.status = 206;
    answer.headers.emplace_back("Content-Range", fmt::format("bytes {}-{}/{}", first, last, blob.size));
  }
  if (blob.content) {
    answer.body = blob.content->substr(first, last - first + 1);
  } else if (blob.generator || request.method == "HEAD") {
    answer.generator = blob.generator ? blob.generator : [](std::uint64_t, std::span<char>) {};
    answer.offset = first;
    answer.length = last - first + 1;
  } else {
    return store_error(500, "UNKNOWN", "the content was not kept");
  }
  return answer;
}

StoreAnswer RegistryStore::upload_answer(int status, const std::string& name, const std::string& id) {
  Upload& upload = repositories_[name].uploads[id];
  StoreAnswer answer;
  answer.status = status;
  answer.headers = {
      {"Location", fmt::format("/v2/{}/blobs/uploads/{}?_state=a%2Fb%3D%3D{}", name, id, ++upload.generation)},
      {"Range", fmt::format("0-{}", upload.size == 0 ? 0 : upload.size - 1)},
      {"Docker-Upload-UUID", id}};
  if (options_.min_chunk > 0) answer.headers.emplace_back("OCI-Chunk-Min-Length", std::to_string(options_.min_chunk));
  return answer;
}

StoreAnswer RegistryStore::start_upload(const ServerRequest& request, const std::string& name, ReceivedBody& body) {
  const auto mount = request.query("mount");
  if (mount && options_.supports_mount) {
    const auto& source = repositories_[request.query("from").value_or("")].blobs;
    if (const auto found = source.find(*mount); found != source.end()) {
      repositories_[name].blobs[*mount] = found->second;
      return {.status = 201, .headers = {{"Location", "/v2/" + name + "/blobs/" + *mount}}};
    }
  }
  const std::string id = fmt::format("upload-{}", ++next_upload_);
  repositories_[name].uploads[id] = {};
  if (request.query("digest")) return finish_upload(request, name, id, body);
  return upload_answer(202, name, id);
}

StoreAnswer RegistryStore::handle_upload(const ServerRequest& request, const std::string& name, const std::string& id,
                                         ReceivedBody& body) {
  auto& uploads = repositories_[name].uploads;
  const auto found = uploads.find(id);
  if (found == uploads.end()) return store_error(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry");
  // A client that encodes what it was given anew, or that uses a Location twice, is wrong.
  const std::string state = request.target.substr(request.target.find('?') + 1);
  if (!state.starts_with("_state=a%2Fb%3D%3D")) {
    return store_error(404, "BLOB_UPLOAD_INVALID", "blob upload invalid");
  }
  if (request.method == "GET") return upload_answer(204, name, id);
  if (request.method == "PATCH") return patch_upload(request, name, id, body);
  if (request.method == "PUT") return finish_upload(request, name, id, body);
  if (request.method != "DELETE") return {.status = 405};
  uploads.erase(found);
  return {.status = 204};
}

void RegistryStore::append(Upload& upload, ReceivedBody& body) {
  if (!body.is_kept() && upload.size == 0) upload.hex_of_only_body = body.hex();
  upload.content += body.content();
  upload.size += body.size();
}

StoreAnswer RegistryStore::patch_upload(const ServerRequest& request, const std::string& name, const std::string& id,
                                        ReceivedBody& body) {
  Upload& upload = repositories_[name].uploads[id];
  if (const auto header = request.header("Content-Range")) {
    const auto range = parse_range(*header);
    const bool fits =
        range && range->second && range->first == upload.size && *range->second - range->first + 1 == body.size();
    if (!fits) {
      StoreAnswer answer = upload_answer(416, name, id);
      answer.body = store_error(416, "RANGE_INVALID", "invalid content range").body;
      return answer;
    }
  }
  append(upload, body);
  return upload_answer(202, name, id);
}

StoreAnswer RegistryStore::finish_upload(const ServerRequest& request, const std::string& name, const std::string& id,
                                         ReceivedBody& body) {
  Repository& repository = repositories_[name];
  append(repository.uploads[id], body);
  const Upload upload = std::move(repository.uploads[id]);
  repository.uploads.erase(id);
  const std::string digest = request.query("digest").value_or("");
  const std::string hex = upload.hex_of_only_body.empty() ? Sha256::hex_of(upload.content) : upload.hex_of_only_body;
  if (digest != "sha256:" + hex) return store_error(400, "DIGEST_INVALID", "provided digest did not match");
  const bool kept = upload.content.size() == upload.size;
  repository.blobs[digest] = {upload.size, kept ? std::make_shared<const std::string>(upload.content) : nullptr, {}};
  return {.status = 201,
          .headers = {{"Location", "/v2/" + name + "/blobs/" + digest}, {"Docker-Content-Digest", digest}}};
}

StoreAnswer RegistryStore::handle_manifest(const ServerRequest& request, const std::string& name,
                                           const std::string& reference, const ReceivedBody& body) {
  if (request.method == "PUT") return put_manifest(request, name, reference, body.content());
  Repository& repository = repositories_[name];
  const auto tag = repository.tags.find(reference);
  const auto found = repository.manifests.find(tag == repository.tags.end() ? reference : tag->second);
  if (found == repository.manifests.end()) return store_error(404, "MANIFEST_UNKNOWN", "manifest unknown");
  if (request.method == "DELETE") {
    if (tag != repository.tags.end()) {
      repository.tags.erase(tag);
    } else {
      std::erase_if(repository.tags, [&](const auto& one) { return one.second == found->first; });
      repository.manifests.erase(found);
    }
    return {.status = 202};
  }
  return {.headers = {{"Content-Type", found->second.media_type}, {"Docker-Content-Digest", found->first}},
          .body = found->second.content};
}

StoreAnswer RegistryStore::put_manifest(const ServerRequest& request, const std::string& name,
                                        const std::string& reference, const std::string& content) {
  Repository& repository = repositories_[name];
  const std::string digest = digest_of(content);
  if (reference.starts_with("sha256:") && reference != digest) {
    return store_error(400, "DIGEST_INVALID", "provided digest did not match");
  }
  const Json document = Json::parse(content, nullptr, false);
  if (!document.is_object()) return store_error(400, "MANIFEST_INVALID", "manifest invalid");
  auto blobs = references_of(document, "layers");
  if (document.contains("config")) blobs.push_back(document["config"].value("digest", ""));
  for (const std::string& blob : blobs) {
    if (options_.checks_references && repository.blobs.count(blob) == 0) {
      return store_error(404, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry");
    }
  }
  for (const std::string& manifest : references_of(document, "manifests")) {
    if (options_.checks_references && repository.manifests.count(manifest) == 0) {
      return store_error(404, "MANIFEST_BLOB_UNKNOWN", "manifest unknown to registry");
    }
  }
  const bool is_tag = !reference.starts_with("sha256:");
  if (is_tag && options_.immutable_tags && repository.tags.count(reference) > 0) {
    return store_error(400, "TAG_INVALID", "the tag is immutable and exists already");
  }
  repository.manifests[digest] = {request.header("Content-Type").value_or(""), content};
  if (is_tag) repository.tags[reference] = digest;
  StoreAnswer answer{
      .status = 201,
      .headers = {{"Location", "/v2/" + name + "/manifests/" + digest}, {"Docker-Content-Digest", digest}}};
  if (options_.supports_referrers && document.contains("subject")) {
    answer.headers.emplace_back("OCI-Subject", document["subject"].value("digest", ""));
  }
  return answer;
}

StoreAnswer RegistryStore::handle_tags(const ServerRequest& request, const std::string& name) {
  const auto found = repositories_.find(name);
  if (found == repositories_.end()) return store_error(404, "NAME_UNKNOWN", "repository name not known to registry");
  const std::string last = request.query("last").value_or("");
  const auto limit = number(request.query("n").value_or("")).value_or(1000);
  Json tags = Json::array();
  StoreAnswer answer{.headers = {{"Content-Type", "application/json"}}};
  for (const auto& [tag, digest] : found->second.tags) {
    if (!last.empty() && tag <= last) continue;
    if (tags.size() == limit) {
      answer.headers.emplace_back("Link", fmt::format(R"(</v2/{}/tags/list?n={}&last={}>; rel="next")", name, limit,
                                                      tags.back().get<std::string>()));
      break;
    }
    tags.push_back(tag);
  }
  answer.body = Json{{"name", name}, {"tags", tags}}.dump();
  return answer;
}

StoreAnswer RegistryStore::handle_referrers(const ServerRequest& request, Repository& repository,
                                            const std::string& digest) {
  const auto wanted = request.query("artifactType");
  Json manifests = Json::array();
  for (const auto& [own_digest, manifest] : repository.manifests) {
    const Json document = Json::parse(manifest.content, nullptr, false);
    if (document.value("subject", Json::object()).value("digest", "") != digest) continue;
    std::string type = document.value("artifactType", "");
    if (type.empty()) type = document.value("config", Json::object()).value("mediaType", "");
    if (wanted && type != *wanted) continue;
    Json descriptor{{"mediaType", manifest.media_type},
                    {"digest", own_digest},
                    {"size", manifest.content.size()},
                    {"artifactType", type}};
    if (document.contains("annotations")) descriptor["annotations"] = document["annotations"];
    manifests.push_back(descriptor);
  }
  const std::string type = "application/vnd.oci.image.index.v1+json";
  StoreAnswer answer{.headers = {{"Content-Type", type}}};
  if (wanted) answer.headers.emplace_back("OCI-Filters-Applied", "artifactType");
  answer.body = Json{{"schemaVersion", 2}, {"mediaType", type}, {"manifests", manifests}}.dump();
  return answer;
}

std::string RegistryStore::add_blob(const std::string& repository, const std::string& content) {
  const std::lock_guard lock(mutex_);
  const std::string digest = digest_of(content);
  repositories_[repository].blobs[digest] = {content.size(), std::make_shared<const std::string>(content), {}};
  return digest;
}

void RegistryStore::add_blob(const std::string& repository, const std::string& digest, std::uint64_t size,
                             Generator generator) {
  const std::lock_guard lock(mutex_);
  repositories_[repository].blobs[digest] = {size, nullptr, std::move(generator)};
}

std::string RegistryStore::add_manifest(const std::string& repository, const std::string& tag,
                                        const std::string& media_type, const std::string& content) {
  const std::lock_guard lock(mutex_);
  const std::string digest = digest_of(content);
  repositories_[repository].manifests[digest] = {media_type, content};
  if (!tag.empty()) repositories_[repository].tags[tag] = digest;
  return digest;
}

void RegistryStore::remove_blob(const std::string& repository, const std::string& digest) {
  const std::lock_guard lock(mutex_);
  repositories_[repository].blobs.erase(digest);
}

bool RegistryStore::has_blob(const std::string& repository, const std::string& digest) const {
  const std::lock_guard lock(mutex_);
  const auto found = repositories_.find(repository);
  return found != repositories_.end() && found->second.blobs.count(digest) > 0;
}

std::string RegistryStore::blob(const std::string& repository, const std::string& digest) const {
  const std::lock_guard lock(mutex_);
  const auto found = repositories_.find(repository);
  if (found == repositories_.end()) return {};
  const auto blob = found->second.blobs.find(digest);
  const bool kept = blob != found->second.blobs.end() && blob->second.content;
  return kept ? *blob->second.content : std::string();
}

std::string RegistryStore::manifest(const std::string& repository, const std::string& reference) const {
  const std::lock_guard lock(mutex_);
  const auto found = repositories_.find(repository);
  if (found == repositories_.end()) return {};
  const auto tag = found->second.tags.find(reference);
  const auto manifest = found->second.manifests.find(tag == found->second.tags.end() ? reference : tag->second);
  return manifest == found->second.manifests.end() ? std::string() : manifest->second.content;
}

std::size_t RegistryStore::open_uploads() const {
  const std::lock_guard lock(mutex_);
  std::size_t count = 0;
  for (const auto& [name, repository] : repositories_) count += repository.uploads.size();
  return count;
}

void RegistryStore::revoke_tokens() {
  const std::lock_guard lock(mutex_);
  tokens_.clear();
}

int RegistryStore::tokens_issued() const {
  const std::lock_guard lock(mutex_);
  return tokens_issued_;
}

}  // namespace tektii::testing
