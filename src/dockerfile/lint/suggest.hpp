#pragma once

#include <span>
#include <string>
#include <string_view>

namespace tektii::dockerfile {

// The first of the closest candidates with fewer than three edits (Levenshtein, with case), as the reference
// implementation suggests names; empty when there is none, and when the word itself is among them.
std::string suggest_name(std::string_view word, std::span<const std::string> candidates);

}  // namespace tektii::dockerfile
