#pragma once

#include <tektii/util/stream.hpp>

#include <memory>
#include <stop_token>
#include <string>

namespace tektii::cli {

// Standard input (the descriptor is not owned) as a stream whose reads end when a stop is requested. Throws
// Error{usage} when it is a terminal: nobody pipes anything into us then, and `what` would be waited for in silence.
std::unique_ptr<ByteSource> open_standard_input(int fd, const std::string& what, const std::stop_token& stop);

}  // namespace tektii::cli
