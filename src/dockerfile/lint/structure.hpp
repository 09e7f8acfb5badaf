#pragma once

#include "dockerfile/lint/reporter.hpp"
#include <tektii/dockerfile/instruction.hpp>

namespace tektii::dockerfile {

// The rules that look at how the file is written, whatever its stages do: casing, names of stages, comments, empty
// continuation lines, MAINTAINER.
void check_structure(const Dockerfile& file, LintReporter& reporter);

}  // namespace tektii::dockerfile
