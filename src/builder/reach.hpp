#pragma once

#include "plan.hpp"

namespace tektii::builder {

// Adds a stage to the plan and, first, all that it needs. What can't be resolved is a problem; the others go on.
void reach_stage(Plan& plan, const BuildRequest& request, int index, Problems& problems);

// Adds what the --from of a planned stage's triggers, or else of its own instructions, name.
void reach_sources(Plan& plan, const BuildRequest& request, int index, PlannedStage& stage, bool of_triggers,
                   Problems& problems);

}  // namespace tektii::builder
