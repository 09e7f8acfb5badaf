#pragma once

#include "stage_builder.hpp"

#include <cstddef>
#include <stop_token>

namespace tektii::builder {

// Builds every stage of the session's plan, each as soon as what it needs is there, `jobs` at a time (0: one per
// processor). The first failure is the one that is rethrown: it stops the other stages through `stop`, whose token must
// be the session's.
void build_stages(BuildSession& session, int jobs, std::stop_source stop);

}  // namespace tektii::builder
