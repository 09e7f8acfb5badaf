#!/usr/bin/env bash
# Builds the fuzz targets with clang and runs them, one after the other, each from the inputs kept in testdata.
#   scripts/fuzz.sh [SECONDS] [TARGET...]     60 seconds each, every target
# What a run finds goes to build/fuzz/found/TARGET; an input that fails is put into testdata/fuzz/TARGET with its mending,
# where the unit tests replay it.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$root"

seconds=60
if [[ "${1:-}" =~ ^[0-9]+$ ]]; then
  seconds=$1
  shift
fi
all=(parser expander ignore flags)
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=("${all[@]}")
for target in "${targets[@]}"; do
  [[ " ${all[*]} " == *" $target "* ]] || die "unknown fuzz target '$target'" "the targets are: ${all[*]}"
done
command -v clang++-14 >/dev/null || die "clang++-14 is not installed" "Run scripts/setup.sh build lint"

build_preset fuzz
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1:halt_on_error=1}
for target in "${targets[@]}"; do
  say "Fuzzing $target for $seconds seconds"
  found=build/fuzz/found/$target
  mkdir -p "$found"
  seeds=("testdata/fuzz/$target")
  [ "$target" != parser ] || seeds+=(testdata/dockerfile/ok testdata/dockerfile/bad)
  "build/fuzz/tests/fuzz/tektii_fuzz_$target" -max_total_time="$seconds" -max_len=4096 -timeout=10 -print_final_stats=1 \
    -dict=tests/fuzz/dockerfile.dict -artifact_prefix="$found/failed-" "$found" "${seeds[@]}"
done
