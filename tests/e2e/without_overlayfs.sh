#!/usr/bin/env bash
# RUN where layers can't be stacked by overlayfs: the same image as with it, found out by itself where overlayfs does not
# work, and nothing left behind, also when the build is killed.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
require_tools jq
use_base_image

context=$work/context
mkdir "$context"
printf 'from the context\n' >"$context/file"
cat >"$context/Dockerfile" <<'DOCKERFILE'
FROM python:3.11-slim AS tools
RUN mkdir -p /tools/bin && printf '#!/bin/sh\necho tool\n' >/tools/bin/tool && chmod 755 /tools/bin/tool && ln -s bin/tool /tools/link

FROM python:3.11-slim
RUN useradd --create-home app && mkdir /data && cd /data && touch owned twice && chown app owned && ln owned linked && \
    mkfifo pipe && rm -r /usr/share/doc && mv /etc/debian_version /etc/version && truncate -s 1M sparse && \
    python -c 'import os; os.setxattr("twice", "security.capability", bytes.fromhex("01000002002000000000000000000000" + "00000000"))'
RUN chmod 700 /data && rm /data/twice && rm -r /etc/skel && mkdir /etc/skel && python -m compileall -q /usr/lib/python3/dist-packages || true
COPY file /data/
COPY --from=tools /tools /tools
RUN --mount=type=cache,target=/cache/deep --mount=type=bind,source=file,target=/mnt/file \
    --mount=type=bind,from=tools,source=/tools,target=/mnt/tools --mount=type=bind,target=/ctx,rw \
    --mount=type=tmpfs,target=/scratch \
    cat /mnt/file >/data/copy && /mnt/tools/bin/tool >>/data/copy && echo x >/ctx/written && touch /cache/deep/x /scratch/x
WORKDIR /made/by/workdir
RUN <<script
#!/usr/bin/env python3
open("/data/by-python", "w").write("python")
script
RUN true
USER app
RUN echo mine >/home/app/mine
DOCKERFILE

build() { "$tektii" build --build-context "$base_context" --progress plain "$@" "$context"; }
expect_clean() {
  expect_equal "$1: work of the store" "$(cd "$TEKTII_CACHE_DIR" && find . -path '*/layers/v1/tmp/*' | head -n 5)" ""
}

step "both ways give one image"
TEKTII_CACHE_DIR=$work/cache.overlayfs
expected=$(build --snapshotter overlayfs --output "type=oci,dest=$work/out.overlayfs" 2>/dev/null)
TEKTII_CACHE_DIR=$work/cache.copy
actual=$(build -v --snapshotter copy --output "type=oci,dest=$work/out.copy" 2>"$work/log")
expect_equal "the digest" "$actual" "$expected"
expect_contains "the log" "$(cat "$work/log")" "RUN copies its root file system: --snapshotter copy"
expect_equal "how often a tree was made" "$(grep -c 'a root file system of' "$work/log")" 2
expect_clean "success"
expect_equal "what a command wrote into the context" "$(ls "$context")" $'Dockerfile\nfile'

step "a store that was filled without overlayfs serves a build with it, and the other way around"
sed -i 's/^RUN true/RUN true \&\& echo more >\/data\/more/' "$context/Dockerfile"
both=$(build --snapshotter overlayfs 2>/dev/null)
TEKTII_CACHE_DIR=$work/cache.overlayfs
expect_equal "the digest" "$(build --snapshotter copy 2>/dev/null)" "$both"
expect_clean "success"

step "a RUN that fails"
printf 'FROM python:3.11-slim\nRUN touch /tmp/x && exit 9\n' >"$work/failing.Dockerfile"
status=0
build --snapshotter copy -f "$work/failing.Dockerfile" >/dev/null 2>&1 || status=$?
expect_equal "the exit code" "$status" 3
expect_clean "a failed RUN"

# Starts a build whose RUN sleeps, and waits until it does.
start_sleeper() {
  printf 'FROM python:3.11-slim\nRUN echo sleeping && sleep 1234\n' >"$work/sleep.Dockerfile"
  "$tektii" build --build-context "$base_context" --progress plain --no-cache --snapshotter copy -f "$work/sleep.Dockerfile" "$context" \
    >/dev/null 2>"$work/sleep.log" &
  sleeper=$!
  pids+=("$sleeper")
  local waited=0
  until grep -q '^#.* sleeping$' "$work/sleep.log"; do
    kill -0 "$sleeper" 2>/dev/null && [ $((waited += 1)) -lt 600 ] || fail "the build: $(cat "$work/sleep.log")"
    sleep 0.1
  done
}

step "an interrupted build"
start_sleeper
kill -INT "$sleeper"
status=0
wait "$sleeper" || status=$?
expect_equal "the exit code" "$status" 130
expect_clean "an interrupted build"

step "a killed build, and the next one"
start_sleeper
kill -KILL "$sleeper"
wait "$sleeper" 2>/dev/null || true
[ -n "$(find "$TEKTII_CACHE_DIR/layers/v1/tmp" -mindepth 1 -maxdepth 1)" ] || fail "a killed build left no tree: this tests nothing"
build --snapshotter copy >/dev/null 2>&1
expect_clean "the build after a killed one"

step "an unknown snapshotter"
status=0
build --snapshotter zfs >/dev/null 2>"$work/stderr" || status=$?
expect_equal "the exit code" "$status" 2
expect_contains "the error" "$(cat "$work/stderr")" "use auto, overlayfs or copy"

if [ "$(id -u)" = 0 ]; then
  step "a store on overlayfs, which can't hold an upper directory"
  mkdir "$work/over" "$work/over/lower" "$work/over/upper" "$work/over/work" "$work/over/merged"
  # shellcheck disable=SC2016  # the inner shell expands them
  actual=$(unshare --mount sh -c '
    mount -t overlay overlay -o "lowerdir=$1/lower,upperdir=$1/upper,workdir=$1/work" "$1/merged" || exit 125
    directory=$1 && shift
    TEKTII_CACHE_DIR=$directory/merged/cache exec "$@"' sh "$work/over" \
    "$tektii" build -v --progress plain --build-context "$base_context" "$context" 2>"$work/log") || fail "the build: $(cat "$work/log")"
  expect_equal "the digest" "$actual" "$both"
  expect_contains "the log" "$(cat "$work/log")" "RUN copies its root file system: can't mount the overlay"
fi
