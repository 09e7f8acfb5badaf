// The instructions that hold a command line: RUN, CMD, ENTRYPOINT, SHELL, HEALTHCHECK, and ONBUILD, which holds another
// instruction.
#include "dockerfile/flags.hpp"
#include "dockerfile/text.hpp"
#include "dockerfile/typed.hpp"
#include <tektii/dockerfile/mount.hpp>
#include <tektii/dockerfile/values.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace tektii::dockerfile {
namespace {

constexpr std::int64_t k_millisecond = 1'000'000;

CommandLine parse_command_line(const Statement& statement, std::string_view text) {
  CommandLine command;
  if (auto words = parse_json_words(statement, text)) {
    command.exec_form = true;
    command.words = std::move(*words);
  } else {
    command.words = {std::string(text)};
    command.heredocs = statement.heredocs;
  }
  return command;
}

std::int64_t parse_interval(const Statement& statement, std::string_view flag,
                            const std::optional<std::string>& value) {
  if (!value) return 0;
  const std::int64_t duration = statement.located(*value, [&] { return parse_go_duration(*value); });
  if (duration != 0 && duration < k_millisecond) {
    statement.fail(fmt::format("interval \"{}\" cannot be less than 1ms", flag), *value);
  }
  return duration;
}

int parse_retries(const Statement& statement, const std::optional<std::string>& value) {
  if (!value) return 0;
  const auto retries = parse_int(*value);
  if (!retries || *retries > INT32_MAX || *retries < INT32_MIN) {
    statement.fail(fmt::format("invalid value \"{}\" for --retries: it must be a number", *value), *value);
  }
  if (*retries < 0) statement.fail(fmt::format("--retries cannot be negative ({})", *retries), *value);
  return static_cast<int>(*retries);
}

void check_choice(const Statement& statement, std::string_view flag, const std::optional<std::string>& value,
                  const std::vector<std::string>& choices) {
  if (!value || std::find(choices.begin(), choices.end(), *value) != choices.end()) return;
  const auto suggestion = closest_match(*value, choices);
  statement.fail(fmt::format("unsupported {} mode \"{}\"{}", flag, *value,
                             suggestion ? fmt::format(" (did you mean {}?)", *suggestion)
                                        : fmt::format(" (it may be {})", join(choices, " or "))),
                 *value);
}

}  // namespace

InstructionBody parse_run(const Statement& statement) {
  Run run;
  std::vector<std::string> mounts;
  FlagParser(statement)
      .list("mount", mounts)
      .text("network", run.network, true)
      .text("security", run.security, true)
      .parse();
  check_choice(statement, "network", run.network, {"default", "none", "host"});
  check_choice(statement, "security", run.security, {"sandbox", "insecure"});
  for (const std::string& mount : mounts) {
    run.mounts.push_back(statement.located(mount, [&] { return parse_mount(mount); }));
  }
  run.command = parse_command_line(statement, statement.rest);
  if (run.command.words.empty() || statement.rest.empty()) statement.fail("RUN requires at least one argument");
  return run;
}

InstructionBody parse_cmd(const Statement& statement) {
  refuse_flags(statement);
  return Cmd{parse_command_line(statement, statement.rest)};
}

InstructionBody parse_entrypoint(const Statement& statement) {
  refuse_flags(statement);
  return Entrypoint{parse_command_line(statement, statement.rest)};
}

InstructionBody parse_shell(const Statement& statement) {
  refuse_flags(statement);
  auto words = parse_json_words(statement, statement.rest);
  if (statement.rest.empty() || (words && words->empty())) statement.fail("SHELL requires at least one argument");
  if (!words) statement.fail("SHELL requires the arguments to be in JSON form", statement.rest);
  return Shell{std::move(*words)};
}

InstructionBody parse_healthcheck(const Statement& statement) {
  HealthcheckInstruction check;
  std::optional<std::string> interval;
  std::optional<std::string> timeout;
  std::optional<std::string> start_period;
  std::optional<std::string> start_interval;
  std::optional<std::string> retries;
  FlagParser(statement)
      .text("interval", interval)
      .text("timeout", timeout)
      .text("start-period", start_period)
      .text("start-interval", start_interval)
      .text("retries", retries)
      .parse();
  if (statement.rest.empty()) statement.fail("HEALTHCHECK requires at least one argument");
  const std::string_view rest = statement.rest;
  const std::size_t end = std::min(rest.find_first_of(" \t\v\f\r"), rest.size());
  const std::string_view type = rest.substr(0, end);
  const std::string_view command = trim_left(rest.substr(end));
  if (equals_ignoring_case(type, "NONE")) {
    if (!command.empty()) statement.fail("HEALTHCHECK NONE takes no arguments", command);
    check.none = true;
    return check;
  }
  if (!equals_ignoring_case(type, "CMD")) {
    statement.fail(fmt::format("unknown type \"{}\" in HEALTHCHECK (try CMD)", type), type);
  }
  check.command = parse_command_line(statement, command);
  if (command.empty() || check.command.words.empty()) statement.fail("missing command after HEALTHCHECK CMD", type);
  check.interval_ns = parse_interval(statement, "interval", interval);
  check.timeout_ns = parse_interval(statement, "timeout", timeout);
  check.start_period_ns = parse_interval(statement, "start-period", start_period);
  check.start_interval_ns = parse_interval(statement, "start-interval", start_interval);
  check.retries = parse_retries(statement, retries);
  return check;
}

InstructionBody parse_onbuild(const Statement& statement) {
  refuse_flags(statement);
  if (statement.rest.empty()) statement.fail("ONBUILD requires at least one argument");
  const Statement trigger = trigger_of(statement);
  const std::string keyword = trigger.upper_keyword();
  if (keyword == "ONBUILD") {
    statement.fail("chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed", statement.rest);
  }
  if (keyword == "FROM" || keyword == "MAINTAINER") {
    statement.fail(fmt::format("{} isn't allowed as an ONBUILD trigger", keyword), trigger.keyword);
  }
  // A trigger is stored as text, but a broken one would only fail in the build of somebody else: check it here.
  parse_body(trigger);
  Onbuild onbuild{statement.rest};
  for (const Heredoc& heredoc : statement.heredocs) onbuild.text += "\n" + heredoc.as_written() + heredoc.name;
  return onbuild;
}

}  // namespace tektii::dockerfile
