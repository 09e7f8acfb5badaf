#include "registry/referrer_push.hpp"

#include <tektii/oci/manifest.hpp>
#include <tektii/oci/media_type.hpp>
#include <tektii/util/error.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace tektii::registry {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t k_max_index = 4 << 20;
constexpr int k_most_attempts = 5;
constexpr int k_precondition_failed = 412;

// distribution-spec, "Referrers Tag Schema": at most 32 characters of the algorithm and 64 of the digest, which is all
// of both here.
std::string fallback_tag(const oci::Digest& subject) {
  return fmt::format("{}-{}", subject.algorithm(), subject.hex());
}

}  // namespace

std::optional<std::string> with_referrer(const std::string& index, const Referrer& referrer) {
  Json json;
  if (index.empty()) {
    json["schemaVersion"] = 2;
    json["mediaType"] = oci::k_media_index;
    json["manifests"] = Json::array();
  } else {
    const auto parsed = oci::Index::parse(index);
    const auto is_same = [&](const auto& entry) { return entry.digest == referrer.manifest.digest; };
    if (std::any_of(parsed.manifests.begin(), parsed.manifests.end(), is_same)) return std::nullopt;
    json = Json::parse(index);
  }
  Json entry;
  entry["mediaType"] = referrer.manifest.media_type;
  entry["digest"] = referrer.manifest.digest.str();
  entry["size"] = referrer.manifest.size;
  if (!referrer.annotations.empty()) entry["annotations"] = referrer.annotations;
  entry["artifactType"] = referrer.artifact_type;
  json["manifests"].push_back(std::move(entry));
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void ReferrerPush::push(const Referrer& referrer, const std::stop_token& stop) const {
  in_phase(fmt::format("push of the referrer {} to {}", referrer.manifest.digest.str(), session_.name()), [&] {
    const auto response = put(referrer.manifest.digest.str(), referrer.manifest.media_type, referrer.bytes, {}, stop);
    if (response.status < 200 || response.status >= 300) session_.fail(response);
    if (response.header("OCI-Subject") == referrer.subject.str()) return;
    add_to_list(referrer, stop);
  });
}

net::HttpResponse ReferrerPush::put(const std::string& reference, std::string_view media_type, const std::string& bytes,
                                    const std::vector<net::Header>& conditions, const std::stop_token& stop) const {
  RegistryRequest request;
  request.method = "PUT";
  request.url = session_.url("/manifests/" + reference);
  request.headers = conditions;
  request.headers.push_back({"Content-Type", std::string(media_type)});
  request.body = [&bytes] { return std::make_unique<StringSource>(bytes); };
  request.body_size = bytes.size();
  request.scopes = push_scope(session_.repository());
  return session_.send(request, stop);
}

ReferrerPush::Listed ReferrerPush::read_list(const std::string& tag, const std::stop_token& stop) const {
  RegistryRequest request;
  request.url = session_.url("/manifests/" + tag);
  request.headers = {{"Accept", std::string(oci::k_media_index)}};
  request.document_limit = k_max_index;
  request.scopes = push_scope(session_.repository());
  auto response = session_.send(request, stop);
  if (response.status == 404) return {};
  if (response.status != 200) session_.fail(response);
  return {std::move(response.body), response.header("ETag")};
}

// Two clients may do this at once: where the registry gives an ETag, the one that comes late begins anew.
void ReferrerPush::add_to_list(const Referrer& referrer, const std::stop_token& stop) const {
  const auto tag = fallback_tag(referrer.subject);
  for (int attempt = 1;; ++attempt) {
    const auto listed = read_list(tag, stop);
    const auto updated = with_referrer(listed.text, referrer);
    if (!updated) return;
    std::vector<net::Header> conditions;
    if (listed.etag) conditions.push_back({"If-Match", *listed.etag});
    const auto response = put(tag, oci::k_media_index, *updated, conditions, stop);
    if (response.status >= 200 && response.status < 300) return;
    if (response.status != k_precondition_failed || attempt == k_most_attempts) session_.fail(response);
  }
}

}  // namespace tektii::registry
