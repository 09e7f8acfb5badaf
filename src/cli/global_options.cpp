#include "cli/global_options.hpp"

#include "cli/version.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tektii::cli {

namespace {

constexpr const char* k_group = "Global options (before or after the command)";

// The help of a command ends with the global options too, which stand with the root.
class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_footer(const CLI::App* app) const override {
    const std::string footer = CLI::Formatter::make_footer(app);
    const CLI::App* root = app;
    while (root->get_parent() != nullptr) root = root->get_parent();
    if (root == app) return footer;
    const auto globals = root->get_options(
        [app](const CLI::Option* option) { return option->get_group() == k_group && !is_hidden(*app, *option); });
    if (globals.empty()) return footer;
    return make_group(k_group, false, globals).substr(1) + "\n" + footer;  // the line before is empty already
  }

 private:
  // A command's own option comes before a global one of its name: --output of build.
  static bool is_hidden(const CLI::App& app, const CLI::Option& global) {
    const auto& names = global.get_lnames();
    return std::any_of(names.begin(), names.end(),
                       [&app](const std::string& name) { return app.get_option_no_throw("--" + name) != nullptr; });
  }
};

// What a message begins with: as Terminal and render_error say it.
class LabelFlag : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
    const std::string_view label = label_of(message.level);
    out.append(label.data(), label.data() + label.size());
  }
  std::unique_ptr<spdlog::custom_flag_formatter> clone() const override { return std::make_unique<LabelFlag>(); }

 private:
  static std::string_view label_of(spdlog::level::level_enum level) {
    if (level == spdlog::level::warn) return "Warning:";
    if (level == spdlog::level::info) return "info:";
    if (level == spdlog::level::debug) return "debug:";
    if (level == spdlog::level::trace) return "trace:";
    return "Error:";
  }
};

std::shared_ptr<spdlog::sinks::sink> make_sink(bool colour) {
  auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>(colour ? spdlog::color_mode::always
                                                                           : spdlog::color_mode::never);
  sink->set_color(spdlog::level::warn, "\x1b[33m");
  sink->set_color(spdlog::level::err, "\x1b[1;31m");
  auto formatter = std::make_unique<spdlog::pattern_formatter>();
  formatter->add_flag<LabelFlag>('*').set_pattern("%^%*%$ %v");
  sink->set_formatter(std::move(formatter));
  return sink;
}

spdlog::level::level_enum level_of(const GlobalOptions& options) {
  constexpr std::array k_levels = {spdlog::level::warn, spdlog::level::info, spdlog::level::debug,
                                   spdlog::level::trace};
  if (options.quiet) return spdlog::level::err;
  return k_levels[static_cast<std::size_t>(std::clamp(options.verbosity, 0, 3))];
}

}  // namespace

void setup_global_options(CLI::App& root, GlobalOptions& options) {
  root.formatter(std::make_shared<HelpFormatter>());
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
      "7 immutable tag, 8 not found, 9 rate limit, 10 content that is not what it should be, 20 to 23 how a\n"
      "scenario ended, 128 and the number of a signal: interrupted.");
}

void apply_global_options(CommandContext& context) {
  context.terminal.set_quiet(context.globals.quiet);
  // Standard output is for results, so the default logger, which writes there, is replaced.
  auto logger = std::make_shared<spdlog::logger>("tektii", make_sink(context.terminal.traits().colour));
  logger->set_level(level_of(context.globals));
  spdlog::set_default_logger(logger);
}

}  // namespace tektii::cli
