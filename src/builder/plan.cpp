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

std::optional<int> find_stage(const dockerfile::Dockerfile& file, const std::string& name, int before) {
  const auto lower = to_lower(name);
  for (int i = before - 1; i >= 0; --i) {
    if (file.stages[static_cast<std::size_t>(i)].name == lower && !lower.empty()) return i;
  }
  return std::nullopt;
}

bool is_directory_context(const BuildRequest& request, const std::string& name) {
  const auto found = request.named_contexts.find(name);
  return found != request.named_contexts.end() && found->second.kind == NamedContext::Kind::directory;
}

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

int find_target(const dockerfile::Dockerfile& file, const std::string& target) {
  const int count = static_cast<int>(file.stages.size());
  if (target.empty()) return count - 1;
  if (const auto named = find_stage(file, target, count)) return *named;
  if (const auto index = parse_int(target); index && *index >= 0 && *index < count) return static_cast<int>(*index);
  std::vector<std::string> names;
  for (const auto& stage : file.stages) {
    if (!stage.name.empty()) names.push_back(stage.name);
  }
  Error error(ErrorKind::usage, fmt::format("target stage \"{}\" could not be found in {}", target, file.name));
  if (const auto match = closest_match(target, names)) {
    error.add_hint(fmt::format("did you mean {}?", *match));
  } else if (!names.empty()) {
    error.add_hint(fmt::format("stages in this file: {}", join(names, ", ")));
  }
  throw error;
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
  if (const auto stage = find_stage(file, name, index)) return {SourceName::Kind::stage, *stage, name};
  if (equals_ignoring_case(name, "scratch")) return {SourceName::Kind::scratch, -1, name};
  if (is_directory_context(request, name)) {
    throw Error(ErrorKind::usage, fmt::format("FROM {} names a directory context, which is not supported yet", name))
        .add_hint("give an image: --build-context NAME=oci-layout://DIR[:TAG]")
        .set_span(file.span(from.lines, written));
  }
  return {SourceName::Kind::image, -1, name};
}

// The --from of a COPY and of the mounts of a RUN.
std::vector<std::string> sources_of(const dockerfile::Instruction& instruction) {
  std::vector<std::string> names;
  const auto* copy = std::get_if<dockerfile::Copy>(&instruction.body);
  if (copy != nullptr && copy->from) names.push_back(*copy->from);
  if (const auto* run = std::get_if<dockerfile::Run>(&instruction.body)) {
    for (const auto& mount : run->mounts) {
      for (const auto& [key, value] : mount.options) {
        if (key == "from" && !value.empty()) names.push_back(value);
      }
    }
  }
  return names;
}

// Adds the stage and, first, all that it needs.
void reach(Plan& plan, const BuildRequest& request, int index, Problems& problems, std::set<std::string>& images) {
  if (plan.stages.contains(index)) return;
  const auto& stage = plan.file.stages[static_cast<std::size_t>(index)];
  PlannedStage planned;
  planned.stage = &stage;
  planned.title = stage.name.empty() ? fmt::format("stage-{}", index) : stage.name;
  try {
    planned.base = resolve_base(plan, request, index);
  } catch (const Error& error) {
    problems.add(error);
  }
  const auto need = [&](const SourceName& source) {
    if (source.kind == SourceName::Kind::stage) reach(plan, request, source.stage, problems, images);
    if (source.kind == SourceName::Kind::image && !source.name.empty()) images.insert(source.name);
  };
  need(planned.base);
  for (const auto& instruction : stage.instructions) {
    for (const auto& from : sources_of(instruction)) {
      try {
        need(resolve_from(plan, request, index, from));
      } catch (Error& error) {
        problems.add(error.set_span(plan.file.span(instruction.lines, from)));
      }
    }
  }
  plan.stages.emplace(index, std::move(planned));
}

}  // namespace

SourceName resolve_from(const Plan& plan, const BuildRequest& request, int index, const std::string& from) {
  if (from.find('$') != std::string::npos) {
    throw Error(ErrorKind::usage, fmt::format("variable expansion is not supported for --from: {}", from))
        .add_hint("define a new stage with FROM using ARG from the global scope, and name that stage");
  }
  if (const auto stage = find_stage(plan.file, from, index)) return {SourceName::Kind::stage, *stage, from};
  if (const auto number = parse_int(from)) {
    if (*number >= 0 && *number < index) return {SourceName::Kind::stage, static_cast<int>(*number), from};
    throw Error(ErrorKind::usage, fmt::format("invalid stage index {}: only earlier stages can be copied from", from));
  }
  if (is_directory_context(request, from)) return {SourceName::Kind::directory, -1, from};
  if (find_stage(plan.file, from, static_cast<int>(plan.file.stages.size()))) {
    throw Error(ErrorKind::usage,
                fmt::format("--from={} names this or a later stage: only earlier stages can be copied from", from));
  }
  if (equals_ignoring_case(from, "scratch")) return {SourceName::Kind::scratch, -1, from};
  return {SourceName::Kind::image, -1, from};
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
