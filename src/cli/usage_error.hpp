#pragma once

#include <tektii/util/error.hpp>

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace tektii::cli {

// The command that parsing got to: "version get" out of `tektii version get`.
CLI::App& innermost_command(CLI::App& app);

// A wrong command line as Error{usage}. An unknown command or option is named first, whatever else is wrong, with the
// one that was probably meant.
Error usage_error(CLI::App& app, const CLI::ParseError& error);

}  // namespace tektii::cli
