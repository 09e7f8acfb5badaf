#!/usr/bin/env bash
# Builds the cases of tests/differential with tektii and with Debian's Buildah and compares what comes out: success, the
# OCI configuration, the flattened file tree. Prints a table and a line `N passed, M failed, K skipped`.
#   scripts/differential.sh [--against buildah|buildkit|none] [--jobs N] [--keep DIR] [CASE...]
# A CASE is a name or a pattern ('copy-*'). Runs as root: only then does Buildah keep owners and mount overlays. Nothing
# outside of a temporary directory is touched. --against buildkit asks the buildkitd that BUILDKIT_HOST names and needs
# buildctl on PATH; Debian 12 has neither, so this is for use by hand. TEKTII_BINARY names another binary than that of
# the dev build; then nothing is installed and nothing is compiled.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

case " $* " in
  *" -h "* | *" --help "*) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 0 ;;
esac
[ "$(id -u)" = 0 ] || die "the differential suite runs as root" "Buildah as an ordinary user can't make every owner and attribute that is compared."

tektii=${TEKTII_BINARY:-}
if [ -z "$tektii" ]; then
  "$root/scripts/setup.sh" build run base diff
  build_preset dev --target tektii
  tektii=$root/build/dev/bin/tektii
fi
base=$("$root/scripts/make-base-image.sh" ${TEKTII_BASE_IMAGE:+"$TEKTII_BASE_IMAGE"})

# Of the host, they would change what is built.
unset SOURCE_DATE_EPOCH BUILDAH_FORMAT BUILDAH_ISOLATION BUILDAH_LAYERS
# Buildah keeps a cache of blobs in /var/lib/containers whatever --root says. Here that is a file system of this mount
# namespace, which goes away with it, as do the overlays of a build that was interrupted.
# The directory for it is made where there is none, and removed by the last of the runs that go on at the same time: removing
# it under another one would take the file system away from that.
machine=/var/lib/containers
exec 8</var/lib
flock --shared 8
if [ ! -d "$machine" ]; then
  mkdir "$machine"
  trap 'flock --exclusive --nonblock 8 && rmdir "$machine" 2>/dev/null || true' EXIT
fi
status=0
# shellcheck disable=SC2016  # the inner shell's
unshare --mount --propagation private sh -c 'mount -t tmpfs none "$1" && shift && exec "$@"' sh "$machine" \
  /usr/bin/python3 -B "$root/tests/differential/differential.py" --tektii "$tektii" --base "$base:3.11-slim" "$@" || status=$?
exit "$status"
