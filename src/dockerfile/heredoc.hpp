#pragma once

#include <tektii/dockerfile/instruction.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tektii::dockerfile {

// The heredoc that a word opens, without content: [fd]<<[-]NAME, where quotes in NAME mean that nothing is expanded in
// the body. nullopt when the word is something else. Throws Error{usage} when its quotes don't match.
std::optional<Heredoc> parse_heredoc_word(std::string_view word);

// The words of a line as they are written, quotes and escapes included; "<< EOF" is one word. nullopt when the quotes
// of the line don't match.
std::optional<std::vector<std::string>> split_shell_words(std::string_view line);

// Every heredoc that a line opens, in order. A line that can't be split into words opens none, as in `echo it's <<EOF`:
// that is an error of the shell, which will say so.
std::vector<Heredoc> find_heredocs(std::string_view line);

}  // namespace tektii::dockerfile
