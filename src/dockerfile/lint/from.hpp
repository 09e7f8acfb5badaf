#pragma once

#include "dockerfile/lint/reporter.hpp"
#include "dockerfile/lint/scopes.hpp"
#include <tektii/dockerfile/instruction.hpp>
#include <tektii/dockerfile/lint.hpp>

#include <string>

namespace tektii::dockerfile {

// InvalidDefaultArgInFrom: whether each FROM names an image when no build argument is given.
void check_default_args(const Dockerfile& file, const LintFacts& facts, LintReporter& reporter);

struct FromWords {
  std::string image;
  std::string platform;  // empty without --platform
};

// Expands the words of a FROM and checks the variables and the platform in it. Throws Error{usage} with a span when
// they come to nothing.
FromWords check_from_words(const Dockerfile& file, const Stage& stage, const GlobalScope& globals,
                           LintReporter& reporter);

}  // namespace tektii::dockerfile
