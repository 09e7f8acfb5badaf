#pragma once

#include "dockerfile/lint/environment.hpp"
#include "dockerfile/lint/reporter.hpp"
#include "dockerfile/lint/scopes.hpp"
#include <tektii/dockerfile/instruction.hpp>
#include <tektii/dockerfile/lint.hpp>

#include <string>
#include <string_view>

namespace tektii::dockerfile {

// What one stage hands on to those that are built FROM it.
struct StageScope {
  Environment environment;
  bool has_shell = false;    // SHELL was set, by the base image or here
  bool workdir_set = false;  // in the file; what the base image has may change
};

// Goes through the instructions of one stage and checks what hangs on the values of variables and on what came before.
class StageChecker {
 public:
  // All outlive the checker.
  StageChecker(const Dockerfile& file, const LintFacts& facts, const GlobalScope& globals, LintReporter& reporter,
               StageScope& scope)
      : file_(file), facts_(facts), globals_(globals), reporter_(reporter), scope_(scope) {}

  // `place` is where it is reported: the instruction itself, or the FROM that carries out a trigger. Throws
  // Error{usage} with a span for what would fail the build.
  void check(const Instruction& instruction, const Instruction& place);

 private:
  // The instruction at hand.
  struct Site {
    const Instruction& instruction;
    const Instruction& place;
    std::string keyword() const { return instruction.original.substr(0, instruction.keyword.size()); }
  };
  // The last CMD, ENTRYPOINT or HEALTHCHECK so far.
  struct Tracker {
    const Instruction* place = nullptr;
  };

  template <typename Body>
  void check_body(const Site&, const Body&) {}
  void check_body(const Site& site, const Arg& arg);
  void check_body(const Site& site, const Env& env);
  void check_body(const Site& site, const Label& label);
  void check_body(const Site& site, const Workdir& workdir);
  void check_body(const Site& site, const User& user);
  void check_body(const Site& site, const Volume& volume);
  void check_body(const Site& site, const StopSignal& stop_signal);
  void check_body(const Site& site, const Expose& expose);
  void check_body(const Site& site, const Shell& shell);
  void check_body(const Site& site, const Cmd& cmd);
  void check_body(const Site& site, const Entrypoint& entrypoint);
  void check_body(const Site& site, const HealthcheckInstruction& healthcheck);
  void check_body(const Site& site, const Run& run);
  void check_body(const Site& site, const Copy& copy);

  LintWord expand(const Site& site, std::string_view word, const ExpandOptions& options);
  LintWord expand(const Site& site, std::string_view word);
  void report_undefined(const Site& site, const LintWord& word);
  void check_secret(const Site& site, std::string_view instruction, const std::string& key);
  void check_once(const Site& site, Tracker& last);
  void check_json(const Site& site, const CommandLine& command);
  void check_port(const Site& site, const std::string& port);
  void check_source(const Site& site, const Copy& copy, const std::string& source);

  const Dockerfile& file_;
  const LintFacts& facts_;
  const GlobalScope& globals_;
  LintReporter& reporter_;
  StageScope& scope_;
  Tracker cmd_;
  Tracker entrypoint_;
  Tracker healthcheck_;
};

}  // namespace tektii::dockerfile
