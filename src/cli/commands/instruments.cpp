#include "cli/commands/instruments.hpp"

#include "cli/commands/list_options.hpp"
#include "cli/exit_code.hpp"
#include "cli/table.hpp"
#include <tektii/util/text.hpp>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <memory>
#include <string>
#include <vector>

namespace tektii::cli {

void setup_instruments(CLI::App& root, CommandContext& context) {
  CLI::App* instruments = root.add_subcommand("instruments", "What can be traded in a scenario");
  instruments->require_subcommand(1);
  CLI::App* list = instruments->add_subcommand("list", "List the instruments (no API key is needed)");
  auto filter = std::make_shared<api::InstrumentFilter>();
  list->add_option("--market", filter->market, "Of this market alone, for example crypto");
  list->add_option("--status", filter->status, "Of this status alone, for example available");
  context.on_selected(*list, [filter, &context] { return run_instruments_list(*filter, context); });
}

int run_instruments_list(const api::InstrumentFilter& filter, CommandContext& context) {
  const auto answer = context.anonymous_client().list_instruments(filter, context.stop());
  std::vector<std::vector<std::string>> rows;
  for (const api::Instrument& one : answer.value.items) {
    rows.push_back({one.symbol, one.name, one.market, one.status, join(one.granularities, " ")});
  }
  context.print_result(answer.json,
                       rows.empty() ? "" : render_table({"Symbol", "Name", "Market", "Status", "Candles"}, rows));
  note_page(context, rows.empty(), "instruments", answer.value.next_cursor);
  return k_exit_ok;
}

}  // namespace tektii::cli
