#pragma once

#include "registry/aws/ecr.hpp"

#include <map>
#include <mutex>

namespace tektii::registry::aws {

// Tokens for registries of Amazon ECR, kept in memory until half their life is over; one that is older is used on while
// a new one can't be had. Thread-safe.
class EcrCredentials : public CredentialSource {
 public:
  explicit EcrCredentials(CloudDeps deps) : deps_(std::move(deps)) {}

  // nullopt for other registries and where there are no AWS credentials. For public.ecr.aws, which anybody may pull
  // from, also where they are of no use.
  std::optional<Credentials> find(const std::string& registry, const std::string& repository,
                                  const std::stop_token& stop) override;

 private:
  struct Kept {
    EcrToken token;
    TimePoint renew_at;
  };

  std::optional<Kept> fetch(const EcrHost& host, const std::stop_token& stop);

  CloudDeps deps_;
  std::mutex mutex_;  // held while a token is fetched: all that ask meanwhile want the same one
  std::map<std::string, Kept> kept_;
};

}  // namespace tektii::registry::aws
