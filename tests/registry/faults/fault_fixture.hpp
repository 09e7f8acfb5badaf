#pragma once

#include "registry/client_fixture.hpp"
#include "support/fault_server.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tektii::registry {

using tektii::testing::Drip;
using tektii::testing::Fault;
using tektii::testing::FaultRequest;
using tektii::testing::FaultServer;
using tektii::testing::Match;
using tektii::testing::RegistryStore;

// The tests are named after the rows of the table of faults: FaultTable.RowNN_Name. Time is a fake clock, so that
// pauses between attempts take none.
class FaultTable : public ::testing::Test {
 protected:
  void SetUp() override { start(); }

  void start(RegistryStore::Options options = {}) {
    client.reset();
    server = std::make_unique<FaultServer>(std::move(options));
    client = std::make_unique<RegistryClient>(deps());
  }
  // With credentials, which must not get anywhere else.
  void start_with_login() {
    credentials.value = Credentials{"bob", Secret("s3cret:with:colons"), {}, {}};
    RegistryStore::Options options;
    options.auth = RegistryStore::Auth::basic;
    start(options);
  }
  // With a token server, and as the user that it knows.
  void start_bearer(RegistryStore::Options options = {}) {
    options.auth = RegistryStore::Auth::bearer;
    start(std::move(options));
    credentials.value = Credentials{"bob", Secret("s3cret:with:colons"), {}, {}};
  }
  std::vector<FaultRequest> token_requests() const { return server->requests("", "/token"); }
  // Of a Bearer challenge.
  std::string realm() const { return "Bearer realm=\"" + server->url("/token") + "\""; }
  static Fault challenge(const std::string& header, int status = 401) {
    return Fault{.status = status, .headers = {{"WWW-Authenticate", header}}};
  }
  RegistryDeps deps() {
    RegistryDeps deps{*transport, credentials, &clock, {}, {}, transfer};
    deps.on_wait = [this](const WaitNotice& notice) {
      const std::lock_guard lock(mutex);
      waits.push_back(notice);
    };
    deps.on_warning = [this](const std::string&, const std::string& text) {
      const std::lock_guard lock(mutex);
      warnings.push_back(text);
    };
    return deps;
  }
  // A new client, after `transfer` was changed.
  void restart_client() { client = std::make_unique<RegistryClient>(deps()); }

  oci::ImageReference reference(const std::string& name) const {
    return oci::ImageReference::parse(server->name() + "/" + name);
  }
  static oci::Descriptor descriptor_of(const std::string& content) {
    return {std::string(oci::k_media_layer), oci::Digest::of_bytes(content), content.size()};
  }
  static oci::BlobUpload upload_of(const std::string& content, std::optional<oci::BlobOrigin> origin = std::nullopt) {
    const auto open = [content] { return std::make_unique<StringSource>(content); };
    return {descriptor_of(content), open, std::move(origin), open};
  }
  // Longer than what libcurl sends again by itself, and than what the sockets hold.
  static std::string big_content(char fill = 'c') { return std::string(9 << 20, fill); }

  void put_blob(const std::string& content, std::optional<oci::BlobOrigin> origin = std::nullopt) {
    client->target(reference("app:1"))->put_blob(upload_of(content, std::move(origin)), {});
  }
  bool arrived(const std::string& content) const {
    return server->store().blob("app", oci::Digest::of_bytes(content).str()) == content;
  }
  std::string fetch(const std::string& content) {
    StringSink sink;
    client->image(reference("app:1"))->fetch(descriptor_of(content), sink, {});
    return sink.take();
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
    for (const auto& [digest, content] : image.blobs) server->store().add_blob(repository, content);
    server->store().add_manifest(repository, tag, image.sealed.manifest.media_type, image.sealed.manifest_bytes);
  }

  static Fault error_fault(int status, const std::string& code) {
    return Fault{.status = status, .body = R"({"errors":[{"code":")" + code + R"(","message":"because"}]})"};
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

  // True when one of the hints has that text.
  static bool hints_at(const Error& error, std::string_view text) {
    return std::any_of(error.hints().begin(), error.hints().end(),
                       [&](const std::string& hint) { return hint.find(text) != std::string::npos; });
  }

  tektii::testing::FakeClock clock;
  TransferOptions transfer;
  std::mutex mutex;
  std::vector<WaitNotice> waits;
  std::vector<std::string> warnings;
  TestCredentials credentials;
  std::unique_ptr<net::HttpTransport> transport = net::make_curl_transport("tektii-test/1");
  FaultServer storage;  // another server, to which the registry may send its clients
  std::unique_ptr<FaultServer> server;
  std::unique_ptr<RegistryClient> client;
};

}  // namespace tektii::registry
