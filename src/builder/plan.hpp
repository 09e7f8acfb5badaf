#pragma once

#include <tektii/builder/build.hpp>
#include <tektii/dockerfile/instruction.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tektii::builder {

// What a FROM or a --from names.
struct SourceName {
  enum class Kind { scratch, stage, directory, image };
  Kind kind = Kind::image;
  int stage = -1;    // Kind::stage
  std::string name;  // Kind::image: as it is opened; Kind::directory: the named context
};

struct PlannedStage {
  const dockerfile::Stage* stage = nullptr;
  SourceName base;
  std::string title;  // its name, else "stage-1"; as it stands in progress lines
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
