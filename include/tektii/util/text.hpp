#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tektii {

std::string_view trim(std::string_view text);                           // ASCII white space on both sides
std::vector<std::string> split(std::string_view text, char separator);  // keeps empty fields
std::string join(std::span<const std::string> parts, std::string_view separator);
std::string to_lower(std::string_view text);  // ASCII only
bool equals_ignoring_case(std::string_view a, std::string_view b);

// The whole text as an integer in base 10; nullopt on anything else, overflow included.
std::optional<std::int64_t> parse_int(std::string_view text);

// Replaces control characters (C0, DEL, C1 in UTF-8) by \xNN, so that text from servers and builds can't drive the
// terminal. Tab stays; '\n' stays when keep_newlines.
std::string escape_control(std::string_view text, bool keep_newlines = false);

// The candidate closest to `word` (Damerau-Levenshtein without regard to case, at most a third of the word's length
// away; the first of equals), for "did you mean".
std::optional<std::string> closest_match(std::string_view word, std::span<const std::string> candidates);

std::string format_bytes(std::uint64_t bytes);           // "12.3 MB" (powers of 1000)
std::string format_duration(std::int64_t milliseconds);  // "340ms", "2.1s", "1m 05s"

// Columns a terminal needs for a UTF-8 string (wide and combining characters are counted as wcwidth does, without
// depending on the locale).
std::size_t display_width(std::string_view text);

std::string base64_encode(std::string_view bytes);
std::optional<std::string> base64_decode(std::string_view text);  // accepts missing padding

}  // namespace tektii
