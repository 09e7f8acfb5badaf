#pragma once

#include "exec/init_report.hpp"
#include "exec/run_plan.hpp"
#include <tektii/util/error.hpp>

namespace tektii::exec {

// The Error for a failure of the machinery, with hints where the user can act.
Error to_error(const InitReport& report, const RunPlan& plan);

}  // namespace tektii::exec
