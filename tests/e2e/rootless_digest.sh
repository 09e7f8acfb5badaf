#!/usr/bin/env bash
# One commit gives one digest: built in different directories, by root and by an ordinary user, under other umasks, time
# zones and locales. The files in the layers keep the owners that the Dockerfile gives them.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
require_tools git jq newuidmap
use_base_image

as_user() {
  if [ "$(id -u)" = 0 ]; then runuser -u "$user" -- "$@"; else "$@"; fi
}

step "a commit, as a bundle that anybody can clone"
copy_example "$work/source"
cat >"$work/source/Dockerfile" <<'DOCKERFILE'
FROM python:3.11-slim
WORKDIR /app
COPY requirements.txt .
RUN pip install -r requirements.txt
COPY --chown=1000:1000 strategy.py /opt/owned.py
COPY . .
RUN mkdir -p /data/"été" && cd /data && touch owned twice setuid && chown 33:34 owned && ln owned twice.link && \
    chown 65534:65534 setuid && chmod 4755 setuid && ln -s owned symlink && mkfifo pipe && rm /etc/debian_version && \
    python -c 'import os; os.setxattr("twice", "security.capability", bytes.fromhex("01000002002000000000000000000000" + "00000000"))'
RUN adduser --system --no-create-home --group app && chown app /app
USER app
CMD ["python", "strategy.py"]
DOCKERFILE
git -C "$work/source" init -q -b main
git -C "$work/source" add -A
GIT_AUTHOR_DATE='2024-02-03T04:05:06Z' GIT_COMMITTER_DATE='2024-02-03T04:05:06Z' \
  git -C "$work/source" -c user.name=e2e -c user.email=e2e@example.com commit -qm "The strategy"
git -C "$work/source" bundle create -q "$work/commit.bundle" main
# Where the user can reach them, whatever the permissions of the repository are.
cp "$tektii" "$work/tektii"
cp -r "$base" "$work/base"
chmod -R a+rX "$work/tektii" "$work/base" "$work/commit.bundle"
pick_user

# Clones, builds into the layout $1/out and prints the digest.
cat >"$work/build.sh" <<'BUILD'
set -eu
directory=$1 work=$2
cd "$directory"
git clone -q -b main "$work/commit.bundle" clone
export HOME=$directory TEKTII_CACHE_DIR=$directory/cache TMPDIR=$directory
exec "$work/tektii" build --output "type=oci,dest=$directory/out" \
  --build-context "python:3.11-slim=oci-layout://$work/base:3.11-slim" clone
BUILD

mkdir "$work/a" "$work/bb" "$work/b with a space"
[ "$(id -u)" != 0 ] || chown "$user" "$work/bb" "$work/b with a space"

step "build as $(id -un)"
first=$(umask 022 && TZ=UTC LANG=C.UTF-8 sh "$work/build.sh" "$work/a" "$work")
step "build as $user, umask 077, Tokyo, C"
second=$(umask 077 && TZ=Asia/Tokyo LANG=C LC_ALL=C as_user sh "$work/build.sh" "$work/b with a space" "$work")
expect_equal "the digest in another directory by $user" "$second" "$first"
step "build as $user, umask 002, St John's"
third=$(umask 002 && TZ=America/St_Johns as_user sh "$work/build.sh" "$work/bb" "$work")
expect_equal "the digest in a third directory" "$third" "$first"
[ "$(id -u)" = 0 ] || step "not root: the build as root was not compared"

step "owners, modes and kinds in the layers"
manifest=$work/a/out/blobs/sha256/${first#sha256:}
listing=$(jq -r '.layers[].digest' "$manifest" | while read -r layer; do
  tar --list --verbose --numeric-owner --full-time --utc --file "$work/a/out/blobs/sha256/${layer#sha256:}" 2>/dev/null
done)
expect_line() { grep -qE -- "$2" <<<"$listing" || fail "$1: no line matches '$2' in the layers"; }
expect_line "COPY --chown" '^-rw-r--r-- 1000/1000 .* opt/owned\.py$'
expect_line "chown in RUN" '^[-h]rw-r--r-- 33/34 .* data/owned( link to .*)?$'
expect_line "setuid" '^-rwsr-xr-x 65534/65534 .* data/setuid$'
expect_line "hard link" '^h.* data/(owned|twice\.link) link to data/(owned|twice\.link)$'
expect_line "symbolic link" '^l.* data/symlink -> owned$'
expect_line "whiteout" ' etc/\.wh\.debian_version$'
expect_line "clamped time" ' 1980-01-01 00:00:00 app/requirements\.txt$'
capabilities=$(jq -r '.layers[].digest' "$manifest" | while read -r layer; do
  gzip -dcf "$work/a/out/blobs/sha256/${layer#sha256:}" | grep -ac 'SCHILY.xattr.security.capability' || true
done | awk '{ sum += $1 } END { print sum }')
[ "$capabilities" -gt 0 ] || fail "the file capability is not in a layer"
