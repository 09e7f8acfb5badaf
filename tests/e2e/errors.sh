#!/usr/bin/env bash
# What goes wrong, and how it is said: the message, the place, the hint, and the exit code of docs/errors.md.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
require_tools jq htpasswd
use_base_image

context=$work/context
mkdir "$context"
echo hello >"$context/hello.txt"

# Runs the rest and expects its exit code and every text on stderr; stdout stays empty.
#   expect_error CODE TEXT... -- COMMAND...
expect_error() {
  local code=$1 texts=() status=0 text
  shift
  while [ "$1" != -- ]; do texts+=("$1"); shift; done
  shift
  "$@" >"$work/stdout" 2>"$work/stderr" || status=$?
  expect_equal "the exit code of: ${*/#$work\//}; it said: $(cat "$work/stderr")" "$status" "$code"
  for text in "${texts[@]}"; do expect_contains "stderr of: $*" "$(cat "$work/stderr")" "$text"; done
  expect_equal "stdout of: $*" "$(cat "$work/stdout")" ""
}

dockerfile() { cat >"$context/Dockerfile"; }
build() { "$tektii" build --build-context "$base_context" "$@" "$context"; }

step "no Dockerfile"
(cd "$context" && expect_error 2 "Dockerfile not found at ./Dockerfile" -- "$tektii" build -f ./Dockerfile .)
expect_error 2 "Dockerfile not found" -- build

step "unknown instruction"
printf 'FROM scratch\nCOPPY hello.txt /\n' | dockerfile
expect_error 2 "COPPY" "COPY" "Dockerfile:2" -- build

step "missing COPY source"
printf 'FROM scratch\nCOPY hello.txt /\nCOPY missing.txt /\n' | dockerfile
expect_error 2 "missing.txt" "Dockerfile:3" -- build

step "RUN that fails"
printf 'FROM python:3.11-slim\nENV A=1\nRUN echo the last line; exit 42\n' | dockerfile
expect_error 3 "42" "the last line" "Dockerfile:3" -- build

step "a registry that nobody listens at"
free_port=$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
printf 'FROM scratch\nCOPY hello.txt /\n' | dockerfile
expect_error 5 "127.0.0.1:$free_port" -- build --push -t "127.0.0.1:$free_port/a:1"
printf 'FROM 127.0.0.1:%s/base:1\n' "$free_port" | dockerfile
expect_error 5 "127.0.0.1:$free_port" -- build

step "a registry that refuses"
printf 'FROM scratch\nCOPY hello.txt /\n' | dockerfile
htpasswd -Bbc "$work/htpasswd" user right 2>/dev/null
start_registry "$work/htpasswd"
expect_error 4 "$registry" -- build --push -t "$registry/a:1"
mkdir "$work/docker"
printf '{"auths": {"%s": {"auth": "%s"}}}' "$registry" "$(printf user:wrong | base64)" >"$work/docker/config.json"
expect_error 4 "$registry" -- env DOCKER_CONFIG="$work/docker" "$tektii" build --push -t "$registry/a:1" "$context"
! grep -q wrong "$work/stderr" || fail "the password is in the message"
printf '{"auths": {"%s": {"auth": "%s"}}}' "$registry" "$(printf user:right | base64)" >"$work/docker/config.json"
DOCKER_CONFIG=$work/docker "$tektii" build --push -t "$registry/a:1" "$context" >/dev/null || fail "the right password"

step "a registry that serves other bytes than it announced"
start_registry
"$tektii" build --push -t "$registry/b:1" "$context" >/dev/null
# Same length, other content: only the digest can tell.
layer=$(curl -fsS -H 'Accept: application/vnd.oci.image.manifest.v1+json' "http://$registry/v2/b/manifests/1" |
  jq -r '.layers[0].digest')
blob=$(find "$registry_data" -path "*/${layer#sha256:}/data")
printf '\377' | dd of="$blob" bs=1 seek=20 conv=notrunc status=none
printf 'FROM %s/b:1\nRUN true\n' "$registry" | dockerfile
status=0
TEKTII_CACHE_DIR=$work/fresh-cache build >"$work/stdout" 2>"$work/stderr" || status=$?
case $status in 5 | 10) ;; *) fail "a wrong digest: exit code $status, $(cat "$work/stderr")" ;; esac
expect_contains "a wrong digest" "$(cat "$work/stderr")" "digest"
expect_contains "a wrong digest" "$(cat "$work/stderr")" "${layer:0:19}"

