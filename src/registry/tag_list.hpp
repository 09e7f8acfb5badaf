#pragma once

#include "registry/session.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tektii::registry {

// The tags of a repository in the registry's own order (distribution-spec "Listing Tags"), page by page; at most
// `limit` of them when it is not 0. Throws Error{failure} when there is no such repository.
std::vector<std::string> list_tags(const RegistrySession& session, std::size_t limit, const std::stop_token& stop);

// The target of rel="next" in the values of Link headers (RFC 8288); nullopt when there is none.
std::optional<std::string> next_page(const std::vector<std::string>& links);

}  // namespace tektii::registry
