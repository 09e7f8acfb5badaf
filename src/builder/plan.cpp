#include "plan.hpp"

#include "check.hpp"
#include "reach.hpp"
#include "variables.hpp"
#include <tektii/util/text.hpp>

namespace tektii::builder {
namespace {

// The variables that FROM sees, and ARG without a value in a stage.
std::map<std::string, std::string> evaluate_global_args(const dockerfile::Dockerfile& file,
                                                        const BuildRequest& request) {
  Variables variables(request.build_args, {});
  // With --target it is that name as it was given, else the name of the last stage.
  const auto& target = request.target.empty() ? file.stages.back().name : request.target;
  for (const auto& [name, value] : platform_args(request.platform, target)) variables.declare_arg(name, value);
  for (const auto& instruction : file.global_args) {
    for (const auto& item : std::get<dockerfile::Arg>(instruction.body).items) {
      std::optional<std::string> value;
      if (item.value && !variables.is_given(item.name)) value = expand(file, instruction, *item.value, variables);
      variables.declare_arg(item.name, value);
    }
  }
  return variables.values();
}

// SOURCE_DATE_EPOCH may be "context" or a name, which stands for a time that the request has.
void replace_named_epoch(std::map<std::string, std::string>& args, const BuildRequest& request) {
  const auto epoch = args.find("SOURCE_DATE_EPOCH");
  if (epoch == args.end() || epoch->second.empty() || parse_int(epoch->second)) return;
  epoch->second = std::to_string(request.source_date_epoch);
}

Plan begin_plan(const BuildRequest& request) {
  Plan plan;
  plan.file = dockerfile::parse_dockerfile(request.dockerfile_text, request.dockerfile_name);
  plan.global_args = evaluate_global_args(plan.file, request);
  replace_named_epoch(plan.global_args, request);
  plan.target = find_target(plan.file, request.target);
  return plan;
}

}  // namespace

SourceName resolve_from(const Plan& plan, const BuildRequest& request, int index, const std::string& from) {
  return resolve_from_name(plan.file, request, index, from);
}

Plan make_plan(const BuildRequest& request, const BuildDeps& deps) {
  Plan plan = begin_plan(request);
  Problems problems;
  reach_stage(plan, request, plan.target, problems);
  check_stages(plan, request, deps, problems);
  problems.throw_if_any();
  return plan;
}

Plan make_source_plan(const BuildRequest& request) {
  Plan plan = begin_plan(request);
  Problems problems;
  // Stages before the target are those that it may need; all of them are wanted when none is named.
  for (int index = request.target.empty() ? 0 : plan.target; index <= plan.target; ++index) {
    if (!plan.stages.contains(index)) reach_stage(plan, request, index, problems);
  }
  problems.throw_if_any();
  return plan;
}

std::optional<std::string> source_date_epoch_argument(const BuildRequest& request) {
  if (const auto given = request.build_args.find("SOURCE_DATE_EPOCH"); given != request.build_args.end()) {
    return given->second;
  }
  const auto args =
      evaluate_global_args(dockerfile::parse_dockerfile(request.dockerfile_text, request.dockerfile_name), request);
  const auto epoch = args.find("SOURCE_DATE_EPOCH");
  if (epoch == args.end() || epoch->second.empty()) return std::nullopt;
  return epoch->second;
}

}  // namespace tektii::builder