step "a base without linux/amd64"
mkdir "$work/arm"
cp -r "$base/." "$work/arm"
# The same image under another platform: config and manifest are made anew around a changed architecture.
/usr/bin/python3 - "$work/arm" <<'PYTHON'
import hashlib, json, pathlib, sys
layout = pathlib.Path(sys.argv[1])
blob = lambda descriptor: layout / "blobs/sha256" / descriptor["digest"].split(":")[1]
def put(descriptor, value):
    data = json.dumps(value).encode()
    descriptor.update(digest="sha256:" + hashlib.sha256(data).hexdigest(), size=len(data))
    blob(descriptor).write_bytes(data)
index = json.loads((layout / "index.json").read_text())
entry = index["manifests"][0]
manifest = json.loads(blob(entry).read_text())
config = json.loads(blob(manifest["config"]).read_text())
config["architecture"] = "arm64"
put(manifest["config"], config)
put(entry, manifest)
(layout / "index.json").write_text(json.dumps(index))
PYTHON
printf 'FROM oci-layout://%s:3.11-slim\nENV A=1\n' "$work/arm" | dockerfile
expect_error 6 "Image platform mismatch (expected linux/amd64, got linux/arm64)" -- "$tektii" build "$context"
expect_error 6 "linux/arm64" -- build --platform linux/arm64

step "no user namespaces"
printf 'FROM python:3.11-slim\nRUN true\n' | dockerfile
if [ "$(id -u)" = 0 ]; then
  # Root of a plain container: no CAP_SYS_ADMIN, so neither namespaces nor mounts.
  require_tools capsh
  status=0
  # shellcheck disable=SC2016  # the inner shell's
  capsh --drop=cap_sys_admin -- -c '"$0" build --build-context "$1" "$2"' "$tektii" "$base_context" "$context" \
    >"$work/stdout" 2>"$work/stderr" || status=$?
  [ "$status" != 0 ] || fail "a RUN without namespaces succeeded"
  grep -qEi 'namespace|CAP_SYS_ADMIN' "$work/stderr" || fail "it does not say what is missing: $(cat "$work/stderr")"
  expect_contains "no user namespaces" "$(cat "$work/stderr")" "Dockerfile:2"
fi

step "a full disk"
if [ "$(id -u)" = 0 ]; then
  mkdir "$work/full"
  status=0
  # shellcheck disable=SC2016  # the inner shell's
  unshare --mount sh -c 'mount -t tmpfs -o size=8m none "$1" && shift && exec "$@"' sh "$work/full" \
    env TEKTII_CACHE_DIR="$work/full" "$tektii" build --build-context "$base_context" "$context" \
    >"$work/stdout" 2>"$work/stderr" || status=$?
  expect_equal "the exit code on a full disk; it said: $(cat "$work/stderr")" "$status" 1
  expect_contains "a full disk" "$(cat "$work/stderr")" "No space left on device"
fi

step "the platform: no key, a wrong key, an unknown strategy"
export tektii
# Inside the sandbox; the functions are sourced anew there.
cat >"$work/platform.sh" <<'PLATFORM'
set -eu
code() { status=0; "$@" >"$OUT/stdout" 2>"$OUT/stderr" || status=$?; }
fail() { echo "FAIL: $*: exit $status: $(cat "$OUT/stderr")" >&2; exit 1; }
TEKTII_API_KEY='' code "$tektii" strategy list
[ "$status" = 4 ] && grep -q "API key not found" "$OUT/stderr" || fail "no key"
code "$tektii" --api-key "$(printf '0%.0s' $(seq 64))" strategy list
[ "$status" = 4 ] && grep -q "Invalid API key" "$OUT/stderr" || fail "a wrong key"
code "$tektii" strategy get strat_unknown
[ "$status" = 1 ] && grep -q strat_unknown "$OUT/stderr" || fail "an unknown strategy"
exit 7
PLATFORM
status=0
OUT=$work "$tektii" sandbox -- sh "$work/platform.sh" || status=$?
expect_equal "the exit code of the sandbox's command" "$status" 7
