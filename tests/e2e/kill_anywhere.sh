#!/usr/bin/env bash
# SIGKILL at random moments of a build and push: whatever it had done, the next build succeeds, its digest is the one of an
# undisturbed build, the registry serves it whole, and nothing is left behind.
#   TEKTII_KILLS=200 TEKTII_SEED=1 kill_anywhere.sh
# the inner shell expands; there may be several processes
# shellcheck disable=SC2016,SC2086
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
use_base_image
start_registry

kills=${TEKTII_KILLS:-6}
seed=${TEKTII_SEED:-$(($(date +%s) % 32768))}
RANDOM=$seed
step "$kills kills, TEKTII_SEED=$seed"

step "a small base, so that a build has time for little else than its own files"
mkdir "$work/small"
# shellcheck disable=SC2016  # $ARG is the Dockerfile's
printf '%s\n' 'FROM python:3.11-slim AS big' 'FROM scratch' \
  'COPY --from=big /bin/sh /bin/mkdir /bin/rm /bin/mv /bin/cat /usr/bin/sha256sum /bin/' \
  'COPY --from=big /lib64/ld-linux-x86-64.so.2 /lib64/' \
  'ARG L=/lib/x86_64-linux-gnu' \
  'COPY --from=big $L/libc.so.6 $L/libselinux.so.1 $L/libpcre2-8.so.0 $L/libacl.so.1 $L/libattr.so.1 $L/libcrypto.so.3 $L/' \
  >"$work/small/Dockerfile"
TEKTII_CACHE_DIR=$work/small.cache "$tektii" build --build-context "$base_context" --output "type=oci,dest=$work/small.image" \
  "$work/small" >/dev/null 2>"$work/stderr" || fail "the base: $(cat "$work/stderr")"

context=$work/context
mkdir "$context"
head -c 3000000 /dev/urandom >"$context/data"
printf '%s\n' 'FROM small' 'COPY data /data' \
  'RUN mkdir /many && i=0; while [ $i -lt 500 ]; do echo $i >/many/$i; i=$((i+1)); done; rm /bin/cat' \
  'COPY Dockerfile /x/' 'RUN sha256sum /data /many/* >/sum && mv /many /moved' >"$context/Dockerfile"

build() { # repository
  "$tektii" build --build-context "small=oci-layout://$work/small.image" -t "$registry/$1:1" --push "$context" 2>"$work/stderr"
}
milliseconds() { date +%s%3N; }

# Part of what a store has, so that a build finds itself in the middle of every kind of work.
forget() {
  case $((RANDOM % 5)) in
    0) rm -rf "$TEKTII_CACHE_DIR" ;;
    1) rm -rf "$TEKTII_CACHE_DIR/actions" ;;
    2) rm -rf "$TEKTII_CACHE_DIR/actions" "$TEKTII_CACHE_DIR/layers" ;;
    3) rm -rf "$TEKTII_CACHE_DIR/blobs" ;;
    4) ;;
  esac
}

begin=$(milliseconds)
digest=$(build reference) || fail "the build: $(cat "$work/stderr")"
longest=$(($(milliseconds) - begin))
step "an undisturbed build takes $longest ms: $digest"

late=0
for ((kill = 1; kill <= kills; ++kill)); do
  forget
  # Half of them early, where the short builds are that find most of it done.
  delay=$(((RANDOM * 32768 + RANDOM) % (RANDOM % 2 == 0 ? longest : longest / 5 + 1)))
  build "killed$kill" >/dev/null 2>&1 & # bash says on stderr who was killed
  pid=$!
  # The shell of the function is the parent of the build.
  sleep "$((delay / 1000)).$(printf %03d $((delay % 1000)))"
  victim=$(pgrep -P "$pid" || true)
  if [ -n "$victim" ]; then kill -KILL $victim 2>/dev/null || true; else late=$((late + 1)); fi
  wait "$pid" 2>/dev/null || true
  where="kill $kill of $kills (TEKTII_SEED=$seed) after $delay ms"
  next=$(build "killed$kill") || fail "the build after $where: $(cat "$work/stderr")"
  expect_equal "the digest after $where" "$next" "$digest"
  [ $((kill % 20)) != 0 ] || step "$kill kills"
done
step "$kills kills, $late of them after the end of the build"

step "what the registry has"
layers=$(curl -fsS -H 'Accept: application/vnd.oci.image.manifest.v1+json' "http://$registry/v2/killed$kills/manifests/1" |
  jq -r '.config.digest, .layers[].digest')
for layer in $layers; do
  expect_equal "the content of $layer" \
    "sha256:$(curl -fsS "http://$registry/v2/killed$kills/blobs/$layer" | sha256sum | cut -d' ' -f1)" "$layer"
done

step "nothing is left"
# Small files beside their place, which no build looks for; anything that clears the cache takes them.
"$tektii" cache prune --keep-storage 1TB >/dev/null
left=$(cd "$TEKTII_CACHE_DIR" && find . -path '*/tmp/*' -not -name '*.lock' -o -name '.*' -not -name . -not -path '*/tmp/*' | head -n 5)
expect_equal "unfinished files" "$left" ""
for blob in "$TEKTII_CACHE_DIR"/blobs/sha256/*; do
  expect_equal "the content of a blob" "$(sha256sum <"$blob" | cut -d' ' -f1)" "${blob##*/}"
done
