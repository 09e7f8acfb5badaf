#include "cli/usage_error.hpp"

#include <tektii/util/text.hpp>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>

#include <string>
#include <vector>

namespace tektii::cli {

namespace {

std::string full_name(const CLI::App& command) {
  const CLI::App* parent = const_cast<CLI::App&>(command).get_parent();
  return parent == nullptr ? command.get_name() : full_name(*parent) + " " + command.get_name();
}

// Options of the command and of those above it, which it falls through to.
std::vector<std::string> option_names(CLI::App& command) {
  std::vector<std::string> names;
  for (CLI::App* app = &command; app != nullptr; app = app->get_parent()) {
    for (const CLI::Option* option : app->get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
      for (const std::string& name : option->get_snames()) names.push_back("-" + name);
    }
  }
  return names;
}

std::vector<std::string> command_names(CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::App* sub : command.get_subcommands([](CLI::App*) { return true; })) names.push_back(sub->get_name());
  return names;
}

Error unknown(CLI::App& command, const std::string& word) {
  const bool option = word.size() > 1 && word.front() == '-';
  const std::vector<std::string> commands = command_names(command);
  const std::string name = option ? word.substr(0, word.find('=')) : word;
  const char* what = option ? "option" : commands.empty() ? "argument" : "command";
  Error error(ErrorKind::usage, fmt::format("unexpected {} \"{}\"", what, name));
  if (const auto meant = closest_match(name, option ? option_names(command) : commands)) {
    error.add_hint(fmt::format("did you mean {}?", *meant));
  } else if (!option && !commands.empty()) {
    error.add_hint("there are " + join(commands, ", "));
  }
  return error;
}

}  // namespace

CLI::App& innermost_command(CLI::App& app) {
  CLI::App* command = &app;
  while (!command->get_subcommands().empty()) command = command->get_subcommands().front();
  return *command;
}

Error usage_error(CLI::App& app, const CLI::ParseError& error) {
  CLI::App& command = innermost_command(app);
  const std::string hint = fmt::format("see `{} --help`", full_name(command));
  for (const std::string& word : app.remaining(true)) {
    if (word == "--") continue;
    return unknown(command, word).add_hint(hint);
  }
  std::string message = error.what();
  // CLI11 shows an option's environment variable and type in some messages and ends some with a line end.
  message = trim(message);
  return Error(ErrorKind::usage, message).add_hint(hint);
}

}  // namespace tektii::cli
