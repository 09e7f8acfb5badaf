#include <tektii/registry/credentials.hpp>

#include <utility>

namespace tektii::registry {

namespace {

class FixedCredentials : public CredentialSource {
 public:
  FixedCredentials(std::string registry, Credentials credentials, CredentialSource* next)
      : registry_(std::move(registry)), credentials_(std::move(credentials)), next_(next) {}

  std::optional<Credentials> find(const std::string& registry, const std::string& repository,
                                  const std::stop_token& stop) override {
    if (registry == registry_) return credentials_;
    return next_ == nullptr ? std::nullopt : next_->find(registry, repository, stop);
  }

 private:
  std::string registry_;
  Credentials credentials_;
  CredentialSource* next_;
};

}  // namespace

std::unique_ptr<CredentialSource> make_fixed_credentials(std::string registry, Credentials credentials,
                                                         CredentialSource* next) {
  return std::make_unique<FixedCredentials>(std::move(registry), std::move(credentials), next);
}

}  // namespace tektii::registry
