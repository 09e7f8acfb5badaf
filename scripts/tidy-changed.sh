#!/usr/bin/env bash
# Runs clang-tidy on the C++ sources that changed: those in the commits since the merge base with the main branch (or in
# the last commit, when this is the main branch) and in the working tree, and those that include a header that changed.
#   scripts/tidy-changed.sh [BASE]      TEKTII_TIDY_LIMIT (default 24) bounds how many sources are checked
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$root"

git() { command git -c safe.directory='*' "$@"; }

find_base() {
  local head candidate
  head=$(git rev-parse HEAD)
  for candidate in "${1:-}" origin/main origin/master main master; do
    if [ -n "$candidate" ] && candidate=$(git merge-base HEAD "$candidate" 2>/dev/null) && [ "$candidate" != "$head" ]; then
      echo "$candidate"
      return
    fi
  done
  git rev-parse --verify --quiet 'HEAD^' || true
}

base=$(find_base "${1:-}")
if [ -n "$base" ]; then
  changed=$( { git diff --name-only --diff-filter=d "$base"; git ls-files --others --exclude-standard; } | sort -u)
else
  note "there is no earlier commit to compare with: every source counts as changed"
  changed=$(git ls-files)
fi

sources=$(grep -E '^(src|tests)/.*\.cpp$' <<<"$changed" || true)
headers=$(sed -nE 's#^(include/|src/)(.*\.hpp)$#\2#p' <<<"$changed")
if [ -n "$headers" ]; then
  # In the order of git's list: an #include is recognised by the path it is written with.
  users=$(git grep -lF -f <(printf '%s\n' "$headers") -- 'src/*.cpp' 'tests/*.cpp' || true)
  sources=$(printf '%s\n%s\n' "$sources" "$users")
fi
# Those that changed themselves first, then those that only include what changed.
mapfile -t sources < <(awk 'NF && !seen[$0]++' <<<"$sources")
# The flags of the tidy preset: clang can't read gcc's precompiled headers and does not know all of its warnings.
[ -f build/tidy/compile_commands.json ] || cmake --preset tidy >/dev/null
# Only what the build knows: sources of a part that is not configured have no flags to check them with.
mapfile -t sources < <(for source in "${sources[@]}"; do
  if grep -qF "\"$root/$source\"" build/tidy/compile_commands.json; then echo "$source"; fi
done)
if [ ${#sources[@]} -eq 0 ]; then
  note "no C++ source changed"
  exit 0
fi

limit=${TEKTII_TIDY_LIMIT:-24}
if [ ${#sources[@]} -gt "$limit" ]; then
  note "${#sources[@]} sources changed; the first $limit are checked (the tidy preset checks all of them)"
  sources=("${sources[@]:0:limit}")
fi
note "clang-tidy on ${#sources[@]} sources"
# Errors go to stdout; stderr only counts the warnings of system headers.
printf '%s\0' "${sources[@]}" |
  xargs -0 -P "$(nproc)" -n 1 clang-tidy-14 -p build/tidy --quiet 2>/dev/null ||
  die "clang-tidy found faults; they are above"
