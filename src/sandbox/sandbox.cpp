#include "sandbox/api_reply.hpp"
#include "sandbox/api_routes.hpp"
#include "sandbox/data_directory.hpp"
#include "sandbox/http_server.hpp"
#include "sandbox/registry_routes.hpp"
#include "sandbox/template_image.hpp"
#include <tektii/sandbox/sandbox.hpp>
#include <tektii/store/store.hpp>
#include <tektii/util/secret.hpp>

#include <fmt/format.h>

namespace tektii::sandbox {

struct Sandbox::Impl {
  explicit Impl(const SandboxOptions& options)
      : data(options.data),
        api_key(load_or_create_api_key(data.path() / "api-key")),
        store(data.path() / "store"),
        repositories(data.path() / "repositories"),
        platform(data.path() / "state.json", {options.pending_time, options.running_time}),
        tokens(api_key, options.token_lifetime),
        uploads(store),
        blobs(store, repositories, uploads),
        manifests(store, repositories, platform),
        registry({blobs, manifests, repositories, tokens, [this] { return authority(); }}),
        api({platform, tokens, api_key, [this] { return authority(); },
             [this](const Version& version) { publish_template_image(version, store, repositories, manifests); }}),
        server(options.port, [this](HttpRequest& request) { return handle(request); }) {}

  HttpReply handle(HttpRequest& request) {
    if (request.path == "/v2" || request.path.starts_with("/v2/")) return registry.handle(request);
    if (request.path.starts_with("/v1/")) return api.handle(request);
    return error_reply(404, "not_found", fmt::format("no such path: {}", request.path));
  }

  std::string authority() const { return fmt::format("127.0.0.1:{}", server.port()); }

  // In order of use: the server goes first, and with it every thread that uses the rest.
  DataDirectory data;
  Secret api_key;
  store::Store store;
  RepositoryStore repositories;
  Platform platform;
  TokenService tokens;
  UploadSessions uploads;
  BlobRoutes blobs;
  ManifestRoutes manifests;
  RegistryRoutes registry;
  ApiRoutes api;
  HttpServer server;
};

Sandbox::Sandbox(const SandboxOptions& options) : impl_(std::make_unique<Impl>(options)) {}

Sandbox::~Sandbox() = default;

std::string Sandbox::url() const {
  return "http://" + impl_->authority();
}

std::string Sandbox::api_key() const {
  return impl_->api_key.reveal();
}

}  // namespace tektii::sandbox
