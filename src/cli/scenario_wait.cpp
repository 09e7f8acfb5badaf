#include "cli/scenario_wait.hpp"

#include "cli/exit_code.hpp"
#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace tektii::cli {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds k_first_poll{500};
constexpr milliseconds k_slowest_poll{10000};
constexpr milliseconds k_redraw{250};

// One line of a terminal that is drawn over itself.
class StateLine {
 public:
  explicit StateLine(CommandContext& context) : context_(context), begin_(context.clock.now()) {}
  StateLine(const StateLine&) = delete;
  StateLine& operator=(const StateLine&) = delete;
  ~StateLine() { clear(); }

  void show(const std::string& state) {
    if (!live()) {
      if (state != shown_) context_.terminal.info("Scenario is " + state);
    } else {
      const auto waited = std::chrono::duration_cast<milliseconds>(context_.clock.now() - begin_);
      context_.terminal.error_text(fmt::format("\r\x1b[K{} Scenario is {} ({})",
                                               context_.terminal.paint(Colour::cyan, "→"), state,
                                               format_duration(waited.count() / 1000 * 1000)));
    }
    shown_ = state;
  }
  void end() {
    clear();
    if (live()) context_.terminal.info("Scenario is " + shown_);
    shown_.clear();
  }
  bool live() const { return context_.terminal.traits().err_is_tty && !context_.terminal.quiet(); }

 private:
  void clear() {
    if (live() && !shown_.empty()) context_.terminal.error_text("\r\x1b[K");
  }

  CommandContext& context_;
  std::chrono::system_clock::time_point begin_;
  std::string shown_;
};

// False on a stop.
bool pause_for(milliseconds pause, const std::string& state, StateLine& line, CommandContext& context) {
  if (!line.live()) return context.clock.sleep_for(pause, context.stop());
  for (milliseconds waited{0}; waited < pause; waited += k_redraw) {
    if (!context.clock.sleep_for(std::min(k_redraw, pause - waited), context.stop())) return false;
    line.show(state);
  }
  return true;
}

}  // namespace

api::Answer<api::Scenario> wait_for_end(api::Answer<api::Scenario> answer, const std::string& strategy,
                                        api::Client& client, CommandContext& context) {
  milliseconds pause = k_first_poll;
  const std::string id = answer.value.id;
  StateLine line(context);
  const auto interrupted = [&] {
    return Error(ErrorKind::interrupted, "interrupted")
        .add_hint(fmt::format("the run goes on: `tektii scenario wait {} {}` waits for it again", strategy, id))
        .add_hint(fmt::format("`tektii scenario cancel {} {}` ends it", strategy, id));
  };
  for (;;) {
    const std::string state = escape_control(answer.value.state);
    line.show(state);
    if (answer.value.finished()) {
      line.end();
      return answer;
    }
    if (!pause_for(pause, state, line, context)) throw interrupted();
    pause = std::min(pause * 3 / 2, k_slowest_poll);
    try {
      answer = client.get_scenario(strategy, id, context.stop());
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::interrupted) throw interrupted();
      throw;
    }
  }
}

CLI::Option* add_gate_options(CLI::App& command, std::vector<std::string>& conditions) {
  return command
      .add_option("--fail-if", conditions,
                  "Exit with 22 when this holds for the finished run, for example 'sharpeRatio < 1.0' (repeatable)")
      ->type_name("CONDITION")
      ->allow_extra_args(false);
}

std::vector<MetricGate> parse_gates(const std::vector<std::string>& conditions) {
  std::vector<MetricGate> gates;
  gates.reserve(conditions.size());
  for (const std::string& condition : conditions) gates.push_back(MetricGate::parse(condition));
  return gates;
}

int conclude(const api::Scenario& scenario, const std::vector<MetricGate>& gates, CommandContext& context) {
  if (scenario.state == "FAILED") return k_exit_scenario_failed;
  if (scenario.state == "CANCELLED") return k_exit_scenario_cancelled;
  bool failed = false;
  bool missing = false;
  for (const GateResult& gate : check_gates(gates, scenario)) {
    const std::string text = escape_control(gate.explanation);
    if (gate.outcome == GateOutcome::passed) {
      context.terminal.success("not " + text);
    } else {
      context.terminal.error_text(
          fmt::format("{} --fail-if {}\n", context.terminal.paint(Colour::red, "Error:"), text));
    }
    failed = failed || gate.outcome == GateOutcome::failed;
    missing = missing || gate.outcome == GateOutcome::missing;
  }
  if (failed) return k_exit_gate_failed;
  return missing ? k_exit_gate_missing : k_exit_ok;
}

}  // namespace tektii::cli
