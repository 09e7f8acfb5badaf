#pragma once

#include <tektii/dockerfile/expand.hpp>
#include <tektii/util/error.hpp>

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tektii::dockerfile {

// The variables that the instructions of one scope see.
class Environment {
 public:
  // With is_known = false the variable is set, but what it holds hangs on a base image that could not be looked up.
  void set(const std::string& name, std::string value, bool is_known = true);
  bool is_known(std::string_view name) const;
  std::optional<std::string> get(std::string_view name) const;
  // In the order in which they were set last, which decides between equally good suggestions.
  std::vector<std::string> names() const;

  // ARG name without a value: known, but not set.
  void declare(const std::string& name) { declared_.insert(name); }
  bool is_declared(const std::string& name) const { return declared_.contains(name); }
  const std::set<std::string>& declared() const { return declared_; }

  // The base image is not known, so that any other variable may be set, too.
  void set_incomplete() { complete_ = false; }
  bool is_complete() const { return complete_; }

 private:
  struct Value {
    std::string text;
    std::size_t order = 0;
    bool is_known = true;
  };
  std::map<std::string, Value, std::less<>> values_;
  std::set<std::string> declared_;
  std::size_t next_order_ = 0;
  bool complete_ = true;
};

struct LintWord {
  std::string text;
  std::vector<std::string> found;    // variables that were looked up, each once
  std::vector<std::string> missing;  // and those that are not set, also where there is a default
  bool known = true;                 // false when the text hangs on a base image that is not known
  std::optional<Error> failure;      // the word can't be expanded; the text is empty then
};

// Expands a word. Other than for a build, the shell's parameters ($1, $@) count as variables that are not set: nobody
// who writes them in a Dockerfile means the empty string.
LintWord expand_for_lint(std::string_view word, const Environment& environment, const ExpandOptions& options);

}  // namespace tektii::dockerfile
