#include "cli/exit_code.hpp"

namespace tektii::cli {

int exit_code_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::failure:
    case ErrorKind::damaged:
      return k_exit_failure;
    case ErrorKind::usage:
      return k_exit_usage;
    case ErrorKind::run_failed:
      return k_exit_run_failed;
    case ErrorKind::denied:
      return k_exit_denied;
    case ErrorKind::network:
      return k_exit_network;
    case ErrorKind::platform_mismatch:
      return k_exit_platform_mismatch;
    case ErrorKind::immutable_tag:
      return k_exit_immutable_tag;
    case ErrorKind::not_found:
      return k_exit_not_found;
    case ErrorKind::rate_limited:
      return k_exit_rate_limited;
    case ErrorKind::content:
      return k_exit_content;
    case ErrorKind::interrupted:
      return k_exit_interrupted;
  }
  return k_exit_failure;
}

}  // namespace tektii::cli
