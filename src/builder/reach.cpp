#include "reach.hpp"

#include "variables.hpp"
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tektii::builder {
namespace {

// "linux" and "amd64" alone are platforms as well: the other half is this builder's.
oci::Platform parse_platform(const std::string& text) {
  if (text.find('/') != std::string::npos) return oci::Platform::parse(text);
  return oci::Platform::parse(text == "linux" ? "linux/amd64" : "linux/" + text);
}

void check_platform(const Plan& plan, const dockerfile::Instruction& from, const Variables& variables,
                    const oci::Platform& wanted) {
  const auto& body = std::get<dockerfile::From>(from.body);
  if (!body.platform) return;
  const auto span = plan.file.span(from.lines, *body.platform);
  const auto text = expand(plan.file, from, *body.platform, variables);
  if (text.empty()) {
    throw Error(ErrorKind::usage, fmt::format("empty platform value from expression {}", *body.platform))
        .add_hint("an ARG before the first FROM, or --build-arg, must give it a value")
        .set_span(span);
  }
  try {
    if (parse_platform(text).normalised() == wanted.normalised()) return;
  } catch (Error& error) {
    error.set_span(span);
    throw;
  }
  throw Error(ErrorKind::platform_mismatch,
              fmt::format("FROM --platform={} is not supported: tektii builds {} only", text, wanted.str()))
      .set_span(span);
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

void need(Plan& plan, const BuildRequest& request, PlannedStage& stage, const SourceName& source, SourceSpan span,
          Problems& problems) {
  if (source.kind == SourceName::Kind::stage) {
    reach_stage(plan, request, source.stage, problems);
    stage.needs.insert(source.stage);
  }
  if (source.kind == SourceName::Kind::image && !source.name.empty()) {
    const auto place = std::lower_bound(plan.images.begin(), plan.images.end(), source.name);
    if (place == plan.images.end() || *place != source.name) plan.images.insert(place, source.name);
    plan.image_uses.try_emplace(source.name, ImageUse{std::move(span), source.written});
  }
}

// The --from of an instruction, as written.
std::vector<std::string> sources_of(const dockerfile::Instruction& instruction) {
  std::vector<std::string> names;
  if (const auto* copy = std::get_if<dockerfile::Copy>(&instruction.body); copy != nullptr && copy->from) {
    names.push_back(*copy->from);
  }
  if (const auto* run = std::get_if<dockerfile::Run>(&instruction.body); run != nullptr) {
    for (const auto& mount : run->mounts) {
      for (const auto& [key, value] : mount.options) {
        if (key == "from" && !value.empty()) names.push_back(value);
      }
    }
  }
  return names;
}

// The triggers that an earlier stage of this file leaves to the stages built on it.
std::vector<std::string> triggers_of(const PlannedStage& base) {
  std::vector<std::string> triggers;
  for (const auto& instruction : base.instructions()) {
    if (const auto* onbuild = std::get_if<dockerfile::Onbuild>(&instruction.body)) triggers.push_back(onbuild->text);
  }
  return triggers;
}

}  // namespace

void reach_sources(Plan& plan, const BuildRequest& request, int index, PlannedStage& stage, bool of_triggers,
                   Problems& problems) {
  for (const auto& instruction : of_triggers ? std::span(std::as_const(stage.triggers)) : stage.instructions()) {
    for (const auto& from : sources_of(instruction)) {
      const auto& body = stage.stage->from_body();
      auto span = of_triggers ? plan.file.span(instruction.lines, body.image) : plan.file.span(instruction.lines, from);
      try {
        need(plan, request, stage, resolve_from(plan, request, index, from), std::move(span), problems);
      } catch (Error& error) {
        if (of_triggers) {
          problems.add(blame_trigger(error, plan, stage, instruction.original));
        } else {
          problems.add(error.set_span(plan.file.span(instruction.lines, from)));
        }
      }
    }
  }
}

void reach_stage(Plan& plan, const BuildRequest& request, int index, Problems& problems) {
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
  need(plan, request, planned, planned.base, plan.file.span(stage.from.lines, stage.from_body().image), problems);
  reach_sources(plan, request, index, planned, false, problems);
  const auto& added = plan.stages.emplace(index, std::move(planned)).first->second;
  if (added.base.kind != SourceName::Kind::stage) return;
  plan_triggers(plan, request, index, triggers_of(plan.stages.at(added.base.stage)), problems);
}

}  // namespace tektii::builder
