#!/usr/bin/env bash
# A RUN on top of 150 layers, by root and by an ordinary user, and a COPY out of
# layers whose files the user can only read in a namespace.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
require_tools jq newuidmap
use_base_image
pick_user
# Where the user can reach them, whatever the permissions of the repository are.
cp "$tektii" "$work/tektii"
cp -r "$base" "$work/base"
mkdir "$work/context"
{
  echo "FROM python:3.11-slim AS many"
  for i in $(seq 150); do
    printf 'COPY <<f /many/f%s\n%s\nf\n' "$i" "$i"
  done
  # shellcheck disable=SC2016  # the shell of the RUN expands it
  echo 'RUN [ "$(ls /many | wc -l)" = 150 ] && cat /many/f1 /many/f150 > /many/sum && rm /many/f7 && chmod 600 /many/sum'
  echo 'FROM scratch'
  echo 'COPY --from=many /many /all'
} >"$work/context/Dockerfile"
chmod -R a+rX "$work/tektii" "$work/base" "$work/context"

# Builds into the layout $1/out and prints the digest.
cat >"$work/build.sh" <<'BUILD'
set -eu
directory=$1 work=$2
shift 2
export HOME=$directory TEKTII_CACHE_DIR=$directory/cache TMPDIR=$directory
exec "$work/tektii" build --output "type=oci,dest=$directory/out" \
  --build-context "python:3.11-slim=oci-layout://$work/base:3.11-slim" "$@" "$work/context"
BUILD

as_user() {
  if [ "$(id -u)" = 0 ]; then runuser -u "$user" -- "$@"; else "$@"; fi
}
mkdir "$work/a" "$work/b"
[ "$(id -u)" != 0 ] || chown "$user" "$work/b"

step "build as $(id -un)"
first=$(sh "$work/build.sh" "$work/a" "$work")
step "build as $user"
second=$(as_user sh "$work/build.sh" "$work/b" "$work")
expect_equal "the digest by $user" "$second" "$first"

layer=$(jq -r '.layers[0].digest' "$work/a/out/blobs/sha256/${first#sha256:}")
listing=$(tar --list --file "$work/a/out/blobs/sha256/${layer#sha256:}")
expect_equal "files of the copy" "$(grep -c '^all/f' <<<"$listing")" 149

step "COPY out of layers that were unpacked for somebody else, outside of their namespace"
cat >"$work/context/Dockerfile" <<'DOCKERFILE'
FROM scratch
COPY --from=python:3.11-slim /etc/shadow /etc/passwd /
DOCKERFILE
third=$(as_user sh "$work/build.sh" "$work/b" "$work")
expect_equal "the digest of the copy" "$third" "$(sh "$work/build.sh" "$work/a" "$work")"
