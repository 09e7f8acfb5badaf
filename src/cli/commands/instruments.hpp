#pragma once

#include "cli/context.hpp"
#include <tektii/api/types.hpp>

namespace tektii::cli {

// `tektii instruments list`, which needs no key.
void setup_instruments(CLI::App& root, CommandContext& context);

int run_instruments_list(const api::InstrumentFilter& filter, CommandContext& context);

}  // namespace tektii::cli
