#!/usr/bin/env bash
# A registry that is 30 ms away, an image of 20 layers: pushing it takes at most half of what skopeo takes for the same
# image, pulling no more than that. The times are the best of three, and are printed.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
require_tools skopeo docker-registry
[ -x /usr/bin/python3 ] || skip "python3 is not installed"
"$tektii" push --help >/dev/null 2>&1 || skip "this binary has no 'tektii push'"
start_registry

layers=20
round_trip=30

step "a proxy with a round trip of $round_trip ms"
/usr/bin/python3 "$project/tests/e2e/delay_proxy.py" "${registry##*:}" "$round_trip" >"$work/proxy" &
pids+=("$!")
waited=0
until [ -s "$work/proxy" ]; do
  [ $((waited += 1)) -lt 100 ] || fail "the proxy did not start"
  sleep 0.1
done
far=127.0.0.1:$(cat "$work/proxy")

step "an image of $layers layers"
mkdir "$work/context"
{
  echo 'FROM scratch'
  for ((i = 0; i < layers; ++i)); do
    head -c 200K /dev/urandom >"$work/context/file$i"
    echo "COPY file$i /"
  done
} >"$work/context/Dockerfile"
"$tektii" build -t localhost/layers:1 --output "type=oci,dest=$work/layout" "$work/context" >/dev/null
layout=$work/layout:1

now() { date +%s%N; }
# The best of three, in milliseconds: best FUNCTION sets $took.
best() {
  local round begin took_now
  took=
  for round in 1 2 3; do
    begin=$(now)
    "$1" "$round" >/dev/null 2>"$work/log" || fail "$1: $(cat "$work/log")"
    took_now=$((($(now) - begin) / 1000000))
    if [ -z "$took" ] || [ "$took_now" -lt "$took" ]; then took=$took_now; fi
  done
}

skopeo_push() { skopeo copy --quiet --dest-tls-verify=false "oci:$layout" "docker://$far/skopeo$1:1"; }
skopeo_pull() { skopeo copy --quiet --src-tls-verify=false "docker://$far/skopeo1:1" "oci:$work/skopeo-out$1:1"; }
our_push() { "$tektii" push "oci:$layout" "$far/ours$1:1"; }
our_pull() { "$tektii" pull "$far/skopeo1:1" -o "$work/our-out$1"; }

step "push"
best skopeo_push && theirs=$took
best our_push && ours=$took
printf 'push: skopeo %s ms, tektii %s ms\n' "$theirs" "$ours" >&2
[ $((2 * ours)) -le "$theirs" ] || fail "a push takes $ours ms, more than half of skopeo's $theirs ms"

step "pull"
best skopeo_pull && theirs=$took
best our_pull && ours=$took
printf 'pull: skopeo %s ms, tektii %s ms\n' "$theirs" "$ours" >&2
[ "$ours" -le "$theirs" ] || fail "a pull takes $ours ms, skopeo's $theirs ms"
