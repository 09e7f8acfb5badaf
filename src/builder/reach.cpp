#include "reach.hpp"

#include "variables.hpp"
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <span>
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
std::vector<std::string> triggers_of(const dockerfile::Stage& base) {
  std::vector<std::string> triggers;
  for (const auto& instruction : base.instructions) {
    if (const auto* onbuild = std::get_if<dockerfile::Onbuild>(&instruction.body)) triggers.push_back(onbuild->text);
  }
  return triggers;
}

// What one stage names, before anything is done about it.
struct Names {
  struct Use {
    SourceName source;
    SourceSpan span;
  };
  std::vector<Use> uses;
  std::vector<Error> problems;
};

void find_names(const Plan& plan, const BuildRequest& request, int index, const PlannedStage& stage, bool of_triggers,
                Names& names) {
  for (const auto& instruction : of_triggers ? std::span(stage.triggers) : stage.instructions()) {
    for (const auto& from : sources_of(instruction)) {
      const auto& body = stage.stage->from_body();
      auto span = of_triggers ? plan.file.span(instruction.lines, body.image) : plan.file.span(instruction.lines, from);
      try {
        names.uses.push_back({resolve_from(plan, request, index, from), std::move(span)});
      } catch (Error& error) {
        if (of_triggers) {
          names.problems.push_back(blame_trigger(error, plan, stage, instruction.original));
        } else {
          names.problems.push_back(error.set_span(plan.file.span(instruction.lines, from)));
        }
      }
    }
  }
}

void read_triggers(const Plan& plan, const BuildRequest& request, int index, PlannedStage& stage,
                   const std::vector<std::string>& triggers, Names& names) {
  for (const auto& text : triggers) {
    try {
      auto instruction = dockerfile::parse_trigger(text, stage.base.written);
      instruction.lines = stage.stage->from.lines;
      stage.triggers.push_back(std::move(instruction));
    } catch (Error& error) {
      names.problems.push_back(blame_trigger(error, plan, stage, text));
    }
  }
  find_names(plan, request, index, stage, true, names);
}

struct Draft {
  PlannedStage stage;
  Names names;
};

Draft draft_stage(const Plan& plan, const BuildRequest& request, int index) {
  Draft draft;
  auto& [planned, names] = draft;
  const auto& stage = plan.file.stages[static_cast<std::size_t>(index)];
  planned.stage = &stage;
  planned.title = stage.name.empty() ? fmt::format("stage-{}", index) : stage.name;
  if (const auto context = stage.name.empty() ? std::nullopt : find_named_context(request, stage.name)) {
    planned.base = *context;
    planned.replaced = true;
  } else {
    try {
      planned.base = resolve_base(plan, request, index);
    } catch (const Error& error) {
      names.problems.push_back(error);
    }
  }
  names.uses.push_back({planned.base, plan.file.span(stage.from.lines, stage.from_body().image)});
  find_names(plan, request, index, planned, false, names);
  if (planned.base.kind == SourceName::Kind::stage) {
    const auto& base = plan.file.stages[static_cast<std::size_t>(planned.base.stage)];
    read_triggers(plan, request, index, planned, triggers_of(base), names);
  }
  return draft;
}

void need(Plan& plan, PlannedStage& stage, Names names, Problems& problems) {
  for (auto& [source, span] : names.uses) {
    if (source.kind == SourceName::Kind::stage) stage.needs.insert(source.stage);
    if (source.kind != SourceName::Kind::image || source.name.empty()) continue;
    const auto place = std::lower_bound(plan.images.begin(), plan.images.end(), source.name);
    if (place == plan.images.end() || *place != source.name) plan.images.insert(place, source.name);
    plan.image_uses.try_emplace(source.name, ImageUse{std::move(span), source.written});
  }
  for (auto& problem : names.problems) problems.add(std::move(problem));
}

// Adds the stages to the plan, and all that they need. A stage can only name earlier ones: so going down finds each
// once and needs no recursion, which a long chain would take for the end of the stack; going up reports in the file's
// order.
void reach_stages(Plan& plan, const BuildRequest& request, std::set<int> open, Problems& problems) {
  std::map<int, Draft> drafts;
  while (!open.empty()) {
    const int index = *open.rbegin();
    open.erase(index);
    if (plan.stages.contains(index)) continue;
    const auto& draft = drafts.emplace(index, draft_stage(plan, request, index)).first->second;
    for (const auto& use : draft.names.uses) {
      if (use.source.kind == SourceName::Kind::stage) open.insert(use.source.stage);
    }
  }
  for (auto& [index, draft] : drafts) {
    need(plan, draft.stage, std::move(draft.names), problems);
    plan.stages.emplace(index, std::move(draft.stage));
  }
}

}  // namespace

void reach_stage(Plan& plan, const BuildRequest& request, int index, Problems& problems) {
  reach_stages(plan, request, {index}, problems);
}

void plan_triggers(Plan& plan, const BuildRequest& request, int index, const std::vector<std::string>& triggers,
                   Problems& problems) {
  auto& stage = plan.stages.at(index);
  Names names;
  read_triggers(plan, request, index, stage, triggers, names);
  std::set<int> needed;
  for (const auto& use : names.uses) {
    if (use.source.kind == SourceName::Kind::stage) needed.insert(use.source.stage);
  }
  reach_stages(plan, request, std::move(needed), problems);
  need(plan, stage, std::move(names), problems);
}

}  // namespace tektii::builder
