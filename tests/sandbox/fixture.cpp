#include "fixture.hpp"

#include <tektii/oci/media_type.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

namespace tektii::sandbox {

using nlohmann::json;

std::string Answer::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? std::string() : found->second;
}

TestImage make_image(const std::string& layer, const std::string& os, const std::string& architecture) {
  TestImage image;
  image.layer = layer;
  image.config = json{{"os", os},
                      {"architecture", architecture},
                      {"rootfs", {{"type", "layers"}, {"diff_ids", {digest_of(layer)}}}}}
                     .dump();
  image.manifest =
      json{{"schemaVersion", 2},
           {"mediaType", oci::k_media_manifest},
           {"config",
            {{"mediaType", oci::k_media_config}, {"digest", digest_of(image.config)}, {"size", image.config.size()}}},
           {"layers", {{{"mediaType", oci::k_media_layer}, {"digest", digest_of(layer)}, {"size", layer.size()}}}}}
          .dump();
  image.manifest_digest = digest_of(image.manifest);
  return image;
}

TestClient::TestClient(const std::string& url, httplib::Headers headers)
    : client_(std::make_unique<httplib::Client>(url)), headers_(std::move(headers)) {
  client_->set_keep_alive(true);
  client_->set_url_encode(false);
}

Answer TestClient::get(const std::string& path, const httplib::Headers& headers) {
  return send("GET", path, {}, headers);
}

Answer TestClient::head(const std::string& path) {
  return send("HEAD", path);
}

Answer TestClient::post(const std::string& path, const json& body) {
  return send("POST", path, body.dump(), {}, "application/json");
}

Answer TestClient::send(const std::string& method, const std::string& path, const std::string& body,
                        const httplib::Headers& headers, const std::string& type) {
  httplib::Request request;
  request.method = method;
  request.path = path;
  request.headers = headers_;
  for (const auto& header : headers) request.headers.insert(header);
  request.body = body;
  if (!body.empty()) request.headers.emplace("Content-Type", type);
  const httplib::Result result = client_->send(request);
  if (!result) return {};
  return {result->status, result->headers, result->body};
}

std::string SandboxTest::bearer(const std::string& user, const std::string& password, const std::string& scope) const {
  TestClient client(sandbox_->url(), {{"Authorization", "Basic " + base64_encode(user + ":" + password)}});
  const Answer answer = client.get("/v2/token?service=tektii-sandbox&scope=" + scope);
  EXPECT_EQ(answer.status, 200) << answer.body;
  return answer.status == 200 ? answer.json().at("token").get<std::string>() : std::string();
}

TestClient SandboxTest::registry(const std::string& repository, const std::string& actions) const {
  const std::string token = bearer("tektii", sandbox_->api_key(), fmt::format("repository:{}:{}", repository, actions));
  return TestClient(sandbox_->url(), {{"Authorization", "Bearer " + token}});
}

std::string SandboxTest::create_strategy(const std::string& name) const {
  const Answer answer = api().post("/v1/strategies", {{"name", name}});
  EXPECT_EQ(answer.status, 201) << answer.body;
  return answer.json().at("id");
}

json SandboxTest::create_version(const std::string& strategy) const {
  const Answer answer = api().post("/v1/strategies/" + strategy + "/versions", {{"gitSha", "abc1234"}});
  EXPECT_EQ(answer.status, 201) << answer.body;
  return answer.json();
}

Answer SandboxTest::push(const std::string& repository, const std::string& tag, const TestImage& image) const {
  TestClient client = registry(repository);
  for (const std::string& blob : {image.layer, image.config}) {
    const Answer answer =
        client.send("POST", fmt::format("/v2/{}/blobs/uploads/?digest={}", repository, digest_of(blob)), blob);
    EXPECT_EQ(answer.status, 201) << answer.body;
  }
  return client.send("PUT", fmt::format("/v2/{}/manifests/{}", repository, tag), image.manifest, {},
                     std::string(oci::k_media_manifest));
}

std::string SandboxTest::ready_version(const std::string& strategy) const {
  const std::string version = create_version(strategy).at("versionId");
  EXPECT_EQ(push(strategy + "/image", version, make_image("layer of " + version)).status, 201);
  return version;
}

}  // namespace tektii::sandbox
