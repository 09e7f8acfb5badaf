#pragma once

#include <tektii/exec/executor.hpp>

namespace tektii::exec {

// Turns the calling process, which is root in its user namespace, into the user of the command, with at most the
// capabilities that Docker gives a container: root keeps those 14, anyone else has none but can regain them by
// set-user-ID programs. no_new_privs stays off for the same reason: su and sudo work. Without a sandbox everyone keeps
// all capabilities that the process has.
void become_user(const RunSpec& spec);

}  // namespace tektii::exec
