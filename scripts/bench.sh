#!/usr/bin/env bash
# Builds and pushes generated contexts with tektii and with Debian's Buildah, times the least work that any builder must
# do beside them, and prints medians and their ratios of this one run. A quiet machine is needed for figures to quote.
#   scripts/bench.sh [--runs N] [--no-buildah] [--json FILE] [copy] [run] [documented]      all three by default, N is 5
# Runs as root, because Buildah mounts overlays only then. The contexts (1.3 GB) stay in build/bench for the next run.
# TEKTII_BINARY names another binary than that of the release build; then nothing is installed and nothing is compiled.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

case " $* " in
  *" -h "* | *" --help "*) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 0 ;;
esac
[ "$(id -u)" = 0 ] || die "the benchmark runs as root" "Buildah as an ordinary user would be measured with slower storage."

tektii=${TEKTII_BINARY:-}
if [ -z "$tektii" ]; then
  "$root/scripts/setup.sh" build run base test diff
  build_preset release --target tektii
  tektii=$root/build/release/bin/tektii
fi
base=$("$root/scripts/make-base-image.sh" ${TEKTII_BASE_IMAGE:+"$TEKTII_BASE_IMAGE"})
mkdir -p "$root/build/bench"
floor=$root/build/bench/floor
[ "$floor" -nt "$root/bench/floor.cpp" ] ||
  g++ -O2 -std=c++20 -Wall -Wextra "$root/bench/floor.cpp" -o "$floor" -ldeflate -lcrypto -lpthread

unset SOURCE_DATE_EPOCH BUILDAH_FORMAT BUILDAH_ISOLATION BUILDAH_LAYERS
work=$(mktemp -d "$root/build/bench/run.XXXXXX")
# Buildah's cache of blobs is in /var/lib/containers whatever --root says.
trap 'rm -rf "$work"; rmdir /var/lib/containers 2>/dev/null || true' EXIT
mkdir -p /var/lib/containers "$work/files"
# A file system that is new each time: on one from which many files were just removed, ext4 takes ten times as long to
# make new ones. What is mounted goes with the mount namespace, also when this is interrupted.
truncate -s 24G "$work/image"
mkfs.ext4 -q -F "$work/image"
# shellcheck disable=SC2016  # the inner shell's
unshare --mount --propagation private sh -c '
  mount -t tmpfs none /var/lib/containers && mount -o loop "$1/image" "$1/files" && shift && exec "$@"' sh "$work" \
  /usr/bin/python3 -B "$root/bench/bench.py" --tektii "$tektii" --floor "$floor" --base "$base:3.11-slim" \
  --work "$work/files" --contexts "$root/build/bench" "$@"
