#pragma once

#include "plan.hpp"

namespace tektii::builder {

// Adds a stage to the plan, and all that it needs. What can't be resolved is a problem; the others go on.
void reach_stage(Plan& plan, const BuildRequest& request, int index, Problems& problems);

}  // namespace tektii::builder
