#!/usr/bin/env bash
# Makes a base image for the examples and the end-to-end tests out of Debian's packages alone: Debian 12 with python3 and
# pip, shaped like the library's python:3.11-slim, as an OCI layout with the tag 3.11-slim.
#   scripts/make-base-image.sh [DIR]       prints DIR; default build/base/python-3.11-slim
# Use it with --build-context python:3.11-slim=oci-layout://DIR. Works as root and as an ordinary user with subordinate
# ids. A second call finds the layout made and returns at once.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

tag=3.11-slim
# The first layer: 2025-01-01. mmdebstrap clamps every time to it, umoci stamps the config with it.
export SOURCE_DATE_EPOCH=1735689600
created=2025-01-01T00:00:00Z
# Wheels that the image carries in a directory of its own, with a pip.conf that looks nowhere else: `pip install` then
# needs no network. They are the releases of the public index, so the same requirements.txt works there too.
wheels=(tabulate)

dir=$(realpath -m "${1:-$root/build/base/python-$tag}")
stamp=$dir.recipe
recipe=$(cat "$root/scripts/make-base-image.sh" "$root/scripts/wheel_from_debian.py" | sha256sum | cut -d' ' -f1)

up_to_date() { [ -f "$dir/index.json" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$recipe" ]; }
finish() { printf '%s\n' "$dir"; exit 0; }

up_to_date && finish
mkdir -p "$(dirname "$dir")"
# Tests that run side by side may ask for the same layout: one makes it, the others wait.
exec 9>"$dir.lock"
flock 9
up_to_date && finish

for tool in mmdebstrap umoci /usr/bin/python3; do
  command -v "$tool" >/dev/null || die "$tool is not installed" "Run scripts/setup.sh"
done

work=$(mktemp -d "$dir.making.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

debian_sources >"$work/sources.list"
apt_options=(--aptopt='Acquire::Retries "3"' --aptopt='Acquire::http::Timeout "30"')
while read -r option; do
  apt_options+=("--aptopt=$option")
done < <(apt_network_options)

say "Making the base image python:$tag from Debian's packages (once; about a minute)"
# What the image says about mirrors is the same wherever it was made. pip installs system-wide in it, as in the library's
# image: Debian's EXTERNALLY-MANAGED marker protects a system that this is not.
# shellcheck disable=SC2016  # $1 is mmdebstrap's
if ! mmdebstrap --variant=minbase --architectures=amd64 --include=ca-certificates,python3,python3-pip \
  --skip=output/dev "${apt_options[@]}" \
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
  --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/info/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' \
  --customize-hook='ln -s ../../bin/python3 "$1/usr/local/bin/python"' \
  --customize-hook='rm "$1"/usr/lib/python3.*/EXTERNALLY-MANAGED "$1/etc/apt/apt.conf.d/99mmdebstrap"' \
  --customize-hook='rm -f "$1"/etc/apt/sources.list.d/* "$1/etc/resolv.conf" "$1/etc/hostname"' \
  --customize-hook='printf "deb http://deb.debian.org/debian %s main\n" bookworm bookworm-updates >"$1/etc/apt/sources.list"' \
  --customize-hook='echo "deb http://deb.debian.org/debian-security bookworm-security main" >>"$1/etc/apt/sources.list"' \
  bookworm "$work/root.tar" "$work/sources.list" >"$work/log" 2>&1; then
  tail -n 15 "$work/log" >&2
  die "the base image could not be made: mmdebstrap failed; its last lines are above" \
    "It needs Debian's packages from these mirrors:" \
    "$(sed -E 's/.*\] //; s#//[^/@]*@#//#' "$work/sources.list" | cut -d' ' -f1 | sort -u | tr '\n' ' ')" \
    "When they can't be reached, check the network and /etc/apt/sources.list. An ordinary user also needs subordinate ids" \
    "(/etc/subuid) and newuidmap, which scripts/setup.sh sets up."
fi

# Device nodes in a layer are of no use and an ordinary user could not unpack them, so the first layer is without /dev;
# the directory itself has to be there.
mkdir -p "$work/extra/opt/wheels" "$work/extra/etc" "$work/extra/dev"
for wheel in "${wheels[@]}"; do
  /usr/bin/python3 "$root/scripts/wheel_from_debian.py" "$wheel" "$work/extra/opt/wheels" >/dev/null
done
printf '[global]\nno-index = true\nfind-links = /opt/wheels\n' >"$work/extra/etc/pip.conf"
chmod -R u=rwX,go=rX "$work/extra"
tar --create --file "$work/extra.tar" --directory "$work/extra" --sort=name --mtime="@$SOURCE_DATE_EPOCH" \
  --owner=0 --group=0 --numeric-owner --format=gnu dev etc/pip.conf opt/wheels

image=$work/layout:$tag
umoci init --layout "$work/layout"
umoci new --image "$image"
umoci raw add-layer --image "$image" --history.created "$created" --history.created_by "mmdebstrap bookworm" "$work/root.tar"
umoci raw add-layer --image "$image" --history.created "$created" --history.created_by "wheels: ${wheels[*]}" "$work/extra.tar"
umoci config --image "$image" --created "$created" --architecture amd64 --os linux \
  --config.env PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin --config.env LANG=C.UTF-8 \
  --config.cmd python3 --history.created "$created" --history.created_by "environment and command"
umoci gc --layout "$work/layout"
chmod -R u=rwX,go=rX "$work/layout"

rm -rf "$dir"
mv "$work/layout" "$dir"
printf '%s\n' "$recipe" >"$stamp"
finish
