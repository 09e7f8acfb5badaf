# shellcheck shell=bash disable=SC2034
# What the end-to-end tests share; sourced. Sets $tektii (the binary), $project (the repository) and $work (a private
# directory below /tmp, world-readable, removed at the end together with every process that was started here).
set -euo pipefail
umask 022

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
tektii=${TEKTII_BINARY:?TEKTII_BINARY names the binary to test}
# Of the host, they would change what pip does or what a build finds.
unset SOURCE_DATE_EPOCH TEKTII_API_URL TEKTII_API_KEY
export GIT_CONFIG_GLOBAL=/dev/null DOCKER_CONFIG=/nonexistent

# A test that can't run here says why. TEKTII_REQUIRE_E2E=1 (CI) makes that a failure; 125 is ctest's code for a skip.
skip() {
  if [ "${TEKTII_REQUIRE_E2E:-}" = 1 ]; then
    printf 'FAIL: this test may not be skipped here: %s\n' "$*" >&2
    exit 1
  fi
  printf 'SKIP: %s\n' "$*" >&2
  exit 125
}

fail() {
  printf 'FAIL: %s\n' "$*" >&2
  exit 1
}

step() { printf -- '--- %s\n' "$*" >&2; }

require_tools() {
  local tool
  for tool in "$@"; do
    command -v "$tool" >/dev/null || skip "$tool is not installed (scripts/setup.sh test)"
  done
}

expect_equal() { # what, actual, expected
  [ "$2" = "$3" ] || fail "$1: got '$2', expected '$3'"
}

expect_contains() { # what, text, fixed string
  grep -qF -- "$3" <<<"$2" || fail "$1: '$3' is not in:"$'\n'"$2"
}

work=$(mktemp -d /tmp/tektii-e2e.XXXXXX)
chmod 755 "$work"
pids=()
cleanup_hooks=()

