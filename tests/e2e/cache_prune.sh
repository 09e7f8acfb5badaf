#!/usr/bin/env bash
# The life of the store by command: `cache du` and `cache prune` tell and remove what builds left, as root and as an ordinary
# user whose unpacked layers belong to subordinate ids; a build that runs meanwhile loses nothing; the automatic limit holds.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
require_tools jq runuser
use_base_image
pick_user

context=$work/context
mkdir "$context"
echo hello >"$context/file"
printf '%s\n' 'FROM python:3.11-slim' 'COPY file /file' 'RUN --mount=type=cache,target=/c head -c 1000000 /dev/zero >/c/big && cp /file /made' \
  >"$context/Dockerfile"
slow=$work/slow.Dockerfile
printf '%s\n' 'FROM python:3.11-slim' 'COPY file /file' \
  'RUN --mount=type=cache,target=/c touch /c/started && sleep 6 && ls -l /c/started /file /usr/bin/env' 'RUN test -x /usr/bin/env' >"$slow"

as_user() {
  if [ "$user" = "$(id -un)" ]; then "$@"; else runuser -u "$user" -- "$@"; fi
}
run() { as_user env TEKTII_CACHE_DIR="$cache" HOME="$work" "$tektii" "$@"; }
build() { run build --build-context "$base_context" "$@" "$context" 2>"$work/stderr" || fail "the build: $(cat "$work/stderr")"; }
size_of() { run cache du --output json | jq "$1"; }

cache=$work/user-cache
mkdir "$cache"
[ "$user" = "$(id -un)" ] || chown "$user" "$cache"

step "du says what there is"
digest=$(build)
run cache du >"$work/du"
for kind in blobs "unpacked layers" "layer indexes" "action records" "cache mounts" total; do
  expect_contains "du" "$(cat "$work/du")" "$kind"
done
[ "$(size_of .size)" -gt 100000000 ] || fail "du: $(cat "$work/du")"
[ "$(size_of '[.kinds[] | select(.kind == "cache mounts")][0].size')" -ge 1000000 ] || fail "the cache mount is not counted"

step "prune keeps what was used last, and says what it would do"
before=$(size_of .size)
run cache prune --keep-storage 1kB --older-than 1h >"$work/none"
expect_equal "nothing is an hour old" "$(size_of .size)" "$before"
run cache prune --dry-run --all --output json >"$work/dry"
expect_equal "a dry run" "$(jq .dryRun "$work/dry") $(size_of .size)" "true $before"
[ "$(jq .freed "$work/dry")" -gt 100000000 ] || fail "the dry run: $(cat "$work/dry")"

step "prune beside a running build"
(build --no-cache -f "$slow" >"$work/slow-digest") &
running=$!
waited=0
until [ -e "$(find "$cache/mounts" -name started 2>/dev/null | head -n 1)" ]; do
  [ $((waited += 1)) -lt 600 ] || fail "the RUN did not start: $(cat "$work/stderr")"
  sleep 0.1
done
run cache prune --all --force >"$work/pruned"
wait "$running" || fail "the build that ran meanwhile: $(cat "$work/stderr")"
[ -s "$work/slow-digest" ] || fail "the build that ran meanwhile printed nothing"

step "prune removes all of it"
run cache prune --all >"$work/pruned"
expect_contains "prune" "$(cat "$work/pruned")" "unpacked layers"
left=$(find "$cache" -type f -not -path '*/gc/*' -not -path '*/locks/*' -not -name oci-layout -not -name index.json -not -name .lock)
expect_equal "what is left" "$left" ""

step "the next build"
expect_equal "the digest" "$(build)" "$digest"

step "an image that was kept stays, and goes with --all"
build -t example:1 >/dev/null
sleep 0.1
run cache prune >"$work/pruned"
[ "$(jq '.manifests | length' "$cache/index.json")" = 1 ] || fail "the image is gone"
(cd "$cache/blobs/sha256" && [ "$(find . -type f | wc -l)" -ge 3 ]) || fail "the blobs of the image are gone"
expect_contains "prune --all" "$(run cache prune -a)" "example:1"
[ "$(jq '.manifests | length' "$cache/index.json")" = 0 ] || fail "the image is still there"

step "the automatic limit"
export TEKTII_CACHE_LIMIT=50MB
build >/dev/null
[ "$(size_of .size)" -gt 100000000 ] || fail "what the build itself uses was removed"
# Unpacked layers are removed by a build that may run commands: it has the ids of their files.
printf 'FROM scratch AS unused\nRUN true\nFROM scratch\nCOPY file /x\n' >"$work/small.Dockerfile"
rm "$cache/gc/v1/state.summary" # the last measurement is a second old
build -f "$work/small.Dockerfile" >/dev/null
[ "$(size_of .size)" -lt 50000000 ] || fail "the limit does not hold: $(run cache du)"
unset TEKTII_CACHE_LIMIT
expect_equal "the exit code with a bad limit" "$(TEKTII_CACHE_LIMIT=much run build "$context" >/dev/null 2>&1; echo $?)" 2
