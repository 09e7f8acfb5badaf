#include "registry/auth_places.hpp"
#include "registry/credential_helper.hpp"
#include "registry/docker_config.hpp"
#include <tektii/util/error.hpp>
#include <tektii/util/single_flight.hpp>
#include <tektii/util/text.hpp>

#include <spdlog/spdlog.h>

#include <map>
#include <mutex>
#include <set>
#include <utility>

namespace tektii::registry {

namespace {

class ConfigCredentials : public CredentialSource {
 public:
  explicit ConfigCredentials(ConfigOptions options) : options_(std::move(options)), places_(auth_places(options_)) {}

  std::optional<Credentials> find(const std::string& registry, const std::string& repository,
                                  const std::stop_token& stop) override {
    for (const AuthPlace& place : places_) {
      const auto text = read_place(place);
      if (!text) continue;
      const ConfigAnswer answer = find_in_docker_config(text->reveal(), place.name, registry, repository);
      if (answer.helper) {
        if (auto credentials = ask_helper(place, *answer.helper, stop)) return credentials;
      }
      if (answer.credentials) {
        spdlog::debug("credentials for {} are from {}", registry, escape_control(place.name));
        return answer.credentials;
      }
    }
    return std::nullopt;
  }

 private:
  // Once per helper and server, however many repositories there are.
  std::optional<Credentials> ask_helper(const AuthPlace& place, const HelperChoice& choice,
                                        const std::stop_token& stop) {
    const HelperSite site{choice.name, choice.setting, place.name, options_.helper_timeout};
    const std::string key = choice.name + "\n" + choice.server;
    const HelperAnswer answer = flights_.run(key, stop, [&] {
      {
        const std::lock_guard lock(mutex_);
        if (const auto known = answers_.find(key); known != answers_.end()) return known->second;
      }
      HelperAnswer fresh = helper_get(site, choice.server, stop);
      const std::lock_guard lock(mutex_);
      return answers_.insert_or_assign(key, std::move(fresh)).first->second;
    });
    if (!answer.missing) return answer.credentials;
    if (choice.certain) throw missing_helper_error(site, choice.server);
    // A config file that came from another machine is no reason not to pull what is public.
    const std::lock_guard lock(mutex_);
    if (warned_.insert(key).second) {
      spdlog::warn("docker-credential-{} is not in PATH, so {} in {} is not asked for {}", escape_control(choice.name),
                   choice.setting, escape_control(place.name), choice.server);
    }
    return std::nullopt;
  }

  ConfigOptions options_;
  std::vector<AuthPlace> places_;
  SingleFlight<HelperAnswer> flights_;
  std::mutex mutex_;                             // guards the two below
  std::map<std::string, HelperAnswer> answers_;  // by helper and server
  std::set<std::string> warned_;
};

}  // namespace

std::unique_ptr<CredentialSource> make_config_credentials(ConfigOptions options) {
  return std::make_unique<ConfigCredentials>(std::move(options));
}

std::unique_ptr<CredentialSource> make_docker_config_credentials(const std::filesystem::path& config_file) {
  ConfigOptions options;
  options.auth_file = config_file;
  return make_config_credentials(std::move(options));
}

}  // namespace tektii::registry
