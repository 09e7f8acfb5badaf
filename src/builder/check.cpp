#include "check.hpp"

#include "bind_files.hpp"
#include "check_copy.hpp"
#include "check_run.hpp"
#include "context_source.hpp"
#include "copy_inputs.hpp"
#include "variables.hpp"

#include <fmt/format.h>

#include <memory>
#include <variant>

namespace tektii::builder {
namespace {

using dockerfile::Instruction;

class StageChecker {
 public:
  StageChecker(const Plan& plan, const BuildRequest& request, const BuildDeps& deps, Problems& problems, int index)
      : plan_(plan),
        request_(request),
        deps_(deps),
        problems_(problems),
        index_(index),
        variables_(request.build_args, plan.global_args) {}

  void check_instructions(const PlannedStage& stage) {
    for (const auto& instruction : stage.instructions()) {
      check(instruction, [&](Error& error) -> Error& {
        if (!error.span()) error.set_span(plan_.file.span(instruction));
        return error;
      });
    }
  }

  void check_triggers(const PlannedStage& stage) {
    for (const auto& instruction : stage.triggers) {
      check(instruction,
            [&](Error& error) -> Error& { return blame_trigger(error, plan_, stage, instruction.original); });
    }
  }

  void set_environment(const std::vector<std::string>& environment) {
    for (const auto& entry : environment) {
      const auto equals = entry.find('=');
      if (equals != std::string::npos) variables_.set_env(entry.substr(0, equals), entry.substr(equals + 1));
    }
  }

 private:
  template <typename Blame>
  void check(const Instruction& instruction, const Blame& blame) {
    try {
      std::visit([&](const auto& body) { check_body(instruction, body); }, instruction.body);
    } catch (Error& error) {
      problems_.add(blame(error));
    }
  }

  template <typename Body>
  void check_body(const Instruction&, const Body&) {}  // metadata alone: nothing can be wrong before it runs

  void check_body(const Instruction& instruction, const dockerfile::Arg& arg) {
    for (const auto& item : arg.items) {
      std::optional<std::string> value;
      const bool is_given = variables_.is_given(item.name);
      if (item.value && !is_given) value = expand_if_known(plan_.file, instruction, *item.value, variables_);
      // A default that needs the base image's environment leaves the variable unknown here.
      if (value || is_given || !item.value) variables_.declare_arg(item.name, value);
    }
  }

  void check_body(const Instruction& instruction, const dockerfile::Env& env) {
    std::vector<std::pair<std::string, std::string>> values;
    for (const auto& pair : env.pairs) {
      if (const auto value = expand_if_known(plan_.file, instruction, pair.value, variables_)) {
        values.emplace_back(pair.key, *value);
      }
    }
    for (const auto& [key, value] : values) variables_.set_env(key, value);
  }

  void check_body(const Instruction& instruction, const dockerfile::Run& run) {
    const auto require_source = [&](const std::optional<std::string>& from, const std::string& path) {
      auto& source = from ? named_context(resolve_from(plan_, request_, index_, *from).name) : context();
      if (has_path(source, path)) return;
      throw missing_source(source, path, from.value_or("the build context"))
          .set_span(plan_.file.span(instruction.lines, path));
    };
    check_run({plan_, request_, deps_, index_, variables_, require_source}, instruction, run, problems_);
  }

  void check_body(const Instruction& instruction, const dockerfile::Copy& copy) {
    const auto from = copy.from ? resolve_from(plan_, request_, index_, *copy.from) : SourceName{};
    const bool is_tree = copy.from && from.kind != SourceName::Kind::directory;
    CopySource* source = nullptr;
    if (!is_tree) source = copy.from ? &named_context(from.name) : &context();
    check_copy({plan_.file, instruction, variables_, deps_, source}, copy);
  }

  CopySource& context() {
    if (!context_) {
      context_ =
          make_directory_source(request_.context, fs::IgnorePatterns::parse(request_.ignore_text, request_.ignore_name),
                                request_.ignore_name, {});
    }
    return *context_;
  }

  CopySource& named_context(const std::string& name) {
    auto& source = named_[name];
    if (!source) source = make_named_context_source(request_, name, {});
    return *source;
  }

  const Plan& plan_;
  const BuildRequest& request_;
  const BuildDeps& deps_;
  Problems& problems_;
  int index_;
  Variables variables_;
  std::unique_ptr<CopySource> context_;
  std::map<std::string, std::unique_ptr<CopySource>> named_;
};

}  // namespace

void check_stage(const Plan& plan, const BuildRequest& request, const BuildDeps& deps, Problems& problems, int index) {
  const auto& stage = plan.stages.at(index);
  StageChecker checker(plan, request, deps, problems, index);
  checker.check_triggers(stage);
  checker.check_instructions(stage);
}

void check_stages(const Plan& plan, const BuildRequest& request, const BuildDeps& deps, Problems& problems) {
  for (const auto& [index, planned] : plan.stages) check_stage(plan, request, deps, problems, index);
}

void check_triggers(const Plan& plan, const BuildRequest& request, const BuildDeps& deps, Problems& problems, int index,
                    const std::vector<std::string>& environment) {
  StageChecker checker(plan, request, deps, problems, index);
  checker.set_environment(environment);
  checker.check_triggers(plan.stages.at(index));
}

}  // namespace tektii::builder
