#include "cli/commands/sandbox.hpp"

#include "cli/exit_code.hpp"
#include "cli/foreground_process.hpp"
#include <tektii/sandbox/sandbox.hpp>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>

#include <condition_variable>
#include <memory>
#include <mutex>

namespace tektii::cli {

namespace {

void wait_for_stop(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock lock(mutex);
  changed.wait(lock, stop, [] { return false; });
}

}  // namespace

void setup_sandbox(CLI::App& root, CommandContext& context) {
  CLI::App* sandbox =
      root.add_subcommand("sandbox", "Run a local platform with its registry, for a command or to try out");
  auto options = std::make_shared<SandboxOptions>();
  sandbox->add_option("--data", options->data, "Keep everything in this directory [default: a temporary one]");
  sandbox->add_option("--port", options->port, "Port on 127.0.0.1 [default: any free one]");
  sandbox->add_option("COMMAND", options->command, "After --: runs with TEKTII_API_URL and TEKTII_API_KEY set");
  context.on_selected(*sandbox, [options, &context] { return run_sandbox(*options, context); });
}

int run_sandbox(const SandboxOptions& options, CommandContext& context) {
  sandbox::SandboxOptions server_options;
  if (!options.data.empty()) server_options.data = options.data;
  server_options.port = options.port;
  const sandbox::Sandbox server(server_options);
  const std::vector<std::string> environment = {"TEKTII_API_URL=" + server.url(), "TEKTII_API_KEY=" + server.api_key()};
  if (!options.command.empty()) return run_in_foreground(options.command, environment, context.terminal);

  const std::stop_token stop = context.stop();
  for (const std::string& entry : environment) context.terminal.result(fmt::format("export {}\n", entry));
  context.terminal.info("The sandbox is running; Ctrl-C ends it");
  wait_for_stop(stop);
  return k_exit_ok;
}

}  // namespace tektii::cli
