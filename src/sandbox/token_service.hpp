#pragma once

#include "sandbox/auth.hpp"
#include <tektii/util/secret.hpp>

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace tektii::sandbox {

// "repository:strat_1/image:pull,push" (the scope of the distribution token protocol).
struct Scope {
  std::string type;
  std::string name;
  std::set<std::string> actions;

  static std::optional<Scope> parse(std::string_view text);
};

struct BearerToken {
  std::string value;
  std::chrono::seconds expires_in{0};
};

enum class Access { granted, no_token, invalid_token, insufficient_scope };

// The credentials of the registry: access tokens that belong to one repository, handed out with a new version, and
// bearer tokens that credentials are exchanged for. Kept in memory: after a restart clients authenticate again.
// Thread-safe.
class TokenService {
 public:
  TokenService(Secret api_key, std::chrono::seconds lifetime);

  // The password for `oauth2accesstoken`; allows pull and push of the repository.
  std::string issue_access_token(const std::string& repository);

  // A bearer token for what the credentials allow of the requested scopes, which may be nothing; nullopt when they are
  // wrong or expired. It lives no longer than the access token that it was made from.
  std::optional<BearerToken> exchange(const BasicCredentials& credentials, const std::vector<Scope>& scopes);

  // Whether the Authorization header allows an action. An empty action asks for a valid token alone.
  Access check(std::string_view authorization, std::string_view type, std::string_view name,
               std::string_view action) const;

 private:
  using Clock = std::chrono::steady_clock;
  struct AccessToken {
    std::string repository;
    Clock::time_point expires;
  };
  struct Grant {
    std::vector<Scope> scopes;
    Clock::time_point expires;
  };

  void drop_expired();

  Secret api_key_;
  std::chrono::seconds lifetime_;
  mutable std::mutex mutex_;
  std::map<std::string, AccessToken, std::less<>> access_tokens_;
  std::map<std::string, Grant, std::less<>> grants_;
};

}  // namespace tektii::sandbox
