#pragma once

#include <tektii/dockerfile/instruction.hpp>
#include <tektii/util/error.hpp>

#include <string>

namespace tektii::dockerfile {

// All of a Dockerfile as readable lines, for golden files.
std::string dump(const Dockerfile& file);

// An instruction without its original line.
std::string dump_body(const Instruction& instruction);

// "file:line:column+length: message", the line with a caret below what is wrong, then the hints, one per line.
std::string dump(const Error& error);

}  // namespace tektii::dockerfile
