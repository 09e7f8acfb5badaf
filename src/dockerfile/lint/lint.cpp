#include "dockerfile/lint/from.hpp"
#include "dockerfile/lint/image_name.hpp"
#include "dockerfile/lint/reporter.hpp"
#include "dockerfile/lint/scopes.hpp"
#include "dockerfile/lint/stage_checker.hpp"
#include "dockerfile/lint/structure.hpp"
#include <tektii/dockerfile/history.hpp>
#include <tektii/dockerfile/lint.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tektii::dockerfile {
namespace {

// A stage with what its FROM comes to.
struct LintStage {
  const Stage* stage = nullptr;
  FromWords from;
  std::optional<std::size_t> base;    // the stage that it is built on
  std::vector<Instruction> triggers;  // ONBUILD of the base
  StageScope scope;
  bool reached = false;
};

class Linter {
 public:
  Linter(const Dockerfile& file, const LintFacts& facts, LintReporter& reporter, LintReport& report)
      : file_(file), facts_(facts), reporter_(reporter), report_(report) {}

  void run() {
    check_structure(file_, reporter_);
    check_default_args(file_, facts_, reporter_);
    globals_ = evaluate_global_args(file_, facts_, facts_.build_args);
    for (const Stage& stage : file_.stages) add_stage(stage);
    reach(find_target_stage(file_, facts_.target));
    if (facts_.all_stages) {
      for (std::size_t i = 0; i < stages_.size(); ++i) reach(i);
    }
    for (LintStage& stage : stages_) {
      if (stage.reached) check_stage(stage);
    }
  }

 private:
  void add_stage(const Stage& stage) {
    LintStage added;
    added.stage = &stage;
    added.from = check_from_words(file_, stage, globals_, reporter_);
    added.base = find_stage(file_, added.from.image, stages_.size());
    stages_.push_back(std::move(added));
  }

  // Marks the stage and all that it needs, and prepares what each starts from. No recursion: a file may chain
  // thousands.
  void reach(std::size_t index) {
    std::vector<std::size_t> pending{index};
    while (!pending.empty()) {
      const std::size_t next = pending.back();
      pending.pop_back();
      if (!std::exchange(stages_[next].reached, true)) prepare(next, pending);
    }
  }

  // Adds the stages that this one needs to `pending`; its base is looked at first.
  void prepare(std::size_t index, std::vector<std::size_t>& pending) {
    LintStage& stage = stages_[index];
    if (stage.base) {
      for (const Instruction& instruction : stages_[*stage.base].stage->instructions) {
        if (const auto* onbuild = std::get_if<Onbuild>(&instruction.body)) add_trigger(stage, onbuild->text);
      }
    } else {
      start_from_image(index);
    }
    for (const Instruction& trigger : stage.triggers) add_sources(trigger, stage.stage->from, index, pending);
    for (const Instruction& instruction : stage.stage->instructions) {
      add_sources(instruction, instruction, index, pending);
    }
    if (stage.base) pending.push_back(*stage.base);
  }

  void add_sources(const Instruction& instruction, const Instruction& place, std::size_t index,
                   std::vector<std::size_t>& pending) {
    for (const std::string& name : source_names(instruction)) {
      try {
        if (const auto source = find_source_stage(file_, name, index)) pending.push_back(*source);
      } catch (Error& error) {
        if (!error.span()) error.set_span(file_.span(place.lines, name));
        throw;
      }
    }
  }

  void add_trigger(LintStage& stage, const std::string& text) {
    try {
      stage.triggers.push_back(parse_trigger(text, file_.name));
    } catch (Error& error) {
      // Its lines are not those of the file.
      error.set_span(file_.span(stage.stage->from.lines));
      throw;
    }
  }

  void start_from_image(std::size_t index) {
    LintStage& stage = stages_[index];
    Environment& environment = stage.scope.environment;
    const std::string& image = stage.from.image;
    std::optional<BaseImageFacts> base = BaseImageFacts{};
    // "oci-layout://DIR" and its kin are names, too.
    if (image.find("://") == std::string::npos && !is_image_name(image)) {
      throw Error(ErrorKind::usage, fmt::format("failed to parse image name {}", go_quote(image)))
          .add_hint("an image name is [REGISTRY/]PATH[:TAG][@DIGEST], the path in lower case")
          .set_span(file_.span(stage.stage->from.lines, stage.stage->from_body().image));
    }
    if (!equals_ignoring_case(image, "scratch")) base = facts_.base_image ? look_up(index) : std::nullopt;
    if (!base) {
      environment.set_incomplete();
      auto& unknown = report_.unknown_bases;
      if (std::find(unknown.begin(), unknown.end(), image) == unknown.end()) unknown.push_back(image);
      base.emplace();
    }
    environment.set("PATH", k_default_path, environment.is_complete());
    for (const std::string& entry : base->env) {
      const std::size_t equals = entry.find('=');
      environment.set(entry.substr(0, equals), equals == std::string::npos ? "" : entry.substr(equals + 1));
    }
    stage.scope.has_shell = base->has_shell;
    for (const std::string& trigger : base->on_build) add_trigger(stage, trigger);
  }

  std::optional<BaseImageFacts> look_up(std::size_t index) {
    const LintStage& stage = stages_[index];
    const Instruction& from = stage.stage->from;
    std::optional<BaseImageFacts> base;
    try {
      base = facts_.base_image({index, stage.from.image, stage.from.platform});
    } catch (Error& error) {
      if (!error.span() && error.kind() != ErrorKind::interrupted) {
        error.set_span(file_.span(from.lines, stage.stage->from_body().image));
      }
      throw;
    }
    if (base && !base->platform.empty()) {
      reporter_.add(LintRule::invalid_base_image_platform, from,
                    fmt::format("Base image {} was pulled with platform {}, expected {} for current build",
                                stage.from.image, go_quote(base->platform), go_quote(base->expected_platform)),
                    stage.stage->from_body().image);
    }
    return base;
  }

  void check_stage(LintStage& stage) {
    if (stage.base) stage.scope = stages_[*stage.base].scope;
    StageChecker checker(file_, facts_, globals_, reporter_, stage.scope);
    for (const Instruction& trigger : stage.triggers) checker.check(trigger, stage.stage->from);
    for (const Instruction& instruction : stage.stage->instructions) checker.check(instruction, instruction);
  }

  const Dockerfile& file_;
  const LintFacts& facts_;
  LintReporter& reporter_;
  LintReport& report_;
  GlobalScope globals_;
  std::vector<LintStage> stages_;
};

}  // namespace

LintReport lint(const Dockerfile& file, const LintFacts& facts) {
  LintReport report;
  LintReporter reporter(file, check_options_of(file, facts.build_args), report);
  // What is wrong with the file is a result of the check; what is wrong with the world (a lookup that fails, an
  // interrupt) is not.
  try {
    Linter(file, facts, reporter, report).run();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::usage) throw;
    report.problem = error;
  }
  std::stable_sort(report.warnings.begin(), report.warnings.end(),
                   [](const LintWarning& a, const LintWarning& b) { return a.lines.first < b.lines.first; });
  return report;
}

std::string violation_message(const LintReport& report) {
  if (!report.warnings_are_errors || report.warnings.empty()) return {};
  std::vector<std::string> names;
  for (const LintWarning& warning : report.warnings) {
    std::string name(info_of(warning.rule).name);
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(std::move(name));
  }
  return "lint violation found for rules: " + join(names, ", ");
}

}  // namespace tektii::dockerfile
