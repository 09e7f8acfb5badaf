# shellcheck shell=bash
# What the scripts share; sourced, never run. Defines `root` (the repository) and the way they speak.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)

if [ -t 2 ] && [ -z "${NO_COLOR:-}" ]; then
  bold=$'\033[1m' plain=$'\033[0m'
else
  bold='' plain=''
fi

# A step that takes a while, or that the reader should know of.
say() { printf '%s==>%s %s\n' "$bold" "$plain" "$*" >&2; }

note() { printf '    %s\n' "$*" >&2; }

die() {
  printf 'Error: %s\n' "$1" >&2
  shift
  local line
  for line in "$@"; do printf '  %s\n' "$line" >&2; done
  exit 1
}

# Configures on the first call only: the build system repeats the configure step by itself when its inputs change.
build_preset() {
  local preset=$1
  shift
  [ -f "$root/build/$preset/build.ninja" ] || (cd "$root" && cmake --preset "$preset" >&2)
  (cd "$root" && cmake --build --preset "$preset" "$@" >&2)
}

# The machine's own Debian sources as lines of a sources.list, so that a mirror or a proxy that is configured here is
# honoured; Debian's own mirror when there are none. apt itself resolves every format of its lists; third-party archives
# are left out.
debian_sources() {
  local lines keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  # shellcheck disable=SC2016  # the $(...) are apt's
  lines=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 2>/dev/null |
    sed -nE 's/^([^ ]+) (bookworm|bookworm-updates|bookworm-security) main$/\1 \2/p' | sort -u |
    while read -r uri release; do printf 'deb [signed-by=%s] %s %s main\n' "$keyring" "$uri" "$release"; done || true)
  if ! grep -q ' bookworm main$' <<<"$lines"; then
    lines=$(printf 'deb http://deb.debian.org/debian %s main\n' bookworm bookworm-updates
      printf 'deb http://deb.debian.org/debian-security bookworm-security main\n')
  fi
  printf '%s\n' "$lines"
}

# How apt reaches its mirrors from here, as lines of an apt.conf: proxies, certificates, clocks that are off.
apt_network_options() {
  apt-config dump 2>/dev/null |
    grep -E '^Acquire::(https?::(Proxy|CaInfo|Verify-Peer)|Check-Valid-Until|Check-Date)[: ]' | grep -v ' "";$' || true
}
