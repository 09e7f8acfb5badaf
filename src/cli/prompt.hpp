#pragma once

#include "cli/terminal.hpp"
#include <tektii/util/secret.hpp>

#include <stop_token>
#include <string>

namespace tektii::cli {

// One line from the terminal that is standard input; the question goes to standard error. Throws Error{interrupted} on
// a stop and Error{usage} at the end of the input.
std::string ask_line(Terminal& terminal, const std::string& question, const std::stop_token& stop);
// The same without echo; the terminal is as before when this returns or throws.
Secret ask_secret(Terminal& terminal, const std::string& question, const std::stop_token& stop);

}  // namespace tektii::cli
