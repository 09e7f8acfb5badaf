#!/usr/bin/env bash
# Sets the machine up, builds, and runs every test that CI runs.
#   scripts/test.sh [--preset NAME] [CTEST OPTION...]      e.g. scripts/test.sh -L unit, or -R builder
# Labels: unit integration linux-ns e2e slow. Without options all but the slow ones run; those are for a night
# (scripts/nightly.sh). With CI set in the environment a test that can't run here fails instead of
# being skipped.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$root"

preset=dev
if [ "${1:-}" = --preset ]; then
  preset=${2:?--preset needs a name}
  shift 2
fi
if [ -n "${CI:-}" ] && [ "$CI" != false ]; then
  export TEKTII_REQUIRE_NS=1 TEKTII_REQUIRE_E2E=1
fi

say "Checking what this machine has"
scripts/setup.sh
say "Building the $preset preset"
build_preset "$preset"
[ $# -gt 0 ] || set -- -LE slow
say "Running the tests"
exec ctest --test-dir "build/$preset" --output-on-failure --no-tests=error --parallel "$(nproc)" "$@"
