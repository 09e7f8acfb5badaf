#include "registry/referrer_push.hpp"
#include "registry/registry_artifact.hpp"
#include "registry/registry_image.hpp"
#include "registry/registry_target.hpp"
#include <tektii/registry/client.hpp>

namespace tektii::registry {

struct RegistryClient::Impl {
  explicit Impl(const RegistryDeps& deps)
      : clock(deps.clock != nullptr ? *deps.clock : system_clock),
        state{deps.transport, clock, deps.retry, {{deps.transport, clock, deps.retry}, deps.credentials}, {}, {}, {},
              deps.documents} {}

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

std::unique_ptr<oci::ImageTarget> RegistryClient::target(const oci::ImageReference& reference) {
  return std::make_unique<RegistryTarget>(impl_->state, reference);
}

bool RegistryClient::stream_blob(const oci::ImageReference& reference, oci::GrowingBlob& blob,
                                 const std::stop_token& stop) {
  return RegistryTarget(impl_->state, reference).stream_blob(blob, stop);
}

void RegistryClient::push_referrer(const oci::ImageReference& repository, const Referrer& referrer,
                                   const std::stop_token& stop) {
  ReferrerPush(impl_->state, repository).push(referrer, stop);
}

void RegistryClient::check_push_access(const oci::ImageReference& reference, std::stop_token stop) {
  RegistryTarget(impl_->state, reference).check_access(stop);
}

}  // namespace tektii::registry
