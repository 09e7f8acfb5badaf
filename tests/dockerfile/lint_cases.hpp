#pragma once

#include <map>
#include <string>
#include <vector>

// The table of lint_test.cpp. Images that a FROM may name are stubs there: with-env (FOO, APP_HOME), with-shell,
// with-onbuild, arm-image (another platform), unreachable; every other one has a PATH and nothing else.
struct LintCase {
  std::string name;
  std::string dockerfile;
  std::vector<std::string> warnings;  // "LINE RuleName: message", by line
  std::map<std::string, std::string> build_args = {};
  std::string target = {};
  std::vector<std::string> excluded = {};  // by the ignore file, with what is below them; "." for all of the root
  std::string problem = {};                // what stopped the checks
};

std::vector<LintCase> lint_structure_cases();
std::vector<LintCase> lint_from_cases();
std::vector<LintCase> lint_stage_cases();
std::vector<LintCase> lint_option_cases();
