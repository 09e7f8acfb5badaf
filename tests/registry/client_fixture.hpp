#pragma once

#include "support/fake_clock.hpp"
#include "support/fake_registry.hpp"
#include <tektii/net/http.hpp>
#include <tektii/oci/image.hpp>
#include <tektii/oci/media_type.hpp>
#include <tektii/registry/client.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace tektii::registry {

struct SampleImage {
  oci::SealedImage sealed;
  std::map<std::string, std::string> blobs;  // digest to content: config and layers
};

// A valid image of one layer per content (uncompressed, the client does not look inside).
inline SampleImage make_sample_image(const std::vector<std::string>& layer_contents,
                                     const std::string& architecture = "amd64") {
  std::map<std::string, std::string> blobs;
  oci::ImageConfig config;
  config.platform.architecture = architecture;
  std::vector<oci::Layer> layers;
  for (const std::string& content : layer_contents) {
    const auto digest = oci::Digest::of_bytes(content);
    config.diff_ids.push_back(digest);
    config.history.push_back({});
    layers.push_back({{std::string(oci::k_media_layer), digest, content.size()}, digest});
    blobs[digest.str()] = content;
  }
  oci::SealedImage sealed = oci::seal_image(config, layers, {});
  blobs[sealed.config.digest.str()] = sealed.config_bytes;
  return {std::move(sealed), std::move(blobs)};
}

// Credentials that a test sets, and how often they were asked for.
class TestCredentials : public CredentialSource {
 public:
  std::optional<Credentials> find(const std::string& /*registry*/, const std::string& /*repository*/,
                                  const std::stop_token& /*stop*/) override {
    ++asked;
    return value;
  }
  std::optional<Credentials> value;
  int asked = 0;
};

class ClientTest : public ::testing::Test {
 protected:
  using Registry = tektii::testing::FakeRegistry;

  void start(Registry::Options options = {}) {
    server = std::make_unique<Registry>(std::move(options));
    client = std::make_unique<RegistryClient>(RegistryDeps{*transport, credentials, &clock, {}});
  }

  oci::ImageReference reference(const std::string& name) const {
    return oci::ImageReference::parse(server->name() + "/" + name);
  }

  static oci::BlobUpload upload_of(const std::string& content, std::optional<oci::BlobOrigin> origin = std::nullopt) {
    return {{std::string(oci::k_media_layer), oci::Digest::of_bytes(content), content.size()},
            [content] { return std::make_unique<StringSource>(content); },
            std::move(origin)};
  }

  // As the builder does it: blobs, then the manifest.
  void push(const SampleImage& image, const std::string& name) {
    const auto target = client->target(reference(name));
    for (const oci::Layer& layer : image.sealed.layers) {
      target->put_blob(upload_of(image.blobs.at(layer.blob.digest.str()), layer.origin), {});
    }
    target->put_blob(upload_of(image.sealed.config_bytes), {});
    target->put_manifest(image.sealed.manifest, image.sealed.manifest_bytes, {});
  }

  void publish(const SampleImage& image, const std::string& repository, const std::string& tag) {
    for (const auto& [digest, content] : image.blobs) server->add_blob(repository, content);
    server->add_manifest(repository, tag, image.sealed.manifest.media_type, image.sealed.manifest_bytes);
  }

  // The Error that `call` ends with.
  template <typename Call>
  static Error error_of(Call&& call) {
    try {
      call();
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "no Error";
    return Error(ErrorKind::failure, "none");
  }

  std::vector<std::string> lines() const { return server->server().lines(); }
  int count(std::string_view method, std::string_view path = "") const { return server->server().count(method, path); }

  tektii::testing::FakeClock clock;
  TestCredentials credentials;
  std::unique_ptr<net::HttpTransport> transport = net::make_curl_transport("tektii-test/1");
  std::unique_ptr<Registry> server;
  std::unique_ptr<RegistryClient> client;
};

}  // namespace tektii::registry
