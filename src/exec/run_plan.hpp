#pragma once

#include <tektii/exec/executor.hpp>

#include <sys/types.h>

#include <string>
#include <string_view>

namespace tektii::exec {

// What the init of a run is told: everything it needs, so that it decides nothing by itself.
struct RunPlan {
  Rootfs rootfs;
  RunSpec spec;
  pid_t parent = 0;  // the process that has to stay alive
};

// JSON, with every byte string in base64: paths, arguments and environments need not be UTF-8.
std::string serialize_plan(const RunPlan& plan);
RunPlan parse_plan(std::string_view json);

}  // namespace tektii::exec
