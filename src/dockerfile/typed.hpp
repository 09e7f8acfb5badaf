#pragma once

#include "dockerfile/statement.hpp"
#include <tektii/dockerfile/instruction.hpp>

namespace tektii::dockerfile {

// Gives a statement its type and checks it. Throws Error{usage} with a span.
InstructionBody parse_body(const Statement& statement);

// Whether heredocs are looked for behind the statement: RUN, COPY and ADD, also as an ONBUILD trigger, but not in JSON
// form.
bool may_open_heredocs(const Statement& statement);

// The instruction behind ONBUILD, with the lines and heredocs of the statement.
Statement trigger_of(const Statement& onbuild);

// One parser per instruction; parse_body chooses.
InstructionBody parse_from(const Statement& statement);
InstructionBody parse_arg(const Statement& statement);
InstructionBody parse_env(const Statement& statement);
InstructionBody parse_label(const Statement& statement);
InstructionBody parse_maintainer(const Statement& statement);
InstructionBody parse_workdir(const Statement& statement);
InstructionBody parse_user(const Statement& statement);
InstructionBody parse_expose(const Statement& statement);
InstructionBody parse_volume(const Statement& statement);
InstructionBody parse_stopsignal(const Statement& statement);
InstructionBody parse_shell(const Statement& statement);
InstructionBody parse_cmd(const Statement& statement);
InstructionBody parse_entrypoint(const Statement& statement);
InstructionBody parse_healthcheck(const Statement& statement);
InstructionBody parse_run(const Statement& statement);
InstructionBody parse_copy(const Statement& statement);
InstructionBody parse_onbuild(const Statement& statement);

}  // namespace tektii::dockerfile
