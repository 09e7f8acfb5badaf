#include "cli/commands/list_options.hpp"

#include <tektii/util/text.hpp>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>

namespace tektii::cli {

void add_list_options(CLI::App& command, ListOptions& options) {
  command.add_option("--limit", options.request.limit, "At most this many; with --all, this many a page")
      ->check(CLI::Range(1, 1000000));
  command.add_option("--cursor", options.request.cursor, "Go on where the previous answer ended");
  command.add_flag("--all", options.all, "Every page, not only the first");
}

void note_page(CommandContext& context, bool empty, const std::string& plural, const std::string& next_cursor) {
  if (empty) context.terminal.info(fmt::format("No {} found", plural));
  if (!next_cursor.empty()) {
    context.terminal.info(fmt::format("There are more: --cursor {} (or --all)", escape_control(next_cursor)));
  }
}

}  // namespace tektii::cli
