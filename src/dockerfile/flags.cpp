#include "dockerfile/flags.hpp"

#include <tektii/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace tektii::dockerfile {
namespace {

// Flags that other builders, or unstable frontends, have.
struct ForeignFlag {
  std::string_view keyword;
  std::string_view name;
  std::string_view hint;
};
constexpr std::array k_foreign_flags = {
    ForeignFlag{"RUN", "device",
                "devices are not stable in the Dockerfile language; docker/dockerfile:1-labs has them"},
    ForeignFlag{"FROM", "after", "this is Buildah's; a stage waits for those that it copies, mounts or begins from"},
    ForeignFlag{"ADD", "from", "only COPY takes files of another stage or image"},
    ForeignFlag{"COPY", "checksum", "only ADD verifies what it downloads"},
    ForeignFlag{"COPY", "unpack", "only ADD unpacks archives"},
    ForeignFlag{"COPY", "keep-git-dir", "only ADD takes git repositories"},
    ForeignFlag{"ADD", "parents", "only COPY keeps the parents of its sources"},
};

}  // namespace

FlagParser& FlagParser::boolean(std::string_view name, std::optional<bool>& value) {
  flags_.push_back({std::string(name), &value, false});
  return *this;
}

FlagParser& FlagParser::text(std::string_view name, std::optional<std::string>& value, bool keep_empty) {
  flags_.push_back({std::string(name), &value, keep_empty});
  return *this;
}

FlagParser& FlagParser::list(std::string_view name, std::vector<std::string>& values) {
  flags_.push_back({std::string(name), &values, false});
  return *this;
}

const FlagParser::Flag& FlagParser::find(const std::string& name) const {
  const auto found = std::find_if(flags_.begin(), flags_.end(), [&](const Flag& flag) { return flag.name == name; });
  if (found != flags_.end()) return *found;
  std::vector<std::string> names;
  for (const Flag& flag : flags_) names.push_back(flag.name);
  const auto suggestion = closest_match(name, names);
  const std::string offer = suggestion ? fmt::format(" (did you mean --{}?)", *suggestion) : std::string();
  const std::string keyword = statement_.upper_keyword();
  const auto foreign = std::find_if(k_foreign_flags.begin(), k_foreign_flags.end(), [&](const ForeignFlag& flag) {
    return flag.keyword == keyword && flag.name == name;
  });
  const std::string_view hint = foreign == k_foreign_flags.end() ? std::string_view() : foreign->hint;
  statement_.fail(fmt::format("unknown flag: --{}{}", name, offer), "--" + name, std::string(hint));
}

bool FlagParser::parse_boolean(const std::string& word, const std::string& name,
                               std::optional<std::string_view> value) const {
  if (!value) return true;
  if (value->empty()) statement_.fail(fmt::format("missing a value on flag: {}", name), word);
  if (equals_ignoring_case(*value, "true")) return true;
  if (equals_ignoring_case(*value, "false")) return false;
  statement_.fail(fmt::format("expecting boolean value for flag {}, not: {}", name, *value), word);
}

void FlagParser::parse() const {
  std::vector<std::string> seen;
  for (const std::string& word : statement_.flags) {
    const std::size_t equals = word.find('=');
    const bool has_value = equals != std::string::npos;
    const std::string name = word.substr(2, has_value ? equals - 2 : equals);
    const std::string_view value = has_value ? std::string_view(word).substr(equals + 1) : std::string_view();
    const Flag& flag = find(name);
    const bool repeatable = std::holds_alternative<std::vector<std::string>*>(flag.target);
    if (!repeatable && std::find(seen.begin(), seen.end(), name) != seen.end()) {
      statement_.fail(fmt::format("duplicate flag specified: {}", name), word);
    }
    seen.push_back(name);
    if (const auto* boolean = std::get_if<std::optional<bool>*>(&flag.target)) {
      **boolean = parse_boolean(word, name, has_value ? std::optional(value) : std::nullopt);
      continue;
    }
    if (!has_value) statement_.fail(fmt::format("missing a value on flag: {}", name), word);
    if (const auto* text = std::get_if<std::optional<std::string>*>(&flag.target)) {
      if (!value.empty() || flag.keep_empty) **text = std::string(value);
    } else {
      std::get<std::vector<std::string>*>(flag.target)->emplace_back(value);
    }
  }
}

void refuse_flags(const Statement& statement) {
  FlagParser(statement).parse();
}

}  // namespace tektii::dockerfile
