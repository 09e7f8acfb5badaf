#pragma once

#include "copy_source.hpp"
#include "variables.hpp"
#include <tektii/builder/build.hpp>
#include <tektii/dockerfile/instruction.hpp>

namespace tektii::builder {

// What a check of a COPY or ADD knows of its place in the build.
struct CopyCheck {
  const dockerfile::Dockerfile& file;
  const dockerfile::Instruction& instruction;
  const Variables& variables;
  const BuildDeps& deps;
  CopySource* source;  // a directory that paths are read from; nullptr when that is a stage or an image
};

// Checks a COPY or ADD as far as it goes before anything is fetched or run: flags and how they go together, references
// to other machines, and that literal paths exist. Words that depend on variables of a base image are left to the step.
// Throws Error{usage} with the span of the word.
void check_copy(const CopyCheck& check, const dockerfile::Copy& copy);

}  // namespace tektii::builder
