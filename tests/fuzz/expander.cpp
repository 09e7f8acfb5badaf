#include "fuzz/require.hpp"
#include "fuzz/targets.hpp"
#include <tektii/dockerfile/expand.hpp>

#include <algorithm>

namespace tektii::fuzz {
namespace {

std::optional<std::string> look_up(std::string_view name) {
  if (name == "A") return "alpha";
  if (name == "E") return "";
  if (name == "P") return "/usr/local/bin:/bin";
  if (name == "G") return "a*b?c\\ d\n\xC3\xA9";
  return std::nullopt;
}

}  // namespace

void check_expander(std::string_view input) {
  if (input.empty()) return;
  const auto choice = static_cast<unsigned char>(input.front());
  const std::string_view word = input.substr(1);
  dockerfile::ExpandOptions options;
  options.escape = (choice & 1U) != 0 ? '`' : '\\';
  options.raw_quotes = (choice & 2U) != 0;
  options.raw_escapes = (choice & 4U) != 0;
  const bool is_plain = word.find_first_of("$\\`'\"") == std::string_view::npos;
  const bool refused = is_refused([&] {
    const dockerfile::Expanded expanded = dockerfile::expand_word(word, look_up, options);
    if (is_plain) require(expanded.text == word, "a plain word stays as it is");
    for (const std::string& name : expanded.used) {
      require(look_up(name).has_value(), "what is used is set");
      require(!expanded.unset.contains(name), "nothing is both used and unset");
    }
    if (expanded.used.empty() && expanded.unset.empty() && expanded.text == word && !options.raw_escapes) {
      require(dockerfile::expand_word(expanded.text, look_up, options).text == word, "expansion is stable");
    }
  });
  require(!(refused && is_plain), "a plain word is no error");
  const bool words_refused = is_refused([&] {
    const auto words = dockerfile::expand_words(word, look_up, options);
    require(std::none_of(words.begin(), words.end(), [](const std::string& part) { return part.empty(); }),
            "no word is empty");
  });
  require(refused == words_refused, "words fail where the word does");
}

}  // namespace tektii::fuzz
