#pragma once

#include "sandbox/httplib.hpp"
#include <tektii/oci/digest.hpp>
#include <tektii/sandbox/sandbox.hpp>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

namespace tektii::sandbox {

struct Answer {
  int status = 0;  // 0: no answer
  httplib::Headers headers;
  std::string body;

  nlohmann::json json() const { return nlohmann::json::parse(body); }
  std::string header(const std::string& name) const;
};

// What goes into a manifest of a one-layer image.
struct TestImage {
  std::string layer;
  std::string config;
  std::string manifest;
  std::string manifest_digest;
};
TestImage make_image(const std::string& layer, const std::string& os = "linux",
                     const std::string& architecture = "amd64");

inline std::string digest_of(const std::string& bytes) {
  return oci::Digest::of_bytes(bytes).str();
}

// A client that keeps one connection; every request is sent as given, with the headers of the client.
class TestClient {
 public:
  explicit TestClient(const std::string& url, httplib::Headers headers = {});

  Answer get(const std::string& path, const httplib::Headers& headers = {});
  Answer head(const std::string& path);
  Answer post(const std::string& path, const nlohmann::json& body);
  Answer send(const std::string& method, const std::string& path, const std::string& body = {},
              const httplib::Headers& headers = {}, const std::string& type = "application/octet-stream");

 private:
  std::unique_ptr<httplib::Client> client_;
  httplib::Headers headers_;
};

class SandboxTest : public ::testing::Test {
 protected:
  SandboxTest() { start({}); }

  void start(const SandboxOptions& options) {
    sandbox_.reset();
    sandbox_ = std::make_unique<Sandbox>(options);
  }

  std::string authority() const { return sandbox_->url().substr(std::string("http://").size()); }

  // With the API key.
  TestClient api() const { return TestClient(sandbox_->url(), {{"X-API-Key", sandbox_->api_key()}}); }
  // With a bearer token for the repository.
  TestClient registry(const std::string& repository, const std::string& actions = "pull,push") const;
  // From /v2/token with Basic credentials.
  std::string bearer(const std::string& user, const std::string& password, const std::string& scope) const;

  std::string create_strategy(const std::string& name = "momentum") const;
  nlohmann::json create_version(const std::string& strategy) const;
  // Pushes the image and returns the answer to the manifest.
  Answer push(const std::string& repository, const std::string& tag, const TestImage& image) const;
  // A version with an image: its id.
  std::string ready_version(const std::string& strategy) const;

  std::unique_ptr<Sandbox> sandbox_;
};

}  // namespace tektii::sandbox
