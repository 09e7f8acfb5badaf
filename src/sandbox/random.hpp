#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tektii::sandbox {

// `bytes` bytes from the system's generator, as lower-case hex. Fit for keys and tokens.
std::string random_hex(std::size_t bytes);

// "<prefix>_" and 12 random characters; lower-case, so that an id may be part of a repository's name.
std::string random_id(std::string_view prefix);

}  // namespace tektii::sandbox
