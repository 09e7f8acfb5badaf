#!/usr/bin/env bash
# Formats every C++ file that git does not ignore; with --check it only says which are not formatted and fails then.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$root"

mode=(-i)
[ "${1:-}" != --check ] || mode=(--dry-run --Werror)
command -v clang-format-14 >/dev/null || die "clang-format-14 is not installed" "Run scripts/setup.sh lint"
# A clone may belong to another user than the one who checks it (a container); this command only reads names.
git -c safe.directory='*' ls-files -z --cached --others --exclude-standard '*.cpp' '*.hpp' | xargs -0 -r clang-format-14 "${mode[@]}"
