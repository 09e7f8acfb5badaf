#!/usr/bin/env bash
# Builds and runs the unit and integration tests under ASan+UBSan and under TSan.
#   scripts/sanitize.sh [asan|tsan]...       both by default
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$root"

presets=("$@")
[ ${#presets[@]} -gt 0 ] || presets=(asan tsan)
for preset in "${presets[@]}"; do
  [ "$preset" = asan ] || [ "$preset" = tsan ] || die "unknown preset '$preset'" "it is asan or tsan"
done

scripts/setup.sh build run
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1:halt_on_error=1}
export TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1:second_deadlock_stack=1:suppressions=$root/tests/tsan.supp}
for preset in "${presets[@]}"; do
  say "Building and testing the $preset preset"
  build_preset "$preset"
  ctest --preset "$preset"
done
