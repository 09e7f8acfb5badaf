#pragma once

#include "registry/session.hpp"
#include <tektii/oci/reference.hpp>
#include <tektii/registry/client.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace tektii::registry {

// Pushes manifests with a subject into one repository.
class ReferrerPush {
 public:
  ReferrerPush(ClientState& state, const oci::ImageReference& repository)
      : session_(state, repository.registry, repository.repository) {}

  void push(const Referrer& referrer, const std::stop_token& stop) const;

 private:
  // What is under the fallback tag.
  struct Listed {
    std::string text;  // empty when there is nothing
    std::optional<std::string> etag;
  };
  net::HttpResponse put(const std::string& reference, std::string_view media_type, const std::string& bytes,
                        const std::vector<net::Header>& conditions, const std::stop_token& stop) const;
  Listed read_list(const std::string& tag, const std::stop_token& stop) const;
  void add_to_list(const Referrer& referrer, const std::stop_token& stop) const;

  RegistrySession session_;
};

// The index of referrers with one more; nullopt when it is there already. An empty text is no index yet. Entries that
// are there stay as they are. Throws Error{failure} for what is no image index.
std::optional<std::string> with_referrer(const std::string& index, const Referrer& referrer);

}  // namespace tektii::registry
