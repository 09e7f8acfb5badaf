#include "cli/command_line.hpp"

#include "cli/exit_code.hpp"
#include "cli/global_options.hpp"
#include "cli/render_error.hpp"
#include "cli/usage_error.hpp"
#include <tektii/util/error.hpp>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <algorithm>
#include <exception>

namespace tektii::cli {

namespace {

// Parses and leaves the chosen command in the context. Help and --version print and give an exit code at once.
std::optional<int> parse(CLI::App& app, std::vector<std::string> args, CommandContext& context) {
  if (args.empty()) {
    context.terminal.error_text(app.help());
    return k_exit_usage;
  }
  // CLI11 takes the arguments from the back.
  std::reverse(args.begin(), args.end());
  try {
    app.parse(std::move(args));
  } catch (const CLI::CallForHelp&) {
    // Goes on to the command that was chosen, with the names on the way to it.
    context.terminal.result(app.help());
    return k_exit_ok;
  } catch (const CLI::CallForVersion& version) {
    context.terminal.result(std::string(version.what()) + "\n");
    return k_exit_ok;
  } catch (const CLI::ParseError& error) {
    throw usage_error(app, error);
  }
  return std::nullopt;
}

}  // namespace

int run_command_line(const std::vector<std::string>& args, CommandContext& context, const CommandSetup& make_commands) {
  try {
    CLI::App app("Builds container images without Docker and runs strategies on the Tektii platform.", "tektii");
    setup_global_options(app, context.globals);
    make_commands(app, context);
    if (const auto exit_code = parse(app, args, context)) return *exit_code;
    apply_global_options(context);
    return context.run_selected();
  } catch (const Error& error) {
    context.terminal.error_text(render_error(error, context.terminal));
    return error.kind() == ErrorKind::interrupted ? context.interrupted_exit_code() : exit_code_of(error.kind());
  } catch (const std::exception& error) {
    context.terminal.error_text(render_unexpected(error.what(), context.terminal));
    return k_exit_failure;
  }
}

}  // namespace tektii::cli
