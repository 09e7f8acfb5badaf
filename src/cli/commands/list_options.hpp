#pragma once

#include "cli/context.hpp"
#include <tektii/api/client.hpp>
#include <tektii/api/types.hpp>
#include <tektii/util/error.hpp>

#include <string>
#include <utility>
#include <vector>

namespace tektii::cli {

struct ListOptions {
  api::ListRequest request;
  bool all = false;
};

// --limit, --cursor and --all, for the commands that list.
void add_list_options(CLI::App& command, ListOptions& options);

// What follows a list on standard error: that it is empty ("No strategies found"), or how to get the next page.
void note_page(CommandContext& context, bool empty, const std::string& plural, const std::string& next_cursor);

// One page, or with --all every page as if it were one. `fetch(request)` answers a page; `name` is the list's.
template <typename Fetch>
auto fetch_pages(const ListOptions& options, const std::string& name, const Fetch& fetch) {
  auto result = fetch(options.request);
  if (!options.all) return result;
  std::vector<std::string> answers = {result.json};
  api::ListRequest request = options.request;
  while (!result.value.next_cursor.empty()) {
    if (result.value.next_cursor == request.cursor) {
      throw Error(ErrorKind::network, "the platform gives the same page of " + name + " again and again");
    }
    request.cursor = result.value.next_cursor;
    auto page = fetch(request);
    for (auto& item : page.value.items) result.value.items.push_back(std::move(item));
    result.value.next_cursor = page.value.next_cursor;
    answers.push_back(std::move(page.json));
  }
  result.json = api::merge_pages(answers, name);
  return result;
}

}  // namespace tektii::cli
