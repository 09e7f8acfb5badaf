#include "registry/referrer_push.hpp"
#include "registry/registry_artifact.hpp"
#include "registry/registry_content.hpp"
#include "registry/registry_image.hpp"
#include "registry/registry_target.hpp"
#include "registry/session.hpp"
#include "registry/tag_list.hpp"
#include <tektii/registry/client.hpp>

#include <fmt/format.h>

namespace tektii::registry {

struct RegistryClient::Impl {
  explicit Impl(const RegistryDeps& deps)
      : clock(deps.clock != nullptr ? *deps.clock : system_clock), state(deps, clock) {}

  SystemClock system_clock;
  Clock& clock;
  ClientState state;
};

RegistryClient::RegistryClient(RegistryDeps deps) : impl_(std::make_unique<Impl>(deps)) {}

RegistryClient::~RegistryClient() = default;

std::unique_ptr<oci::ImageSource> RegistryClient::image(const oci::ImageReference& reference) {
  return std::make_unique<RegistryImage>(impl_->state, reference);
}

std::unique_ptr<oci::ArtifactSource> RegistryClient::artifact(const oci::ImageReference& reference) {
  return std::make_unique<RegistryArtifact>(impl_->state, reference);
}

std::unique_ptr<oci::ContentSource> RegistryClient::content(const oci::ImageReference& reference) {
  return std::make_unique<RegistryContent>(impl_->state, reference);
}

std::unique_ptr<oci::ContentTarget> RegistryClient::content_target(const oci::ImageReference& reference) {
  return std::make_unique<RegistryContentTarget>(impl_->state, reference);
}

std::vector<std::string> RegistryClient::tags(const oci::ImageReference& reference, std::size_t limit,
                                              const std::stop_token& stop) {
  return list_tags(RegistrySession(impl_->state, reference.registry, reference.repository), limit, stop);
}

std::unique_ptr<oci::ImageTarget> RegistryClient::target(const oci::ImageReference& reference) {
  return std::make_unique<RegistryTarget>(impl_->state, reference);
}

bool RegistryClient::stream_blob(const oci::ImageReference& reference, oci::GrowingBlob& blob,
                                 const std::stop_token& stop) {
  return RegistryTarget(impl_->state, reference).stream_blob(blob, stop);
}

bool RegistryClient::check_login(const std::string& registry, std::stop_token stop) {
  const RegistrySession session(impl_->state, registry, "");
  return in_phase("log in to " + registry, [&] {
    RegistryRequest request;
    request.url = session.endpoint().url("/v2/");
    const net::HttpResponse response = session.send(request, stop);
    if (response.status == 404) {
      throw Error(ErrorKind::network,
                  fmt::format("{} does not speak the registry protocol: /v2/ is not there", registry));
    }
    if (response.status != 200) session.fail(response);
    return impl_->state.authenticator.known_user(session.endpoint(), "").has_value();
  });
}

void RegistryClient::push_referrer(const oci::ImageReference& repository, const Referrer& referrer,
                                   const std::stop_token& stop) {
  ReferrerPush(impl_->state, repository).push(referrer, stop);
}

void RegistryClient::check_push_access(const oci::ImageReference& reference, std::stop_token stop) {
  RegistryTarget(impl_->state, reference).check_access(stop);
}

}  // namespace tektii::registry
