#pragma once

#include "cli/terminal.hpp"
#include <tektii/util/error.hpp>

#include <string>

namespace tektii::cli {

// The text of an error for the user, ending with a line end:
//
//   Error: what, in its context
//     --> Dockerfile:7:3
//      |
//    7 | RUNN pip install .
//      | ^^^^
//   hint: did you mean RUN?
//
// Control characters are escaped; colours as the terminal says.
std::string render_error(const Error& error, const Terminal& terminal);

// The same for an exception that is not an Error: a defect of the program, or memory that ran out.
std::string render_unexpected(const std::string& what, const Terminal& terminal);

}  // namespace tektii::cli
