#include "registry/google/metadata_credentials.hpp"

#include <tektii/util/error.hpp>

#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>

namespace tektii::registry::google {

namespace {

constexpr std::chrono::milliseconds k_connect_timeout(1000);
constexpr std::chrono::milliseconds k_total_timeout(5000);

}  // namespace

bool is_google_registry(const std::string& registry) {
  if (registry == "mirror.gcr.io") return false;
  return registry == "gcr.io" || registry.ends_with(".gcr.io") || registry.ends_with(".pkg.dev");
}

std::optional<Credentials> MetadataCredentials::ask(const std::stop_token& stop) {
  net::HttpRequest request;
  request.url = "http://" + deps_.env("GCE_METADATA_HOST").value_or("metadata.google.internal") +
                "/computeMetadata/v1/instance/service-accounts/default/token";
  request.headers = {{"Metadata-Flavor", "Google"}};
  request.connect_timeout = k_connect_timeout;
  request.total_timeout = k_total_timeout;
  request.direct = true;
  net::HttpResponse response;
  try {
    response = deps_.transport.send(request, nullptr, stop);
  } catch (const net::TransportError& error) {
    spdlog::debug("no Google metadata server: {}", error.what());
    return std::nullopt;
  }
  const Secret text(response.body);
  // Whoever else answers under that name, a sign-in page for instance, does not say so.
  if (response.status != 200 || response.header("Metadata-Flavor") != "Google") {
    spdlog::debug("the Google metadata server gives no token: it answered {}", response.status);
    return std::nullopt;
  }
  const auto answer = nlohmann::json::parse(text.reveal(), nullptr, false);
  if (!answer.is_object() || answer.count("access_token") == 0 || !answer["access_token"].is_string())
    return std::nullopt;
  const auto life = answer.find("expires_in");
  const std::int64_t seconds =
      life != answer.end() && life->is_number_integer() ? std::clamp<std::int64_t>(*life, 60, 86400) : 60;
  return Credentials{"oauth2accesstoken",
                     Secret(answer["access_token"].get<std::string>()),
                     {},
                     {},
                     deps_.clock.now() + std::chrono::seconds(seconds / 2)};
}

std::optional<Credentials> MetadataCredentials::find(const std::string& registry, const std::string& /*repository*/,
                                                     const std::stop_token& stop) {
  if (!is_google_registry(registry)) return std::nullopt;
  const std::lock_guard lock(mutex_);
  const bool over = known_ && known_->renew_at && *known_->renew_at <= deps_.clock.now();
  if (asked_ && !over) return known_;
  known_ = ask(stop);
  asked_ = true;
  return known_;
}

}  // namespace tektii::registry::google
