#pragma once

#include "plan.hpp"
#include "problems.hpp"

#include <string>
#include <vector>

namespace tektii::builder {

// Checks each instruction of the planned stages as far as it goes without a base image: sources of COPY, ADD and mounts
// must exist in the context, flags must go together, a RUN must be possible on this machine and allowed what it asks
// for.
void check_stages(const Plan& plan, const BuildRequest& request, const BuildDeps& deps, Problems& problems);

// The same for one stage that a trigger reached later.
void check_stage(const Plan& plan, const BuildRequest& request, const BuildDeps& deps, Problems& problems, int index);

// Checks the ONBUILD triggers that a stage has from its base image, whose environment is known by then.
void check_triggers(const Plan& plan, const BuildRequest& request, const BuildDeps& deps, Problems& problems, int index,
                    const std::vector<std::string>& environment);

}  // namespace tektii::builder
