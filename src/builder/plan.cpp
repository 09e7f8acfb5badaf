#include "plan.hpp"

#include "check.hpp"
#include "problems.hpp"
#include "variables.hpp"
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace tektii::builder {
namespace {

void evaluate_global_args(Plan& plan, const BuildRequest& request) {
  Variables variables(request.build_args, {});
  for (const auto& [name, value] : platform_args(request.platform, request.target)) variables.declare_arg(name, value);
  for (const auto& instruction : plan.file.global_args) {
    for (const auto& item : std::get<dockerfile::Arg>(instruction.body).items) {
      std::optional<std::string> value;
      if (item.value) value = expand(plan.file, instruction, *item.value, variables);
      variables.declare_arg(item.name, value);
    }
  }
  plan.global_args = variables.values();
}

void check_platform(const Plan& plan, const dockerfile::Instruction& from, const Variables& variables,
                    const oci::Platform& wanted) {
  const auto& body = std::get<dockerfile::From>(from.body);
  if (!body.platform) return;
  const auto text = expand(plan.file, from, *body.platform, variables);
  try {
    if (oci::Platform::parse(text) == wanted) return;
  } catch (Error& error) {
    error.set_span(plan.file.span(from.lines, *body.platform));
    throw;
  }
  throw Error(ErrorKind::platform_mismatch,
              fmt::format("FROM --platform={} is not supported: tektii builds {} only", text, wanted.str()))
      .set_span(plan.file.span(from.lines, *body.platform));
}

SourceName resolve_base(const Plan& plan, const BuildRequest& request, int index) {
  const auto& file = plan.file;
  const auto& from = file.stages[static_cast<std::size_t>(index)].from;
  Variables variables(request.build_args, {});
  for (const auto& [name, value] : plan.global_args) variables.set_env(name, value);
  check_platform(plan, from, variables, request.platform);
  const auto& written = std::get<dockerfile::From>(from.body).image;
  const auto name = expand(file, from, written, variables);
  if (name.empty()) {
    throw Error(ErrorKind::usage, fmt::format("base name ({}) should not be blank", written))
        .add_hint("an ARG before the first FROM, or --build-arg, must give it a value")
        .set_span(file.span(from.lines, written));
  }
  return resolve_base_name(file, request, index, name);
}

// Adds the stage and, first, all that it needs.
void reach(Plan& plan, const BuildRequest& request, int index, Problems& problems, std::set<std::string>& images) {
  if (plan.stages.contains(index)) return;
  const auto& stage = plan.file.stages[static_cast<std::size_t>(index)];
  PlannedStage planned;
  planned.stage = &stage;
  planned.title = stage.name.empty() ? fmt::format("stage-{}", index) : stage.name;
  if (const auto context = stage.name.empty() ? std::nullopt : find_named_context(request, stage.name)) {
    planned.base = *context;
    planned.replaced = true;
  } else {
    try {
      planned.base = resolve_base(plan, request, index);
    } catch (const Error& error) {
      problems.add(error);
    }
  }
  const auto need = [&](const SourceName& source) {
    if (source.kind == SourceName::Kind::stage) reach(plan, request, source.stage, problems, images);
    if (source.kind == SourceName::Kind::image && !source.name.empty()) images.insert(source.name);
  };
  need(planned.base);
  for (const auto& instruction : planned.instructions()) {
    const auto* copy = std::get_if<dockerfile::Copy>(&instruction.body);
    if (copy == nullptr || !copy->from) continue;
    try {
      need(resolve_from(plan, request, index, *copy->from));
    } catch (Error& error) {
      problems.add(error.set_span(plan.file.span(instruction.lines, *copy->from)));
    }
  }
  plan.stages.emplace(index, std::move(planned));
}

}  // namespace

SourceName resolve_from(const Plan& plan, const BuildRequest& request, int index, const std::string& from) {
  return resolve_from_name(plan.file, request, index, from);
}

Plan make_plan(const BuildRequest& request, const BuildDeps& deps) {
  Plan plan;
  plan.file = dockerfile::parse_dockerfile(request.dockerfile_text, request.dockerfile_name);
  evaluate_global_args(plan, request);
  plan.target = find_target(plan.file, request.target);
  Problems problems;
  std::set<std::string> images;
  reach(plan, request, plan.target, problems, images);
  plan.images.assign(images.begin(), images.end());
  check_stages(plan, request, deps, problems);
  problems.throw_if_any();
  return plan;
}

}  // namespace tektii::builder
