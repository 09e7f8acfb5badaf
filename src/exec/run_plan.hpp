#pragma once

#include <tektii/exec/executor.hpp>

#include <sys/types.h>

#include <functional>
#include <string>
#include <string_view>

namespace tektii::exec {

// What the init of a run is told: everything it needs, so that it decides nothing by itself.
struct RunPlan {
  Rootfs rootfs;
  RunSpec spec;
  pid_t parent = 0;  // the process that has to stay alive
};

// JSON, with every byte string in base64: paths, arguments and environments need not be UTF-8. The values of secrets
// are not in it.
std::string serialize_plan(const RunPlan& plan);
// Calls `write` with the value of each secret, in the order in which parse_plan wants their bytes.
void for_each_secret(const RunPlan& plan, const std::function<void(std::string_view)>& write);
// `secrets` are the values of all secrets behind each other.
RunPlan parse_plan(std::string_view json, std::string_view secrets);

}  // namespace tektii::exec
