#!/usr/bin/env bash
# From a fresh clone on Debian 12 to a strategy version with a finished scenario, without Docker: sets the machine up,
# builds the release binary and the base image, and runs the write workflow against a local sandbox of the platform.
# Works as root and as an ordinary user with sudo; everything it makes is below build/.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# The tests name another binary.
tektii=${TEKTII_BINARY:-$root/build/release/bin/tektii}
base_image=${TEKTII_BASE_IMAGE:-$root/build/base/python-3.11-slim}
work=${TEKTII_QUICKSTART_DIR:-$root/build/quickstart}

# Shows a command as one would type it, runs it, and keeps what it prints in $output.
run() {
  printf '\n%s$ tektii %s%s\n' "$bold" "${*//"$root/"/}" "$plain"
  "$tektii" "$@" 2>&1 | tee "$work/output"
  output=$(<"$work/output")
}

# The first word of $output that begins with a prefix: the ids of the platform say what they name.
id_in_output() {
  grep -oE "\b$1_[A-Za-z0-9_-]+" <<<"$output" | head -n 1 || die "the output above holds no ${1}_... id"
}

wait_until_finished() {
  local state deadline=$((SECONDS + 60))
  while :; do
    state=$("$tektii" scenario get "$1" "$2" --output json | jq -r '(.data // .) | .status // .state')
    case $state in
      PENDING | RUNNING) [ $SECONDS -lt $deadline ] || die "the scenario is still $state after a minute" ;;
      *) break ;;
    esac
    sleep 0.2
  done
  [ "$state" = COMPLETE ] || die "the scenario ended as $state"
}

# Runs inside `tektii sandbox --`, which set TEKTII_API_URL and TEKTII_API_KEY.
write_workflow() {
  local strategy version scenario example=$root/examples/momentum
  run strategy create --name momentum
  strategy=$(id_in_output strat)
  # The Dockerfile says FROM python:3.11-slim; --build-context says where that is found without Docker Hub.
  run version upload "$strategy" --dockerfile "$example/Dockerfile" --context "$example" \
    --build-context "python:3.11-slim=oci-layout://$base_image:3.11-slim"
  version=$(id_in_output ver)
  jq --arg version "$version" '.strategyVersionId = $version' "$example/scenario.json" >"$work/scenario.json"
  run scenario create "$strategy" --config "$work/scenario.json"
  scenario=$(id_in_output scen)
  wait_until_finished "$strategy" "$scenario"
  run scenario get "$strategy" "$scenario"
}

mkdir -p "$work"
if [ "${1:-}" = --inside-sandbox ]; then
  write_workflow
  exit 0
fi

say "1/4 Checking what this machine has"
"$root/scripts/setup.sh" build run base
say "2/4 Building the release binary (the first time takes a few minutes)"
build_preset release --target tektii
say "3/4 Preparing the base image"
base_image=$("$root/scripts/make-base-image.sh" "$base_image")
note "${base_image#"$root/"}"
say "4/4 Building examples/momentum, uploading it to a local sandbox and running a scenario there"
# The step cache stays below build/ as well, so that a second run shows what a cached build costs.
export TEKTII_CACHE_DIR=${TEKTII_CACHE_DIR:-$work/cache}
"$tektii" sandbox -- "$root/scripts/quickstart.sh" --inside-sandbox
printf '\n'
say "Done in ${SECONDS}s. The binary is build/release/bin/tektii; '--help' says what it can do."
