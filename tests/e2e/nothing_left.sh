#!/usr/bin/env bash
# After a build that succeeds, one whose RUN fails, and one that is interrupted in the middle of a RUN: no mount, no
# process and no temporary file is left.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
require_tools jq
use_base_image

context=$work/context
copy_example "$context"
export TMPDIR=$work/tmp
mkdir "$TMPDIR"
# A duration that no other process of the machine sleeps for.
nap=1234.$$

build() { "$tektii" build --build-context "$base_context" "$@" "$context"; }

# Ours could only be overlays, or below our own directory; other programs of the machine may mount meanwhile.
mounts() { awk -v work="$work" '/ - overlay / || index($0, work) { print $5 }' /proc/self/mountinfo | sort; }

# Processes of the RUN, or of our binary.
leftovers() {
  local directory
  for directory in /proc/[0-9]*; do
    if [ "$(readlink "$directory/exe" 2>/dev/null)" = "$(realpath "$tektii")" ] &&
      tr '\0' '\n' <"$directory/environ" 2>/dev/null | grep -qxF "TMPDIR=$TMPDIR"; then
      echo "${directory#/proc/}"
    elif tr '\0' ' ' <"$directory/cmdline" 2>/dev/null | grep -qxF "sleep $nap "; then
      echo "${directory#/proc/}"
    fi
  done
}

# True once the RUN has come to its sleep. (No pipe into grep -q: it would end the writers by SIGPIPE.)
command_runs() {
  local names
  names=$(leftovers | xargs -I{} cat /proc/{}/comm 2>/dev/null) || true
  [[ $'\n'$names$'\n' == *$'\nsleep\n'* ]]
}

expect_nothing_left() {
  expect_equal "$1: mounts" "$(mounts)" "$mounts_before"
  expect_equal "$1: processes" "$(leftovers)" ""
  expect_equal "$1: files in TMPDIR" "$(find "$TMPDIR" -mindepth 1)" ""
  # Of the store, what a build works in: files being written, and the directories of an overlay.
  expect_equal "$1: work of the store" \
    "$(cd "$TEKTII_CACHE_DIR" && find . -path '*/tmp/*' -not -name '*.lock' 2>/dev/null | head -n 5)" ""
}

mounts_before=$(mounts)

step "a build that succeeds"
build --output "type=oci,dest=$work/out" >/dev/null
expect_nothing_left "success"

step "a RUN that fails"
printf 'FROM python:3.11-slim\nRUN touch /tmp/x && exit 9\n' >"$work/failing.Dockerfile"
status=0
build -f "$work/failing.Dockerfile" >/dev/null 2>"$work/stderr" || status=$?
expect_equal "the exit code of a failed RUN" "$status" 3
expect_nothing_left "a failed RUN"

for signal in INT TERM; do
  number=$(kill -l "$signal")
  step "SIG$signal in the middle of a RUN"
  printf 'FROM python:3.11-slim\nRUN echo started && (sleep %s & sleep %s)\n' "$nap" "$nap" >"$work/slow.Dockerfile"
  # A shell without job control starts background commands with SIGINT ignored.
  env --default-signal=INT,TERM "$tektii" build -f "$work/slow.Dockerfile" --build-context "$base_context" "$context" \
    >/dev/null 2>"$work/stderr" &
  pid=$!
  pids+=("$pid")
  waited=0
  until command_runs; do
    kill -0 "$pid" 2>/dev/null && [ $((waited += 1)) -lt 300 ] || fail "the RUN did not start: $(cat "$work/stderr")"
    sleep 0.1
  done
  begin=$SECONDS
  kill "-$signal" "$pid"
  status=0
  wait "$pid" || status=$?
  expect_equal "the exit code after SIG$signal" "$status" $((128 + number))
  [ $((SECONDS - begin)) -le 10 ] || fail "it took $((SECONDS - begin)) seconds to stop"
  expect_nothing_left "SIG$signal"
done

step "SIGKILL: the next build clears up"
env "$tektii" build -f "$work/slow.Dockerfile" --build-context "$base_context" "$context" >/dev/null 2>"$work/stderr" &
pid=$!
pids+=("$pid")
until command_runs; do
  kill -0 "$pid" 2>/dev/null || fail "the RUN did not start: $(cat "$work/stderr")"
  sleep 0.1
done
kill -KILL "$pid"
wait "$pid" 2>/dev/null || true
waited=0
until [ -z "$(leftovers)" ]; do
  [ $((waited += 1)) -lt 50 ] || fail "processes outlive a killed build: $(leftovers)"
  sleep 0.1
done
build --output "type=oci,dest=$work/out" >/dev/null
expect_nothing_left "a build after SIGKILL"
