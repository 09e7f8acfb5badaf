#pragma once

#include <tektii/net/http.hpp>
#include <tektii/registry/credentials.hpp>
#include <tektii/util/clock.hpp>

#include <memory>
#include <stop_token>
#include <string>

namespace tektii::registry {

struct CloudDeps {
  net::HttpTransport& transport;
  Clock& clock;
  EnvLookup env = process_environment;
};

// What make_config_credentials finds; where that is nothing, and the registry is one of Amazon ECR, Google Artifact
// Registry or Google Container Registry, a token bought with the cloud credentials of the environment
// (docs/registry-auth.md). Tokens stay in memory.
std::unique_ptr<CredentialSource> make_default_credentials(ConfigOptions options, CloudDeps deps);

// True for the hosts of Amazon ECR and for public.ecr.aws.
bool is_ecr_registry(const std::string& registry);

enum class RepositoryCreation { created, existed, not_allowed };

// Creates the repository in Amazon ECR. Not allowed is a value: the repository may be there, and the push tells. Throws
// Error{denied} without AWS credentials and Error{usage} for any other registry.
RepositoryCreation create_repository(const CloudDeps& deps, const std::string& registry, const std::string& repository,
                                     const std::stop_token& stop);

}  // namespace tektii::registry
