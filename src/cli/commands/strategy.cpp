#include "cli/commands/strategy.hpp"

#include "cli/commands/strategy_init.hpp"
#include "cli/exit_code.hpp"
#include "cli/table.hpp"
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <memory>
#include <vector>

namespace tektii::cli {

namespace {

std::string record_of(const api::Strategy& strategy) {
  return render_record({{"Strategy ID", strategy.id},
                        {"Name", strategy.name},
                        {"Owner ID", strategy.owner_id},
                        {"Created By", strategy.created_by},
                        {"Created At", strategy.created_at},
                        {"Updated At", strategy.updated_at}});
}

}  // namespace

void setup_strategy(CLI::App& root, CommandContext& context) {
  CLI::App* strategy = root.add_subcommand("strategy", "Create and list strategies");
  strategy->require_subcommand(1);

  setup_strategy_init(*strategy, context);

  CLI::App* create = strategy->add_subcommand("create", "Create a strategy");
  auto create_options = std::make_shared<StrategyCreateOptions>();
  create->add_option("--name", create_options->name, "Name of the strategy")->required();
  context.on_selected(*create, [create_options, &context] { return run_strategy_create(*create_options, context); });

  CLI::App* list = strategy->add_subcommand("list", "List your strategies");
  auto list_options = std::make_shared<StrategyListOptions>();
  add_list_options(*list, list_options->page);
  context.on_selected(*list, [list_options, &context] { return run_strategy_list(*list_options, context); });

  CLI::App* get = strategy->add_subcommand("get", "Show one strategy");
  auto get_options = std::make_shared<StrategyGetOptions>();
  get->add_option("STRATEGY", get_options->id, "Id of the strategy")->required();
  context.on_selected(*get, [get_options, &context] { return run_strategy_get(*get_options, context); });
}

int run_strategy_create(const StrategyCreateOptions& options, CommandContext& context) {
  if (trim(options.name).empty()) throw Error(ErrorKind::usage, "--name is empty");
  const auto answer = context.api_client().create_strategy(options.name, context.stop());
  context.terminal.success("Strategy created successfully!\n");
  context.print_result(answer.json, record_of(answer.value));
  return k_exit_ok;
}

int run_strategy_list(const StrategyListOptions& options, CommandContext& context) {
  api::Client client = context.api_client();
  const auto answer = fetch_pages(options.page, "strategies", [&](const api::ListRequest& request) {
    return client.list_strategies(request, context.stop());
  });
  std::vector<std::vector<std::string>> rows;
  for (const api::Strategy& one : answer.value.items) rows.push_back({one.id, one.name, short_time(one.created_at)});
  context.print_result(answer.json, rows.empty() ? "" : render_table({"ID", "Name", "Created"}, rows));
  note_page(context, rows.empty(), "strategies", answer.value.next_cursor);
  return k_exit_ok;
}

int run_strategy_get(const StrategyGetOptions& options, CommandContext& context) {
  const auto answer = context.api_client().get_strategy(options.id, context.stop());
  context.print_result(answer.json, record_of(answer.value));
  return k_exit_ok;
}

}  // namespace tektii::cli
