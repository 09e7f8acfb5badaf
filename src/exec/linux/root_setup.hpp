#pragma once

#include "exec/run_plan.hpp"

namespace tektii::exec {

// Builds the root directory of a run in a mount namespace of its own and makes it the root of the process. The caller
// is the first process of the new pid namespace, because /proc shows the one of who mounts it. Leaves directories in
// rootfs.work_dir, which the parent removes, and nothing in rootfs.upper_dir.
void enter_root(const RunPlan& plan);

}  // namespace tektii::exec
