#pragma once

#include "names.hpp"
#include "problems.hpp"
#include <tektii/builder/build.hpp>
#include <tektii/dockerfile/instruction.hpp>
#include <tektii/util/error.hpp>

#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace tektii::builder {

struct PlannedStage {
  const dockerfile::Stage* stage = nullptr;
  SourceName base;
  bool replaced = false;  // a --build-context of the stage's name is built on as it is: no instruction runs
  std::string title;      // its name, else "stage-1"; as it stands in progress lines
  // ONBUILD of the base, run before the stage's own instructions. Their lines are those of FROM.
  std::vector<dockerfile::Instruction> triggers;
  bool has_image_triggers = false;  // those of an image were added
  std::set<int> needs;              // stages that are built on, copied from or mounted

  std::span<const dockerfile::Instruction> instructions() const {
    if (replaced) return {};
    return stage->instructions;
  }
};

// The place in the Dockerfile that names an image, and what it says there: a --build-context opens another one for it.
struct ImageUse {
  SourceSpan span;
  std::string written;
};

// The stages that the target reaches; each comes after those that it needs.
struct Plan {
  dockerfile::Dockerfile file;
  std::map<std::string, std::string> global_args;  // ARG before the first FROM, with --build-arg applied
  std::map<int, PlannedStage> stages;              // by index in the Dockerfile
  int target = -1;
  std::vector<std::string> images;             // that the build opens, each once, sorted
  std::map<std::string, ImageUse> image_uses;  // how each of them is named first
};

// Parses and plans; every problem that can be known without a request is found here. Throws Error{usage}.
Plan make_plan(const BuildRequest& request, const BuildDeps& deps);

// The plan of what the target needs, or of every stage when the request names no target, to see what it takes from
// other places: nothing is checked that only matters where steps run. Throws Error{usage}.
Plan make_source_plan(const BuildRequest& request);

// What the --from of a COPY or the from= of a mount names, seen from stage `index`.
SourceName resolve_from(const Plan& plan, const BuildRequest& request, int index, const std::string& from);

// Parses what ONBUILD of a stage's base says and plans it: stages and images that only a trigger needs are reached now.
void plan_triggers(Plan& plan, const BuildRequest& request, int index, const std::vector<std::string>& triggers,
                   Problems& problems);

// Makes an error in a trigger speak of the image that it comes from, at the FROM that names it.
Error& blame_trigger(Error& error, const Plan& plan, const PlannedStage& stage, std::string_view trigger);

}  // namespace tektii::builder
