#!/usr/bin/env bash
# What takes too long for every change: the slow tests (among them two hundred builds that are killed at random moments),
# the limits of memory and time, the comparison with Buildah, the sanitizers, and ten minutes of each fuzz target. A
# failure does not hide the others. Two hours on two cores.
#   scripts/nightly.sh
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
. scripts/common.sh
export CI=${CI:-true}

failed=()
run() {
  say "Nightly: $*"
  "$@" </dev/null || failed+=("$*")
}

run scripts/test.sh -L slow
run scripts/limits.sh
run scripts/differential.sh
run scripts/sanitize.sh
run scripts/fuzz.sh 600

[ ${#failed[@]} -eq 0 ] || die "failed tonight:" "${failed[@]}"
say "Nothing failed"
