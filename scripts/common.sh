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
