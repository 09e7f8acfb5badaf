#!/usr/bin/env bash
# Some cases of each kind, for every run of the tests. Skipped where Buildah is not installed, also in CI: its package is
# in a group of its own (scripts/setup.sh diff).
set -euo pipefail
project=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
if ! command -v buildah >/dev/null || [ "$(id -u)" != 0 ]; then
  echo "SKIP: needs root and Buildah (scripts/setup.sh diff)" >&2
  exit 125
fi
exec "$project/scripts/differential.sh" from-global-arg arg-scope env-quotes expand-everywhere cmd-json-escapes \
  copy-several copy-through-destination-symlink copy-from-stage run-owners-and-links run-remakes
