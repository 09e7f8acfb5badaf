#pragma once

#include "dockerfile/statement.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tektii::dockerfile {

// The flags that an instruction knows, and where their values go.
class FlagParser {
 public:
  explicit FlagParser(const Statement& statement) : statement_(statement) {}

  // --name, --name=true or --name=false.
  FlagParser& boolean(std::string_view name, std::optional<bool>& value);
  // --name=value, once; an empty value counts as not given unless `keep_empty`.
  FlagParser& text(std::string_view name, std::optional<std::string>& value, bool keep_empty = false);
  // --name=value, any number of times.
  FlagParser& list(std::string_view name, std::vector<std::string>& values);

  // Throws Error{usage} for what is unknown (with a suggestion), repeated, or without a proper value.
  void parse() const;

 private:
  using Target = std::variant<std::optional<bool>*, std::optional<std::string>*, std::vector<std::string>*>;
  struct Flag {
    std::string name;
    Target target;
    bool keep_empty = false;
  };

  const Flag& find(const std::string& name) const;
  bool parse_boolean(const std::string& word, const std::string& name, std::optional<std::string_view> value) const;

  const Statement& statement_;
  std::vector<Flag> flags_;
};

// For an instruction without flags.
void refuse_flags(const Statement& statement);

}  // namespace tektii::dockerfile