clean_up() {
  local status=$? hook pid
  for hook in ${cleanup_hooks[@]+"${cleanup_hooks[@]}"}; do "$hook" || true; done
  for pid in ${pids[@]+"${pids[@]}"}; do kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null || true; done
  # Files of subordinate ids, which an ordinary user can remove only as root of a namespace that maps them.
  rm -rf "$work" 2>/dev/null || unshare --map-root-user --map-auto rm -rf "$work" 2>/dev/null || true
  [ ! -e "$work" ] || printf 'could not remove %s\n' "$work" >&2
  exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

export TEKTII_CACHE_DIR=$work/cache

# Sets $user to an ordinary user with subordinate ids: the one we are, one that exists, or (only where tests may change the
# machine) one that is made for the test and removed after it.
pick_user() {
  user=$(id -un)
  [ "$(id -u)" = 0 ] || return 0
  local name
  while IFS=: read -r name _; do
    if [ "$name" != root ] && grep -q "^$name:" /etc/subgid && id -u "$name" >/dev/null 2>&1; then
      user=$name
      return
    fi
  done </etc/subuid
  [ "${TEKTII_REQUIRE_E2E:-}" = 1 ] || skip "no ordinary user with subordinate ids (/etc/subuid) on this machine"
  user=tektii-e2e-$$
  useradd --no-create-home --shell /bin/sh "$user"
  cleanup_hooks+=(remove_user)
  grep -q "^$user:" /etc/subuid || usermod --add-subuids 500000-565535 --add-subgids 500000-565535 "$user"
}
remove_user() { userdel "$user"; }

# Sets $base to the layout of python:3.11-slim; made once per build directory.
use_base_image() {
  require_tools mmdebstrap umoci
  base=$("$project/scripts/make-base-image.sh" ${TEKTII_BASE_IMAGE:+"$TEKTII_BASE_IMAGE"}) || fail "no base image"
  base_context="python:3.11-slim=oci-layout://$base:3.11-slim"
}

# python:3.12-slim for Dockerfiles that are used as they are: the base image with the wheels that pip builds packages with,
# so that `pip install .` needs no index, and with the machine's own Debian mirror, so that `apt-get` works as anywhere.
# Sets $python_context. Needs $base.
use_python_image() {
  local wheels=/usr/share/python-wheels directory=$work/python
  compgen -G "$wheels/setuptools-*.whl" >/dev/null && compgen -G "$wheels/wheel-*.whl" >/dev/null ||
    skip "python3-setuptools-whl and python3-wheel-whl are not installed (scripts/setup.sh test)"
  mkdir -p "$directory/wheels" "$directory/apt"
  cp "$wheels"/setuptools-*.whl "$wheels"/wheel-*.whl "$directory/wheels/"
  (. "$project/scripts/common.sh" && debian_sources >"$directory/apt/sources.list" && apt_network_options >"$directory/apt/90machine")
  printf '%s\n' 'FROM python:3.11-slim' 'COPY wheels /opt/wheels/' 'COPY apt/sources.list /etc/apt/' \
    'COPY apt/90machine /etc/apt/apt.conf.d/' >"$directory/Dockerfile"
  "$tektii" build --build-context "$base_context" --output "type=oci,dest=$work/python.image" "$directory" >/dev/null ||
    fail "the image python:3.12-slim of this test"
  python_context="python:3.12-slim=oci-layout://$work/python.image"
}

# Builds a context on python:3.12-slim and unpacks the image to $work/NAME; its configuration is in $work/NAME.config.
#   build_image CONTEXT NAME [OPTION...]
build_image() {
  local context=$1 name=$2
  shift 2
  "$tektii" build --build-context "$python_context" --tag "localhost/$name:latest" --output "type=oci,dest=$work/$name.image" "$@" "$context" >/dev/null ||
    fail "the build of $name"
  local reference=$work/$name.image:latest rootless=()
  [ "$(id -u)" = 0 ] || rootless=(--rootless)
  skopeo inspect --config "oci:$reference" >"$work/$name.config"
  umoci unpack "${rootless[@]}" --image "$reference" "$work/$name" >/dev/null
}

# Runs the command of an image that build_image made, and prints what it prints.
run_image() { run_bundle "$work/$1" "tektii-e2e-$$-$1"; }

# Starts Debian's docker-registry on a free port of 127.0.0.1 and sets $registry to host:port and
# $registry_data to the directory of its storage.
#   start_registry [HTPASSWD_FILE]
start_registry() {
  require_tools docker-registry curl
  local directory pid waited=0
  directory=$(mktemp -d "$work/registry.XXXXXX")
  registry_data=$directory/data
  {
    printf 'version: 0.1\nlog: {level: info}\nstorage:\n  filesystem: {rootdirectory: %s/data}\n' "$directory"
    printf 'http: {addr: "127.0.0.1:0"}\n'
    [ -z "${1:-}" ] || printf 'auth:\n  htpasswd: {realm: e2e, path: %s}\n' "$1"
  } >"$directory/config.yml"
  docker-registry serve "$directory/config.yml" >"$directory/log" 2>&1 &
  pid=$!
  pids+=("$pid")
  while :; do
    registry=$(grep -oE 'listening on 127\.0\.0\.1:[0-9]+' "$directory/log" | head -n 1 | cut -d' ' -f3 || true)
    [ -z "$registry" ] || break
    kill -0 "$pid" 2>/dev/null && [ $((waited += 1)) -lt 100 ] || fail "docker-registry: $(cat "$directory/log")"
    sleep 0.1
  done
}

# Runs the command of an unpacked image (umoci unpack) by crun and prints what it prints. An ordinary user gets its user
# namespace from unshare.
run_bundle() { # bundle directory, name
  # No terminal, no cgroups: a plain run of the command, on any kind of host.
  jq '.process.terminal = false | del(.linux.resources) | del(.linux.cgroupsPath)
      | .mounts |= map(select(.type != "cgroup" and .type != "cgroup2"))
      | .linux.namespaces |= map(select(.type != "cgroup" and .type != "user"))
      | del(.linux.uidMappings, .linux.gidMappings)' "$1/config.json" >"$1/config.json.new"
  mv "$1/config.json.new" "$1/config.json"
  # crun refuses hosts with hybrid cgroups even when it is told not to use any, so it gets to see none.
  local namespace=(unshare --mount)
  [ "$(id -u)" = 0 ] || namespace=(unshare --mount --map-root-user --map-auto)
  # shellcheck disable=SC2016  # $1 and $2 are the inner shell's
  "${namespace[@]}" sh -c 'mount -t tmpfs none /sys/fs/cgroup 2>/dev/null
    exec crun --root "$1/crun" --cgroup-manager=disabled run --bundle "$1" "$2"' sh "$1" "$2"
}

# The example in a directory of its own, outside any repository.
copy_example() { # destination
  mkdir -p "$1"
  (cd "$project/examples/momentum" && cp Dockerfile .dockerignore requirements.txt strategy.py test_strategy.py "$1/")
}

# What the strategy prints when it runs on this machine.
strategy_output() {
  PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 "$project/examples/momentum/strategy.py"
}
