#include "cli/command_line.hpp"
#include "cli/commands/commands.hpp"
#include "cli/context.hpp"
#include "cli/signals.hpp"
#include "cli/terminal.hpp"
#include "cli/version.hpp"
#include <tektii/cli/app.hpp>
#include <tektii/net/http.hpp>
#include <tektii/util/clock.hpp>

#include <iostream>
#include <string>
#include <vector>

namespace tektii::cli {

int run_app(int argc, char** argv) {
  survive_broken_pipes();
  Terminal terminal(std::cout, std::cerr, detect_terminal());
  SystemClock clock;
  CommandContext context(terminal, clock,
                         [] { return net::make_curl_transport("tektii/" + std::string(product_version())); });
  return run_command_line(std::vector<std::string>(argv + 1, argv + argc), context, make_commands);
}

}  // namespace tektii::cli
