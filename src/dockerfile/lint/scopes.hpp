#pragma once

#include "dockerfile/lint/environment.hpp"
#include <tektii/dockerfile/instruction.hpp>
#include <tektii/dockerfile/lint.hpp>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace tektii::dockerfile {

// What a variable that is declared before the first FROM came from.
struct GlobalArg {
  const Instruction* instruction = nullptr;  // the last that declares it
  std::string value;
  std::set<std::string> uses;  // variables in its default
};

// The variables before the first FROM: those of the platform and the ARGs there.
struct GlobalScope {
  Environment environment;
  std::map<std::string, GlobalArg> args;
};

// `build_args` are those that count, which may be none; the variables of the platform take theirs from the facts.
// Throws Error{usage} with a span.
GlobalScope evaluate_global_args(const Dockerfile& file, const LintFacts& facts,
                                 const std::map<std::string, std::string>& build_args);

// The last stage before `before` of that name, compared without case.
std::optional<std::size_t> find_stage(const Dockerfile& file, std::string_view name, std::size_t before);

// The stage that the --from of stage `index` names, or nullopt for an image or a context. Throws Error{usage} without a
// span when it is this stage or a later one.
std::optional<std::size_t> find_source_stage(const Dockerfile& file, std::string_view name, std::size_t index);

// The stage that is built: the facts' target by name or index, else the last. Throws Error{usage}.
std::size_t find_target_stage(const Dockerfile& file, const std::string& target);

// Names in the --from of COPY and of RUN --mount.
std::set<std::string> source_names(const Instruction& instruction);

}  // namespace tektii::dockerfile
