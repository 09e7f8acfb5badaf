#pragma once

#include "plan.hpp"
#include "problems.hpp"

namespace tektii::builder {

// Checks each instruction of the planned stages as far as it goes without a base image: what is not supported yet is
// refused by name with its line, sources of COPY must exist in the context, a RUN must be possible on this machine.
void check_stages(const Plan& plan, const BuildRequest& request, const BuildDeps& deps, Problems& problems);

}  // namespace tektii::builder
