#include "registry/aws/ecr_credentials.hpp"

#include "registry/aws/credential_chain.hpp"
#include <tektii/util/error.hpp>

#include <spdlog/spdlog.h>

namespace tektii::registry::aws {

namespace {

constexpr std::chrono::minutes k_try_again_after(1);

}  // namespace

std::optional<EcrCredentials::Kept> EcrCredentials::fetch(const EcrHost& host, const std::stop_token& stop) {
  const auto credentials = CredentialChain(deps_, host.region).find(stop);
  if (!credentials) return std::nullopt;
  spdlog::debug("AWS credentials are from {}", credentials->source);
  EcrToken token = get_authorization_token(deps_, host, *credentials, stop);
  const TimePoint now = deps_.clock.now();
  const TimePoint half = now + (token.expires - now) / 2;
  return Kept{std::move(token), half};
}

std::optional<Credentials> EcrCredentials::find(const std::string& registry, const std::string& /*repository*/,
                                                const std::stop_token& stop) {
  const auto host = parse_ecr_host(registry);
  if (!host) return std::nullopt;
  const std::lock_guard lock(mutex_);
  auto kept = kept_.find(registry);
  if (kept == kept_.end() || kept->second.renew_at <= deps_.clock.now()) {
    try {
      const auto fresh = fetch(*host, stop);
      if (!fresh) {
        spdlog::info("no AWS credentials were found for {}", registry);
        return std::nullopt;
      }
      kept = kept_.insert_or_assign(registry, *fresh).first;
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::interrupted) throw;
      if (kept != kept_.end() && kept->second.token.expires > deps_.clock.now()) {
        spdlog::warn("the token for {} could not be renewed and is used on: {}", registry, error.what());
        kept->second.renew_at = deps_.clock.now() + k_try_again_after;
      } else if (host->is_public) {
        spdlog::warn("{} is asked without credentials: {}", registry, error.what());
        return std::nullopt;
      } else {
        throw;
      }
    }
  }
  const Kept& known = kept->second;
  return Credentials{known.token.username, known.token.password, {}, {}, known.renew_at};
}

}  // namespace tektii::registry::aws
