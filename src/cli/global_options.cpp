#include "cli/global_options.hpp"

#include "cli/version.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>

namespace tektii::cli {

namespace {

spdlog::level::level_enum level_of(const GlobalOptions& options) {
  constexpr std::array k_levels = {spdlog::level::warn, spdlog::level::info, spdlog::level::debug,
                                   spdlog::level::trace};
  if (options.quiet) return spdlog::level::err;
  return k_levels[static_cast<std::size_t>(std::clamp(options.verbosity, 0, 3))];
}

}  // namespace

void setup_global_options(CLI::App& root, GlobalOptions& options) {
  constexpr const char* k_group = "Global options (before or after the command)";
  root.set_version_flag("--version", "tektii " + std::string(product_version()), "Print the version and exit");
  root.fallthrough();
  root.require_subcommand(1);
  root.add_option("--api-url", options.api_url, "Where the platform's API is")
      ->envname("TEKTII_API_URL")
      ->capture_default_str()
      ->group(k_group);
  root.add_option("--api-key", options.api_key, "API key, 64 hex characters")
      ->envname("TEKTII_API_KEY")
      ->group(k_group);
  root.add_option("--output", options.output, "table, or the API's own JSON")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str()
      ->group(k_group);
  auto* verbose = root.add_flag("-v", options.verbosity, "Log more: -v info, -vv debug, -vvv trace")->group(k_group);
  root.add_flag("-q", options.quiet, "Print nothing but results and errors")->excludes(verbose)->group(k_group);
  root.footer(
      "Exit codes: 0 ok, 1 failure, 2 usage, 3 RUN failed, 4 denied, 5 network, 6 platform mismatch,\n"
      "7 immutable tag, 130 interrupted.");
}

void apply_global_options(CommandContext& context) {
  context.terminal.set_quiet(context.globals.quiet);
  // Standard output is for results, so the default logger, which writes there, is replaced.
  auto logger = std::make_shared<spdlog::logger>("tektii", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
  logger->set_pattern("%^%l%$: %v");
  logger->set_level(level_of(context.globals));
  spdlog::set_default_logger(logger);
}

}  // namespace tektii::cli
