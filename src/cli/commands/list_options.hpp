#pragma once

#include "cli/context.hpp"
#include <tektii/api/types.hpp>

#include <string>

namespace tektii::cli {

// --limit and --cursor, for the commands that list.
void add_list_options(CLI::App& command, api::ListRequest& request);

// What follows a list on standard error: that it is empty ("No strategies found"), or how to get the next page.
void note_page(CommandContext& context, bool empty, const std::string& plural, const std::string& next_cursor);

}  // namespace tektii::cli
