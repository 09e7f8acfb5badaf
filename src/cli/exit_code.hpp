#pragma once

#include <tektii/util/error.hpp>

namespace tektii::cli {

// The documented exit codes (docs/errors.md); the only table of them.
inline constexpr int k_exit_ok = 0;
inline constexpr int k_exit_failure = 1;
inline constexpr int k_exit_usage = 2;
inline constexpr int k_exit_run_failed = 3;
inline constexpr int k_exit_denied = 4;
inline constexpr int k_exit_network = 5;
inline constexpr int k_exit_platform_mismatch = 6;
inline constexpr int k_exit_immutable_tag = 7;
inline constexpr int k_exit_not_found = 8;
inline constexpr int k_exit_rate_limited = 9;
inline constexpr int k_exit_content = 10;
// How a scenario that was waited for ended.
inline constexpr int k_exit_scenario_failed = 20;
inline constexpr int k_exit_scenario_cancelled = 21;
inline constexpr int k_exit_gate_failed = 22;   // a condition of --fail-if holds
inline constexpr int k_exit_gate_missing = 23;  // none holds, but the run lacks the metric of one
inline constexpr int k_exit_signal = 128;       // and the number of the signal
inline constexpr int k_exit_interrupted = k_exit_signal + 2;

int exit_code_of(ErrorKind kind);

}  // namespace tektii::cli
