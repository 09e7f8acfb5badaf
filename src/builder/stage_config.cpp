// Instructions that change the configuration alone.
#include "stage_builder.hpp"
#include <tektii/dockerfile/history.hpp>
#include <tektii/dockerfile/values.hpp>
#include <tektii/util/error.hpp>

#include <string>
#include <vector>

namespace tektii::builder {

void StageBuilder::apply_body(const Instruction& instruction, const dockerfile::Arg& arg) {
  dockerfile::Arg shown = arg;
  for (auto& item : shown.items) {
    auto& variables = state_->variables;
    // A default that a --build-arg overrides is not even expanded.
    if (item.value && !variables.is_given(item.name)) item.value = expanded(instruction, *item.value);
    item.value = variables.declare_arg(item.name, item.value);
  }
  add_history(dockerfile::history_arg(shown), true);
}

// All values are expanded with the environment as it was before the instruction.
void StageBuilder::apply_body(const Instruction& instruction, const dockerfile::Env& env) {
  auto pairs = env.pairs;
  for (auto& pair : pairs) {
    pair.key = expanded(instruction, pair.key);
    pair.value = expanded(instruction, pair.value);
  }
  for (const auto& pair : pairs) {
    state_->variables.set_env(pair.key, pair.value);
    state_->config.config.set_env(pair.key, pair.value);
  }
  add_history(dockerfile::history_env(pairs), true);
}

void StageBuilder::apply_body(const Instruction& instruction, const dockerfile::Label& label) {
  auto pairs = label.pairs;
  for (auto& pair : pairs) {
    pair.key = expanded(instruction, pair.key);
    pair.value = expanded(instruction, pair.value);
    state_->config.config.labels[pair.key] = pair.value;
  }
  add_history(dockerfile::history_label(pairs), true);
}

void StageBuilder::apply_body(const Instruction&, const dockerfile::Maintainer& maintainer) {
  state_->config.author = maintainer.name;
  add_history(dockerfile::history_maintainer(maintainer.name), true);
}

void StageBuilder::apply_body(const Instruction& instruction, const dockerfile::User& user) {
  state_->config.config.user = expanded(instruction, user.user);
  add_history(dockerfile::history_user(state_->config.config.user), true);
}

void StageBuilder::apply_body(const Instruction&, const dockerfile::Expose& expose) {
  std::vector<std::string> ports;
  for (const auto& word : expose.ports) {
    const dockerfile::ExpandOptions options{.escape = session_.plan.file.directives.escape};
    for (const auto& spec : dockerfile::expand_words(word, state_->variables.lookup(), options)) {
      const auto entries = dockerfile::parse_ports(spec);
      ports.insert(ports.end(), entries.begin(), entries.end());
    }
  }
  state_->config.config.exposed_ports.insert(ports.begin(), ports.end());
  add_history(dockerfile::history_expose(ports), true);
}

void StageBuilder::apply_body(const Instruction& instruction, const dockerfile::Volume& volume) {
  std::vector<std::string> paths;
  for (const auto& path : volume.paths) {
    paths.push_back(expanded(instruction, path));
    if (!paths.back().empty()) continue;
    throw Error(ErrorKind::usage, "VOLUME specified can not be an empty string")
        .set_span(session_.plan.file.span(instruction.lines, path));
  }
  state_->config.config.volumes.insert(paths.begin(), paths.end());
  add_history(dockerfile::history_volume(paths), true);
}

void StageBuilder::apply_body(const Instruction& instruction, const dockerfile::StopSignal& stop_signal) {
  const auto signal = expanded(instruction, stop_signal.signal);
  dockerfile::parse_signal(signal);  // throws when there is no such signal
  state_->config.config.stop_signal = signal;
  add_history(dockerfile::history_stopsignal(signal), true);
}

void StageBuilder::apply_body(const Instruction&, const dockerfile::Shell& shell) {
  state_->config.config.shell = shell.words;
  add_history(dockerfile::history_shell(shell.words), true);
}

// In a stage, ENTRYPOINT clears a CMD that came from the base image, because the two belong together.
void StageBuilder::apply_body(const Instruction&, const dockerfile::Entrypoint& entrypoint) {
  auto& config = state_->config.config;
  const auto argv = command_argv(entrypoint.command);
  config.entrypoint = argv.empty() ? std::nullopt : std::optional(argv);
  if (!cmd_in_this_stage_) config.cmd.reset();
  add_history(dockerfile::history_entrypoint(argv), true);
}

void StageBuilder::apply_body(const Instruction&, const dockerfile::Cmd& cmd) {
  state_->config.config.cmd = command_argv(cmd.command);
  // Only Windows minds, but BuildKit says it of every CMD, and configurations are compared.
  state_->config.config.unknown["ArgsEscaped"] = "true";
  cmd_in_this_stage_ = true;
  add_history(dockerfile::history_cmd(*state_->config.config.cmd), true);
}

void StageBuilder::apply_body(const Instruction&, const dockerfile::HealthcheckInstruction& healthcheck) {
  oci::Healthcheck check;
  if (healthcheck.none) {
    check.test = {"NONE"};
  } else {
    check.test = {healthcheck.command.exec_form ? "CMD" : "CMD-SHELL"};
    const auto& words = healthcheck.command.words;
    check.test.insert(check.test.end(), words.begin(), words.end());
    check.interval = healthcheck.interval_ns;
    check.timeout = healthcheck.timeout_ns;
    check.start_period = healthcheck.start_period_ns;
    check.start_interval = healthcheck.start_interval_ns;
    check.retries = healthcheck.retries;
  }
  add_history(dockerfile::history_healthcheck(healthcheck, check.test), true);
  state_->config.config.healthcheck = std::move(check);
}

// Leaves no history.
void StageBuilder::apply_body(const Instruction&, const dockerfile::Onbuild& onbuild) {
  state_->config.config.on_build.push_back(onbuild.text);
}

void StageBuilder::apply_body(const Instruction&, const dockerfile::From&) {
  throw Error(ErrorKind::failure, "a FROM inside of a stage");  // the parser starts a new stage at each FROM
}

}  // namespace tektii::builder
