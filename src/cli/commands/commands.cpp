#include "cli/commands/commands.hpp"

#include "cli/commands/api.hpp"
#include "cli/commands/build.hpp"
#include "cli/commands/cache.hpp"
#include "cli/commands/image_builder.hpp"
#include "cli/commands/images.hpp"
#include "cli/commands/inspect.hpp"
#include "cli/commands/instruments.hpp"
#include "cli/commands/lock.hpp"
#include "cli/commands/login.hpp"
#include "cli/commands/sandbox.hpp"
#include "cli/commands/scenario.hpp"
#include "cli/commands/strategy.hpp"
#include "cli/commands/version.hpp"

namespace tektii::cli {

void make_commands(CLI::App& root, CommandContext& context) {
  setup_build(root, context);
  setup_lock(root, context);
  setup_strategy(root, context);
  setup_version(root, context, make_image_builder(context));
  setup_scenario(root, context);
  setup_image_transfers(root, context);
  setup_image_queries(root, context);
  setup_instruments(root, context);
  setup_api(root, context);
  setup_login(root, context);
  setup_cache(root, context);
  setup_sandbox(root, context);
}

}  // namespace tektii::cli
