#include "registry/tag_list.hpp"

#include "registry/error_report.hpp"
#include <tektii/util/text.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>

namespace tektii::registry {

namespace {

// What Amazon ECR takes at most; others give as many as they like.
constexpr std::size_t k_page_size = 1000;
constexpr std::size_t k_max_page_bytes = 8 << 20;
constexpr std::size_t k_max_tags = 1'000'000;

std::vector<std::string> parse_page(const std::string& body) {
  const auto document = nlohmann::json::parse(body, nullptr, false);
  const auto fail = [] {
    throw Error(ErrorKind::network, "the registry's list of tags is not what the protocol says");
  };
  if (!document.is_object() || !document.contains("tags")) fail();
  const auto& tags = document["tags"];
  std::vector<std::string> page;
  if (tags.is_null()) return page;  // Go's way to write a list without elements
  if (!tags.is_array()) fail();
  for (const auto& tag : tags) {
    if (!tag.is_string()) fail();
    page.push_back(tag.get<std::string>());
  }
  return page;
}

bool is_next(std::string_view parameters) {
  for (const auto& parameter : split(parameters, ';')) {
    const std::string text = to_lower(trim(parameter));
    if (text == "rel=next" || text == "rel=\"next\"") return true;
  }
  return false;
}

}  // namespace

std::optional<std::string> next_page(const std::vector<std::string>& links) {
  for (std::string_view rest : links) {
    // Commas may stand inside the target, so a link ends where the next "<" begins.
    while (true) {
      const auto begin = rest.find('<');
      const auto end = rest.find('>', begin == std::string_view::npos ? begin : begin + 1);
      if (begin == std::string_view::npos || end == std::string_view::npos) break;
      const auto target = rest.substr(begin + 1, end - begin - 1);
      rest.remove_prefix(end + 1);
      auto parameters = trim(rest.substr(0, rest.find('<')));
      if (parameters.ends_with(',')) parameters.remove_suffix(1);
      if (is_next(parameters)) return std::string(target);
    }
  }
  return std::nullopt;
}

std::vector<std::string> list_tags(const RegistrySession& session, std::size_t limit, const std::stop_token& stop) {
  return in_phase("list the tags of " + session.name(), [&] {
    const auto page_size = limit == 0 ? k_page_size : std::min(limit, k_page_size);
    std::vector<std::string> tags;
    std::set<std::string> asked;
    auto url = net::with_query(session.url("/tags/list"), "n", std::to_string(page_size));
    while (asked.insert(url.str()).second) {
      RegistryRequest request;
      request.url = url;
      request.document_limit = k_max_page_bytes;
      request.scopes = pull_scope(session.repository());
      const auto response = session.send(request, stop);
      if (response.status == 404) {
        throw Error(ErrorKind::not_found, fmt::format("repository {} not found", session.name()));
      }
      if (response.status != 200) session.fail(response);
      auto page = parse_page(response.body);
      std::move(page.begin(), page.end(), std::back_inserter(tags));
      if (limit != 0 && tags.size() >= limit) {
        tags.resize(limit);
        return tags;
      }
      if (tags.size() > k_max_tags) {
        throw Error(ErrorKind::failure, fmt::format("there are more than {} tags", k_max_tags))
            .add_hint("--limit takes the first of them");
      }
      const auto next = next_page(response.all_headers("Link"));
      if (!next) return tags;
      url = net::resolve_url(url, *next);
      url.fragment.clear();
      // The next page is the registry's own; nobody else needs to know what is asked for.
      if (url.origin() != session.endpoint().base.origin()) check_handed_out_url(session.endpoint(), url, "next page");
    }
    throw Error(ErrorKind::network, "the registry's pages of tags lead back to one that was read already");
  });
}

}  // namespace tektii::registry
