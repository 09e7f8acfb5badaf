#pragma once

#include <string>
#include <string_view>

namespace tektii::fs {

// Go's path.Clean: "." for nothing, no "//", "." or inner "..", no trailing slash; ".." at the start stays.
std::string clean_path(std::string_view path);

// Decodes the UTF-8 character at `position` and moves behind it. A malformed byte is taken as one character of its own,
// as Go does (there it becomes U+FFFD), with a value that no text has.
char32_t next_rune(std::string_view text, std::size_t& position);

}  // namespace tektii::fs
