#include "dockerfile/lint/scopes.hpp"

#include <tektii/util/error.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <variant>

namespace tektii::dockerfile {
namespace {

void set_platform_args(const Dockerfile& file, const LintFacts& facts, Environment& environment) {
  auto args = facts.platform_args;
  std::string target = facts.target.empty() ? file.stages.back().name : facts.target;
  args["TARGETSTAGE"] = target.empty() ? "default" : std::move(target);
  for (auto& [name, value] : args) {
    const auto given = facts.build_args.find(name);
    environment.set(name, given == facts.build_args.end() ? std::move(value) : given->second);
  }
}

// An ARG whose default names itself goes on needing what its earlier default needed.
void note_uses(GlobalArg& arg, const LintWord& word, const std::string& name,
               const std::map<std::string, GlobalArg>& args) {
  arg.uses.insert(word.found.begin(), word.found.end());
  if (arg.uses.erase(name) == 0) return;
  if (const auto earlier = args.find(name); earlier != args.end()) {
    arg.uses.insert(earlier->second.uses.begin(), earlier->second.uses.end());
  }
}

}  // namespace

GlobalScope evaluate_global_args(const Dockerfile& file, const LintFacts& facts,
                                 const std::map<std::string, std::string>& build_args) {
  GlobalScope scope;
  set_platform_args(file, facts, scope.environment);
  for (const Instruction& instruction : file.global_args) {
    for (const Arg::Item& item : std::get<Arg>(instruction.body).items) {
      GlobalArg arg;
      arg.instruction = &instruction;
      std::optional<std::string> value;
      if (const auto given = build_args.find(item.name); given != build_args.end()) {
        value = given->second;
      } else if (item.value) {
        LintWord word = expand_for_lint(*item.value, scope.environment, {.escape = file.directives.escape});
        if (word.failure) throw Error(*word.failure).set_span(file.span(instruction.lines, *item.value));
        note_uses(arg, word, item.name, scope.args);
        value = std::move(word.text);
      }
      if (value) scope.environment.set(item.name, *value);
      scope.environment.declare(item.name);
      arg.value = value.value_or("");
      scope.args[item.name] = std::move(arg);
    }
  }
  return scope;
}

std::optional<std::size_t> find_stage(const Dockerfile& file, std::string_view name, std::size_t before) {
  const std::string lower = to_lower(name);
  for (std::size_t i = before; i-- > 0;) {
    if (!lower.empty() && file.stages[i].name == lower) return i;
  }
  return std::nullopt;
}

std::optional<std::size_t> find_source_stage(const Dockerfile& file, std::string_view name, std::size_t index) {
  if (const auto stage = find_stage(file, name, index)) return stage;
  if (const auto number = parse_int(name)) {
    if (*number >= 0 && *number < static_cast<std::int64_t>(index)) return static_cast<std::size_t>(*number);
    throw Error(ErrorKind::usage, fmt::format("invalid stage index {}: only earlier stages can be copied from", name));
  }
  if (find_stage(file, name, file.stages.size())) {
    throw Error(ErrorKind::usage,
                fmt::format("--from={} names this or a later stage: only earlier stages can be copied from", name));
  }
  return std::nullopt;
}

std::size_t find_target_stage(const Dockerfile& file, const std::string& target) {
  const std::size_t count = file.stages.size();
  if (target.empty()) return count - 1;
  if (const auto named = find_stage(file, target, count)) return *named;
  if (const auto number = parse_int(target); number && *number >= 0 && *number < static_cast<std::int64_t>(count)) {
    return static_cast<std::size_t>(*number);
  }
  std::vector<std::string> names;
  for (const Stage& stage : file.stages) {
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

std::set<std::string> source_names(const Instruction& instruction) {
  std::set<std::string> names;
  if (const auto* copy = std::get_if<Copy>(&instruction.body); copy != nullptr && copy->from) names.insert(*copy->from);
  if (const auto* run = std::get_if<Run>(&instruction.body)) {
    for (const MountFlag& mount : run->mounts) {
      for (const auto& [key, value] : mount.options) {
        if (key == "from" && !value.empty()) names.insert(value);
      }
    }
  }
  return names;
}

}  // namespace tektii::dockerfile
