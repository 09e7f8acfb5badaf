#include "registry/aws/credential_chain.hpp"
#include "registry/aws/ecr_credentials.hpp"
#include "registry/google/metadata_credentials.hpp"
#include <tektii/registry/cloud.hpp>
#include <tektii/util/error.hpp>

#include <fmt/format.h>

#include <utility>

namespace tektii::registry {

namespace {

// What the user wrote down comes first; the clouds are for those who wrote nothing.
class DefaultCredentials : public CredentialSource {
 public:
  DefaultCredentials(ConfigOptions options, const CloudDeps& deps)
      : config_(make_config_credentials(std::move(options))), ecr_(deps), google_(deps) {}

  std::optional<Credentials> find(const std::string& registry, const std::string& repository,
                                  const std::stop_token& stop) override {
    if (auto credentials = config_->find(registry, repository, stop)) return credentials;
    if (auto credentials = ecr_.find(registry, repository, stop)) return credentials;
    return google_.find(registry, repository, stop);
  }

 private:
  std::unique_ptr<CredentialSource> config_;
  aws::EcrCredentials ecr_;
  google::MetadataCredentials google_;
};

}  // namespace

std::unique_ptr<CredentialSource> make_default_credentials(ConfigOptions options, CloudDeps deps) {
  return std::make_unique<DefaultCredentials>(std::move(options), deps);
}

bool is_ecr_registry(const std::string& registry) {
  return aws::parse_ecr_host(registry).has_value();
}

RepositoryCreation create_repository(const CloudDeps& deps, const std::string& registry, const std::string& repository,
                                     const std::stop_token& stop) {
  const auto host = aws::parse_ecr_host(registry);
  if (!host) {
    throw Error(ErrorKind::usage,
                fmt::format("{} is not a registry of Amazon ECR, where repositories are created", registry));
  }
  const auto credentials = aws::CredentialChain(deps, host->region).find(stop);
  if (!credentials) {
    throw Error(ErrorKind::denied,
                fmt::format("no AWS credentials were found to create {} in {}", repository, registry))
        .add_hint("set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
  }
  // The name in ECR Public is behind the alias of the registry: public.ecr.aws/ALIAS/NAME.
  const auto slash = repository.find('/');
  const bool has_alias = host->is_public && slash != std::string::npos;
  return aws::create_repository(deps, *host, *credentials, has_alias ? repository.substr(slash + 1) : repository, stop);
}

}  // namespace tektii::registry
