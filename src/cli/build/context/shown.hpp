#pragma once

#include <string>

namespace tektii::cli {

// What the user named as a context or file, for messages: without control characters, and of a URL neither the user
// information nor the query, which may hold passwords.
std::string shown_context(const std::string& given);

}  // namespace tektii::cli
