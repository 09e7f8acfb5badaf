#pragma once

namespace tektii::exec {

// The descriptors with which an init is started; 0, 1 and 2 are those of the command.
inline constexpr int k_plan_fd = 3;     // memfd with the plan, to be read from its start
inline constexpr int k_report_fd = 4;   // init -> parent: InitReport messages
inline constexpr int k_control_fd = 5;  // parent -> init: k_terminate; end of file means: die at once
inline constexpr int k_secrets_fd = 6;  // memfd with the values of all secrets behind each other
inline constexpr int k_first_foreign_fd = 7;

inline constexpr char k_terminate = 'T';  // SIGTERM for the command

}  // namespace tektii::exec
