#pragma once

#include "names.hpp"
#include <tektii/builder/build.hpp>
#include <tektii/dockerfile/instruction.hpp>

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tektii::builder {

struct PlannedStage {
  const dockerfile::Stage* stage = nullptr;
  SourceName base;
  bool replaced = false;  // a --build-context of the stage's name is built on as it is: no instruction runs
  std::string title;      // its name, else "stage-1"; as it stands in progress lines

  std::span<const dockerfile::Instruction> instructions() const {
    if (replaced) return {};
    return stage->instructions;
  }
};

// The stages that the target reaches, in an order in which each comes after those that it needs.
struct Plan {
  dockerfile::Dockerfile file;
  std::map<std::string, std::string> global_args;  // ARG before the first FROM, with --build-arg applied
  std::map<int, PlannedStage> stages;              // by index in the Dockerfile
  int target = -1;
  std::vector<std::string> images;  // that the build opens, each once
};

// Parses and plans; every problem that can be known without a request is found here. Throws Error{usage}.
Plan make_plan(const BuildRequest& request, const BuildDeps& deps);

// What the --from of a COPY names, seen from stage `index`.
SourceName resolve_from(const Plan& plan, const BuildRequest& request, int index, const std::string& from);

}  // namespace tektii::builder
