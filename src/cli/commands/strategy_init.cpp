#include "cli/commands/strategy_init.hpp"

#include "cli/exit_code.hpp"
#include "cli/strategy_templates.hpp"
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>
#include <tektii/util/text.hpp>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <vector>

namespace tektii::cli {

namespace {

namespace fs = std::filesystem;

std::vector<std::string> template_names() {
  std::vector<std::string> names;
  for (const StrategyTemplate& one : strategy_templates()) names.push_back(one.name);
  return names;
}

const StrategyTemplate& find_template(const std::string& name) {
  for (const StrategyTemplate& one : strategy_templates()) {
    if (one.name == name) return one;
  }
  Error error(ErrorKind::usage, fmt::format("there is no template \"{}\"", escape_control(name)));
  if (const auto meant = closest_match(name, template_names())) error.add_hint(fmt::format("did you mean {}?", *meant));
  throw error.add_hint("there are " + join(template_names(), ", "));
}

void check_target(const fs::path& directory, bool force) {
  std::error_code ignored;
  const fs::file_status status = fs::status(directory, ignored);
  if (!fs::exists(status)) return;
  if (!fs::is_directory(status)) {
    throw Error(ErrorKind::usage, fmt::format("{} is not a directory", directory.string()));
  }
  if (force || fs::is_empty(directory, ignored)) return;
  throw Error(ErrorKind::usage, fmt::format("the directory {} is not empty", directory.string()))
      .add_hint("--force writes over the files of the template's names and leaves the others");
}

int list_templates(CommandContext& context) {
  context.terminal.info("Templates (tektii strategy init TEMPLATE):");
  for (const std::string& name : template_names()) context.terminal.result(name + "\n");
  return k_exit_ok;
}

}  // namespace

const std::string& common_template_file(const std::string& name) {
  for (const TemplateFile& file : strategy_templates().front().files) {
    if (file.name == name) return file.content;
  }
  throw Error(ErrorKind::failure, "this program lacks the template file " + name);
}

void setup_strategy_init(CLI::App& strategy, CommandContext& context) {
  CLI::App* init = strategy.add_subcommand("init", "Write a working strategy to begin with (no API key is needed)");
  auto options = std::make_shared<StrategyInitOptions>();
  init->add_option("TEMPLATE", options->template_name, "Name of a template [without one they are listed]");
  init->add_option("DIR", options->directory, "Directory to write to [default: ./TEMPLATE]");
  init->add_flag("--force", options->force, "Write into a directory that is not empty");
  context.on_selected(*init, [options, &context] { return run_strategy_init(*options, context); });
}

void setup_scenario_init(CLI::App& scenario, CommandContext& context) {
  CLI::App* init = scenario.add_subcommand("init", "Write a commented configuration to begin with");
  auto options = std::make_shared<ScenarioInitOptions>();
  init->add_option("FILE", options->file, "File to write")->capture_default_str();
  init->add_flag("--force", options->force, "Write over a file that is there");
  context.on_selected(*init, [options, &context] { return run_scenario_init(*options, context); });
}

int run_strategy_init(const StrategyInitOptions& options, CommandContext& context) {
  if (options.template_name.empty()) return list_templates(context);
  const StrategyTemplate& chosen = find_template(options.template_name);
  const fs::path directory = options.directory.empty() ? fs::path(chosen.name) : fs::path(options.directory);
  check_target(directory, options.force);
  make_directories(directory);
  for (const TemplateFile& file : chosen.files) write_file_atomic(directory / file.name, file.content);
  context.terminal.success(fmt::format("Created {} from the template {}\n", directory.string(), chosen.name));
  for (const TemplateFile& file : chosen.files) context.terminal.line("  " + file.name);
  const std::string place = escape_control(directory.string());
  context.terminal.line(
      fmt::format("\n  Test it:    cd {} && python3 -m unittest\n"
                  "  Upload it:  tektii version upload STRATEGY --context {}",
                  place, place));
  return k_exit_ok;
}

int run_scenario_init(const ScenarioInitOptions& options, CommandContext& context) {
  std::error_code ignored;
  if (fs::exists(options.file, ignored) && !options.force) {
    throw Error(ErrorKind::usage, fmt::format("{} is there already", options.file))
        .add_hint("--force writes over it, and another name can be given");
  }
  write_file_atomic(options.file, common_template_file("scenario.json"));
  context.terminal.success("Created " + escape_control(options.file));
  context.terminal.line(
      fmt::format("  Run it:  tektii scenario create STRATEGY --config {} --wait", escape_control(options.file)));
  return k_exit_ok;
}

}  // namespace tektii::cli
