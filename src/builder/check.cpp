#include "check.hpp"

#include "check_copy.hpp"
#include "context_source.hpp"
#include "variables.hpp"
#include <tektii/dockerfile/values.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>
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

  void check(const PlannedStage& stage) {
    for (const auto& instruction : stage.instructions()) {
      try {
        std::visit([&](const auto& body) { check_body(instruction, body); }, instruction.body);
      } catch (Error& error) {
        if (!error.span()) error.set_span(plan_.file.span(instruction.lines));
        problems_.add(error);
      }
    }
  }

 private:
  [[noreturn]] void refuse(const Instruction& instruction, const std::string& what, std::string_view word,
                           const std::string& hint = {}) const {
    Error error(ErrorKind::usage, fmt::format("{} is not supported yet", what));
    if (!hint.empty()) error.add_hint(hint);
    throw error.set_span(plan_.file.span(instruction.lines, word));
  }

  template <typename Body>
  void check_body(const Instruction&, const Body&) {}  // metadata alone: nothing can be wrong before it runs

  void check_body(const Instruction& instruction, const dockerfile::Arg& arg) {
    for (const auto& item : arg.items) {
      std::optional<std::string> value;
      if (item.value) value = expand_if_known(plan_.file, instruction, *item.value, variables_);
      // A default that needs the base image's environment leaves the variable unknown here.
      if (value || !item.value) variables_.declare_arg(item.name, value);
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

  void check_body(const Instruction& instruction, const dockerfile::Onbuild&) {
    refuse(instruction, "ONBUILD", instruction.keyword);
  }

  void check_body(const Instruction& instruction, const dockerfile::Run& run) {
    if (!run.mounts.empty()) refuse(instruction, "RUN --mount", "--mount");
    if (run.security && *run.security != "sandbox")
      refuse(instruction, "RUN --security=" + *run.security, "--security");
    if (!run.command.exec_form && dockerfile::shell_script(run.command).file) {
      refuse(instruction, "a here-document with an interpreter line in RUN", "<<",
             "put the script into a file of the context and COPY it");
    }
    exec::RunSpec spec;
    if (run.network && *run.network == "none") spec.network = exec::NetworkMode::none;
    require(deps_.executor.unavailable_reason(spec), "RUN", instruction);
  }

  void require(const std::optional<exec::Unavailable>& unavailable, const std::string& what,
               const Instruction& instruction) const {
    if (!unavailable) return;
    Error error(ErrorKind::failure, fmt::format("{} is not possible here: {}", what, unavailable->reason));
    for (const auto& hint : unavailable->hints) error.add_hint(hint);
    throw error.set_span(plan_.file.span(instruction.lines));
  }

  void check_body(const Instruction& instruction, const dockerfile::Copy& copy) {
    const auto from = copy.from ? resolve_from(plan_, request_, index_, *copy.from) : SourceName{};
    const bool is_tree = copy.from && from.kind != SourceName::Kind::directory;
    CopySource* source = nullptr;
    if (!is_tree) source = copy.from ? &named_context(from.name) : &context();
    check_copy({plan_.file, instruction, variables_, deps_, source}, copy);
    if (is_tree) require(deps_.unpack_unavailable, "COPY --from a stage or image", instruction);
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

void check_stages(const Plan& plan, const BuildRequest& request, const BuildDeps& deps, Problems& problems) {
  for (const auto& [index, planned] : plan.stages) {
    StageChecker(plan, request, deps, problems, index).check(planned);
  }
}

}  // namespace tektii::builder
