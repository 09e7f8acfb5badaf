#include "cli/commands/scenario.hpp"

#include "cli/commands/list_options.hpp"
#include "cli/exit_code.hpp"
#include "cli/scenario_view.hpp"
#include "cli/table.hpp"
#include <tektii/api/scenario_config.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/text.hpp>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

namespace tektii::cli {

namespace {

constexpr std::size_t k_config_limit = 1U << 20;
constexpr std::chrono::milliseconds k_first_poll{500};
constexpr std::chrono::milliseconds k_slowest_poll{10000};

using ScenarioAnswer = api::Answer<api::Scenario>;

// The usual mistakes with the path, before reading makes an errno of them.
void check_readable(const std::string& path) {
  const auto refuse = [](const std::string& message) {
    throw Error(ErrorKind::usage, message)
        .add_hint("use --config to name the JSON file; it is relative to the working directory");
  };
  std::error_code ignored;
  if (::access(path.c_str(), R_OK) != 0) {
    const int reason = errno;
    if (reason == ENOENT || reason == ENOTDIR) refuse("Configuration not found at " + path);
    refuse(fmt::format("can't read the configuration at {}: {}", path, std::generic_category().message(reason)));
  }
  if (std::filesystem::is_directory(path, ignored)) refuse(fmt::format("the configuration {} is a directory", path));
}

ScenarioAnswer wait_for_end(ScenarioAnswer answer, const std::string& strategy, api::Client& client,
                            CommandContext& context) {
  std::chrono::milliseconds pause = k_first_poll;
  const std::string id = answer.value.id;
  std::string seen;
  for (;;) {
    if (answer.value.state != seen) context.terminal.info("Scenario is " + escape_control(answer.value.state));
    seen = answer.value.state;
    if (answer.value.finished()) return answer;
    if (!context.clock.sleep_for(pause, context.stop())) {
      throw Error(ErrorKind::interrupted, "interrupted")
          .add_hint(fmt::format("the run goes on: `tektii scenario get {} {}` shows it", strategy, id));
    }
    pause = std::min(pause * 3 / 2, k_slowest_poll);
    answer = client.get_scenario(strategy, id, context.stop());
  }
}

}  // namespace

void setup_scenario(CLI::App& root, CommandContext& context) {
  CLI::App* scenario = root.add_subcommand("scenario", "Run a version of a strategy over market data");
  scenario->require_subcommand(1);

  CLI::App* create = scenario->add_subcommand("create", "Check a configuration, create the scenario and start it");
  auto create_options = std::make_shared<ScenarioCreateOptions>();
  create->add_option("STRATEGY", create_options->strategy, "Id of the strategy")->required();
  create->add_option("--config", create_options->config, "JSON file with the configuration")->required();
  create->add_flag("--wait", create_options->wait, "End when the run has ended");
  context.on_selected(*create, [create_options, &context] { return run_scenario_create(*create_options, context); });

  CLI::App* list = scenario->add_subcommand("list", "List the scenarios of a strategy");
  auto list_options = std::make_shared<ScenarioListOptions>();
  list->add_option("STRATEGY", list_options->strategy, "Id of the strategy")->required();
  add_list_options(*list, list_options->page);
  context.on_selected(*list, [list_options, &context] { return run_scenario_list(*list_options, context); });

  CLI::App* get = scenario->add_subcommand("get", "Show one scenario with its metrics");
  auto get_options = std::make_shared<ScenarioGetOptions>();
  get->add_option("STRATEGY", get_options->strategy, "Id of the strategy")->required();
  get->add_option("SCENARIO", get_options->scenario, "Id of the scenario")->required();
  context.on_selected(*get, [get_options, &context] { return run_scenario_get(*get_options, context); });
}

int run_scenario_create(const ScenarioCreateOptions& options, CommandContext& context) {
  check_readable(options.config);
  const auto config = api::ScenarioConfig::parse(read_file(options.config, k_config_limit), options.config);
  api::Client client = context.api_client();
  ScenarioAnswer answer = client.create_scenario(options.strategy, config, context.stop());
  context.terminal.success("Scenario created successfully!\n");
  if (options.wait) answer = wait_for_end(std::move(answer), options.strategy, client, context);
  context.print_result(answer.json, scenario_record(answer.value));
  return options.wait && answer.value.state != "COMPLETE" ? k_exit_failure : k_exit_ok;
}

int run_scenario_list(const ScenarioListOptions& options, CommandContext& context) {
  const auto answer = context.api_client().list_scenarios(options.strategy, options.page, context.stop());
  std::vector<std::vector<std::string>> rows;
  for (const api::Scenario& one : answer.value.items) {
    rows.push_back({one.id, one.state, one.strategy_version_id, short_time(one.created_at)});
  }
  context.print_result(answer.json, rows.empty() ? "" : render_table({"ID", "State", "Version", "Created"}, rows));
  note_page(context, rows.empty(), "scenarios", answer.value.next_cursor);
  return k_exit_ok;
}

int run_scenario_get(const ScenarioGetOptions& options, CommandContext& context) {
  const auto answer = context.api_client().get_scenario(options.strategy, options.scenario, context.stop());
  context.print_result(answer.json, scenario_record(answer.value));
  return k_exit_ok;
}

}  // namespace tektii::cli
