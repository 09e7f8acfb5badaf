#include "dockerfile/word_expander.hpp"
#include <tektii/dockerfile/expand.hpp>

namespace tektii::dockerfile {

Expanded expand_word(std::string_view word, const Lookup& lookup, const ExpandOptions& options) {
  WordExpander expander(word, lookup, options);
  expander.run();
  return std::move(expander.expanded());
}

std::vector<std::string> expand_words(std::string_view word, const Lookup& lookup, const ExpandOptions& options) {
  WordExpander expander(word, lookup, options);
  expander.run();
  return std::move(expander.words());
}

}  // namespace tektii::dockerfile
