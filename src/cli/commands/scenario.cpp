#include "cli/commands/scenario.hpp"

#include "cli/commands/scenario_results.hpp"
#include "cli/commands/strategy_init.hpp"
#include "cli/exit_code.hpp"
#include "cli/scenario_view.hpp"
#include "cli/scenario_wait.hpp"
#include "cli/table.hpp"
#include <tektii/api/scenario_config.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/text.hpp>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

namespace tektii::cli {

namespace {

constexpr std::size_t k_config_limit = 1U << 20;

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

// An instrument that the platform does not have makes the run fail later; where the list can't be had, that is not a
// reason to stop.
void check_instruments(const api::ScenarioConfig& config, CommandContext& context) {
  std::vector<api::Instrument> known;
  try {
    known = context.anonymous_client().list_instruments({}, context.stop()).value.items;
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::interrupted) throw;
    spdlog::info("the instruments are not checked: {}", escape_control(error.what()));
    return;
  }
  if (known.empty()) return;
  std::vector<std::string> symbols;
  for (const api::Instrument& one : known) symbols.push_back(one.symbol);
  std::vector<std::string> faults;
  for (std::size_t i = 0; i < config.instruments().size(); ++i) {
    const std::string& wanted = config.instruments()[i];
    const auto found = std::find(symbols.begin(), symbols.end(), wanted);
    const std::string place = fmt::format("subscriptions[{}].instrument: \"{}\"", i, escape_control(wanted));
    if (found == symbols.end()) {
      const auto meant = closest_match(wanted, symbols);
      faults.push_back(place + " is not an instrument of the platform" +
                       (meant ? fmt::format(" (did you mean \"{}\"?)", *meant) : ""));
    } else if (!known[static_cast<std::size_t>(found - symbols.begin())].available()) {
      faults.push_back(place + " is not available at present");
    }
  }
  if (faults.empty()) return;
  throw Error(ErrorKind::usage, fmt::format("{} fault{} in the scenario configuration\n  {}", faults.size(),
                                            faults.size() == 1 ? "" : "s", join(faults, "\n  ")))
      .add_hint("nothing was sent; `tektii instruments list` shows what there is");
}

}  // namespace

void setup_scenario(CLI::App& root, CommandContext& context) {
  CLI::App* scenario = root.add_subcommand("scenario", "Run a version of a strategy over market data");
  scenario->require_subcommand(1);

  setup_scenario_init(*scenario, context);

  CLI::App* create = scenario->add_subcommand("create", "Check a configuration, create the scenario and start it");
  auto create_options = std::make_shared<ScenarioCreateOptions>();
  create->add_option("STRATEGY", create_options->strategy, "Id of the strategy")->required();
  create->add_option("--config", create_options->config, "JSON file with the configuration")->required();
  create->add_option("--set", create_options->overrides, "Put a value in place of the file's, PATH=VALUE (repeatable)")
      ->type_name("PATH=VALUE")
      ->allow_extra_args(false);
  CLI::Option* wait_flag = create->add_flag("--wait", create_options->wait, "End when the run has ended");
  add_gate_options(*create, create_options->fail_if)->needs(wait_flag);
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

  CLI::App* wait = scenario->add_subcommand("wait", "Wait until a run has ended");
  auto wait_options = std::make_shared<ScenarioWaitOptions>();
  wait->add_option("STRATEGY", wait_options->strategy, "Id of the strategy")->required();
  wait->add_option("SCENARIO", wait_options->scenario, "Id of the scenario")->required();
  add_gate_options(*wait, wait_options->fail_if);
  context.on_selected(*wait, [wait_options, &context] { return run_scenario_wait(*wait_options, context); });

  CLI::App* cancel = scenario->add_subcommand("cancel", "End a run before its time");
  auto cancel_options = std::make_shared<ScenarioGetOptions>();
  cancel->add_option("STRATEGY", cancel_options->strategy, "Id of the strategy")->required();
  cancel->add_option("SCENARIO", cancel_options->scenario, "Id of the scenario")->required();
  context.on_selected(*cancel, [cancel_options, &context] { return run_scenario_cancel(*cancel_options, context); });

  setup_scenario_results(*scenario, context);
}

int run_scenario_create(const ScenarioCreateOptions& options, CommandContext& context) {
  check_readable(options.config);
  std::vector<api::ConfigOverride> overrides;
  for (const std::string& text : options.overrides) overrides.push_back(api::parse_override(text));
  const std::vector<MetricGate> gates = parse_gates(options.fail_if);
  const auto config = api::ScenarioConfig::parse(read_file(options.config, k_config_limit), options.config, overrides);
  api::Client client = context.api_client();
  check_instruments(config, context);
  ScenarioAnswer answer = client.create_scenario(options.strategy, config, context.stop());
  context.terminal.success("Scenario created successfully!\n");
  if (options.wait) answer = wait_for_end(std::move(answer), options.strategy, client, context);
  context.print_result(answer.json, scenario_record(answer.value));
  return options.wait ? conclude(answer.value, gates, context) : k_exit_ok;
}

int run_scenario_wait(const ScenarioWaitOptions& options, CommandContext& context) {
  const std::vector<MetricGate> gates = parse_gates(options.fail_if);
  api::Client client = context.api_client();
  ScenarioAnswer answer = client.get_scenario(options.strategy, options.scenario, context.stop());
  answer = wait_for_end(std::move(answer), options.strategy, client, context);
  context.print_result(answer.json, scenario_record(answer.value));
  return conclude(answer.value, gates, context);
}

int run_scenario_cancel(const ScenarioGetOptions& options, CommandContext& context) {
  const auto answer = context.api_client().cancel_scenario(options.strategy, options.scenario, context.stop());
  context.terminal.success("Scenario cancelled\n");
  context.print_result(answer.json, scenario_record(answer.value));
  return k_exit_ok;
}

int run_scenario_list(const ScenarioListOptions& options, CommandContext& context) {
  api::Client client = context.api_client();
  const auto answer = fetch_pages(options.page, "scenarios", [&](const api::ListRequest& request) {
    return client.list_scenarios(options.strategy, request, context.stop());
  });
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
