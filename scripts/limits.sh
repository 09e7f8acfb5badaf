#!/usr/bin/env bash
# Measures what must stay bounded however large the input is: the memory for a layer of 8 GiB and for a context of a
# million files, and the time that RUN adds over an image of half a million. Fails when a figure is over its limit.
#   scripts/limits.sh [--files N] [--tree N] [layer] [files] [run]      all three by default
# Runs as root, because a file system is mounted for it; takes 8 GB of disk. TEKTII_BINARY names another binary than that
# of the release build; then nothing is installed and nothing is compiled.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

case " $* " in
  *" -h "* | *" --help "*) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 0 ;;
esac
[ "$(id -u)" = 0 ] || die "the limits are measured as root" "A million files are made on a file system of their own."

tektii=${TEKTII_BINARY:-}
if [ -z "$tektii" ]; then
  "$root/scripts/setup.sh" build run base test
  build_preset release --target tektii
  tektii=$root/build/release/bin/tektii
fi
base=$("$root/scripts/make-base-image.sh" ${TEKTII_BASE_IMAGE:+"$TEKTII_BASE_IMAGE"})
unset SOURCE_DATE_EPOCH
mkdir -p "$root/build/bench"
work=$(mktemp -d "$root/build/bench/limits.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir "$work/files"
truncate -s 16G "$work/image"
mkfs.ext4 -q -F -N 2500000 -O ^has_journal "$work/image"
# What is mounted goes with the mount namespace, also when this is interrupted.
# shellcheck disable=SC2016  # the inner shell's
unshare --mount --propagation private sh -c 'mount -o loop "$1/image" "$1/files" && shift && exec "$@"' sh "$work" \
  /usr/bin/python3 -B "$root/bench/limits.py" --tektii "$tektii" --base "$base:3.11-slim" --work "$work/files" "$@"
