#include "sandbox/registry_routes.hpp"

#include "sandbox/auth.hpp"
#include "sandbox/registry_reply.hpp"
#include <tektii/util/text.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <span>

namespace tektii::sandbox {
namespace {

using nlohmann::json;

constexpr std::string_view k_service = "tektii-sandbox";

enum class RouteKind { none, manifest, blob, uploads, upload, tags };

struct Route {
  RouteKind kind = RouteKind::none;
  std::string name;
  std::string reference;  // tag, digest or upload id
};

// A repository's name holds slashes and may hold the words of the routes, so a path is read from its end.
Route parse_route(const std::string& path) {
  const std::vector<std::string> parts = path_segments(path);
  const std::size_t size = parts.size();
  const auto part = [&](std::size_t from_end) { return from_end <= size ? parts[size - from_end] : std::string(); };
  const auto route = [&](RouteKind kind, std::size_t tail, std::string reference) {
    if (size < tail + 2) return Route{};  // "v2" and at least one component
    const std::span name(parts.data() + 1, size - tail - 1);
    return Route{kind, join(name, "/"), std::move(reference)};
  };
  if (part(3) == "blobs" && part(2) == "uploads") {
    return part(1).empty() ? route(RouteKind::uploads, 3, "") : route(RouteKind::upload, 3, part(1));
  }
  if (part(2) == "blobs" && part(1) == "uploads") return route(RouteKind::uploads, 2, "");
  if (part(2) == "blobs") return route(RouteKind::blob, 2, part(1));
  if (part(2) == "manifests") return route(RouteKind::manifest, 2, part(1));
  if (part(2) == "tags" && part(1) == "list") return route(RouteKind::tags, 2, "");
  return {};
}

// What a request needs; an upload's status belongs to the push.
std::string needed_action(const HttpRequest& request, RouteKind kind) {
  const bool reads = request.method == "GET" || request.method == "HEAD";
  return reads && kind != RouteKind::upload && kind != RouteKind::uploads ? "pull" : "push";
}

// `n` and `last` of a list, and the Link to the next page (distribution-spec, "Listing Tags").
struct ListPage {
  std::vector<std::string> entries;
  std::string link;
};
ListPage make_page(const HttpRequest& request, const std::string& path, const std::vector<std::string>& all) {
  const auto first = std::upper_bound(all.begin(), all.end(), request.param("last").value_or(""));
  const auto left = static_cast<std::int64_t>(all.end() - first);
  const std::int64_t wanted = parse_int(request.param("n").value_or("")).value_or(left);
  const std::int64_t count = std::clamp<std::int64_t>(wanted, 0, left);
  ListPage page{{first, first + count}, {}};
  if (count > 0 && count < left) {
    page.link = fmt::format("<{}?n={}&last={}>; rel=\"next\"", path, count, page.entries.back());
  }
  return page;
}

HttpReply page_reply(const ListPage& page, const json& body) {
  HttpReply reply{.content_type = "application/json", .body = body.dump()};
  if (!page.link.empty()) reply.add_header("Link", page.link);
  return reply;
}

std::vector<Scope> parse_scopes(const std::multimap<std::string, std::string>& parameters) {
  std::vector<Scope> scopes;
  const auto [begin, end] = parameters.equal_range("scope");
  std::for_each(begin, end, [&](const auto& parameter) {
    for (const std::string& text : split(parameter.second, ' ')) {
      if (auto scope = Scope::parse(text)) scopes.push_back(std::move(*scope));
    }
  });
  return scopes;
}

// From a form of the OAuth2 variant: grant_type=password&username=…&password=….
std::optional<BasicCredentials> form_credentials(const std::multimap<std::string, std::string>& form) {
  const auto value = [&form](const char* name) {
    const auto found = form.find(name);
    return found == form.end() ? std::string() : found->second;
  };
  if (value("grant_type") != "password") return std::nullopt;
  return BasicCredentials{value("username"), Secret(value("password"))};
}

}  // namespace

HttpReply RegistryRoutes::handle(HttpRequest& request) const {
  if (request.path == "/v2/token") return handle_token(request);
  if (request.path == "/v2" || request.path == "/v2/") {
    const Access access = deps_.tokens.check(request.header("authorization"), "", "", "");
    if (access != Access::granted) return challenge(access, "");
    return {.content_type = "application/json", .body = "{}"};
  }
  if (request.path == "/v2/_catalog") {
    const Access access = deps_.tokens.check(request.header("authorization"), "registry", "catalog", "*");
    if (access != Access::granted) return challenge(access, "registry:catalog:*");
    return request.method == "GET" ? list_repositories(request) : unsupported("GET");
  }
  return handle_repository(request);
}

HttpReply RegistryRoutes::handle_repository(HttpRequest& request) const {
  const Route route = parse_route(request.path);
  if (route.kind == RouteKind::none) return registry_error(404, "UNSUPPORTED", "no such path", request.path);
  if (!is_repository_name(route.name))
    return registry_error(400, "NAME_INVALID", "invalid repository name", route.name);
  const std::string action = needed_action(request, route.kind);
  const std::string authorization(request.header("authorization"));
  const Access access = deps_.tokens.check(authorization, "repository", route.name, action);
  if (access != Access::granted) {
    return challenge(access, fmt::format("repository:{}:{}", route.name, action == "push" ? "pull,push" : action));
  }
  switch (route.kind) {
    case RouteKind::manifest:
      return deps_.manifests.handle(request, route.name, route.reference);
    case RouteKind::blob:
      return deps_.blobs.handle_blob(request, route.name, route.reference);
    case RouteKind::upload:
      return deps_.blobs.handle_upload(request, route.name, route.reference);
    case RouteKind::uploads:
      return deps_.blobs.start_upload(request, route.name, [&](const std::string& from) {
        return deps_.tokens.check(authorization, "repository", from, "pull") == Access::granted;
      });
    case RouteKind::tags:
      return request.method == "GET" ? list_tags(request, route.name) : unsupported("GET");
    case RouteKind::none:
      break;
  }
  return registry_error(404, "UNSUPPORTED", "no such path", request.path);
}

HttpReply RegistryRoutes::handle_token(HttpRequest& request) const {
  std::multimap<std::string, std::string> parameters = request.query;
  std::optional<BasicCredentials> credentials = parse_basic(request.header("authorization"));
  if (request.method == "POST") {
    constexpr std::size_t k_max_form = 64 * 1024;
    parameters = parse_query(read_body(request, k_max_form).text);
    if (!credentials) credentials = form_credentials(parameters);
  } else if (request.method != "GET") {
    return unsupported("GET, POST");
  }
  const auto token = credentials ? deps_.tokens.exchange(*credentials, parse_scopes(parameters)) : std::nullopt;
  if (!token) {
    return registry_error(401, "UNAUTHORIZED",
                          credentials ? "wrong or expired credentials" : "anonymous access is not allowed");
  }
  const json body = {
      {"token", token->value}, {"access_token", token->value}, {"expires_in", token->expires_in.count()}};
  return {.content_type = "application/json", .body = body.dump()};
}

HttpReply RegistryRoutes::challenge(Access access, const std::string& scope) const {
  HttpReply reply = registry_error(401, "UNAUTHORIZED", "authentication required", scope);
  std::string value = fmt::format("Bearer realm=\"http://{}/v2/token\",service=\"{}\"", deps_.authority(), k_service);
  if (!scope.empty()) value += fmt::format(",scope=\"{}\"", scope);
  if (access == Access::invalid_token) value += ",error=\"invalid_token\"";
  if (access == Access::insufficient_scope) value += ",error=\"insufficient_scope\"";
  reply.add_header("WWW-Authenticate", std::move(value));
  return reply;
}

HttpReply RegistryRoutes::list_tags(const HttpRequest& request, const std::string& name) const {
  if (!deps_.repositories.exists(name)) return name_unknown(name);
  const ListPage page = make_page(request, fmt::format("/v2/{}/tags/list", name), deps_.repositories.tags(name));
  return page_reply(page, {{"name", name}, {"tags", page.entries}});
}

HttpReply RegistryRoutes::list_repositories(const HttpRequest& request) const {
  const ListPage page = make_page(request, "/v2/_catalog", deps_.repositories.names());
  return page_reply(page, {{"repositories", page.entries}});
}

}  // namespace tektii::sandbox
