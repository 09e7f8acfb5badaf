#!/usr/bin/env bash
# Installs the Debian 12 packages that the project needs. Safe to run again; does nothing when nothing is missing.
#   scripts/setup.sh [--list] [GROUP...]     GROUP: build run base test lint, or diff; the first five without a GROUP
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

declare -A packages=(
  # Compiling and linking the product and its tests.
  [build]="build-essential ca-certificates cmake git ninja-build pkg-config
           libarchive-dev libcli11-dev libcpp-httplib-dev libcurl4-openssl-dev libdeflate-dev libfmt-dev
           libgmock-dev libgtest-dev libseccomp-dev libspdlog-dev libssl-dev libtomlplusplus-dev libzstd-dev nlohmann-json3-dev zlib1g-dev"
  # Running it: newuidmap for RUN as an ordinary user, git for the commit of a context, the trusted certificates.
  [run]="ca-certificates git uidmap"
  # make-base-image.sh and the quickstart. python3-tabulate is where the example's wheel is made from.
  [base]="debian-archive-keyring jq mmdebstrap python3 python3-tabulate umoci"
  # The end-to-end tests: a registry, the tools that judge our images, the wheels that pip builds packages with.
  [test]="apache2-utils crun curl docker-registry jq libcap2-bin python3 python3-setuptools-whl python3-wheel-whl
          skopeo umoci"
  # The comparison with another builder, scripts/differential.sh.
  [diff]="buildah bzip2 xz-utils zstd"
  # Format and static analysis; libclang-rt is for the fuzz targets.
  [lint]="clang-14 clang-format-14 clang-tidy-14 libclang-rt-14-dev shellcheck"
)
order=(build run base test lint)  # without a GROUP; diff is for those who ask for it

groups=()
list=no
for argument in "$@"; do
  case $argument in
    --list) list=yes ;;
    -h | --help) sed -n '2,3s/^# //p' "$0"; exit 0 ;;
    *) [ -n "${packages[$argument]:-}" ] || die "unknown group '$argument'" "the groups are: ${order[*]} diff"
       groups+=("$argument") ;;
  esac
done
[ ${#groups[@]} -gt 0 ] || groups=("${order[@]}")

wanted=()
for group in "${groups[@]}"; do
  # shellcheck disable=SC2206  # the lists are words
  wanted+=(${packages[$group]})
done
mapfile -t wanted < <(printf '%s\n' "${wanted[@]}" | sort -u)

if [ "$list" = yes ]; then
  printf '%s\n' "${wanted[@]}"
  exit 0
fi

# Read in a subshell: os-release sets VERSION and other common names.
system=$(. /etc/os-release 2>/dev/null && printf '%s %s' "${ID:-unknown}" "${VERSION_ID:-}" || printf unknown)
if [ "$system" != "debian 12" ] || ! command -v apt-get >/dev/null; then
  die "this script installs packages on Debian 12, and this is '${system% }'" \
    "Install what these Debian packages hold with your system's own tools (gcc 12 or clang 14 or newer), then run" \
    "cmake --workflow --preset release:" "" "${wanted[*]}"
fi

installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null | sed -n 's/^installed //p' || true)
mapfile -t missing < <(comm -23 <(printf '%s\n' "${wanted[@]}") <(sort -u <<<"$installed"))

# An ordinary user can own files of several ids in a RUN only with a range of subordinate ids. adduser gives one to
# every user; useradd and some images do not.
user=$(id -un)
needs_ids=no
if [ "$(id -u)" != 0 ] && [[ " ${groups[*]} " == *" run "* ]]; then
  for file in /etc/subuid /etc/subgid; do
    grep -qsE "^($user|$(id -u)):" "$file" || needs_ids=yes
  done
fi

[ ${#missing[@]} -gt 0 ] || [ "$needs_ids" = yes ] || exit 0

as_root=()
if [ "$(id -u)" != 0 ]; then
  by_hand=()
  [ ${#missing[@]} -eq 0 ] || by_hand+=("apt-get install --no-install-recommends ${missing[*]}")
  [ "$needs_ids" = no ] || by_hand+=("usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $user")
  command -v sudo >/dev/null || die "root is needed to set this machine up, and there is no sudo" "Run as root:" "${by_hand[@]}"
  as_root=(sudo)
  if ! sudo -n true 2>/dev/null; then
    [ -t 0 ] || die "sudo asks for a password and there is no terminal to ask on" "Run as root:" "${by_hand[@]}"
    note "sudo may ask for your password"
  fi
fi

# Runs as root, in a shell of its own. docker-registry's package starts a server on port 5000 and enables it at boot; only
# its program is wanted here. So no service is started while we install (policy-rc.d is Debian's own switch for that),
# and the unit is disabled, but only when this run is what installed it.
# shellcheck disable=SC2016  # expanded there, not here
install_as_root='
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    trap "rm -f $policy" EXIT
    printf "#!/bin/sh\nexit 101\n" >"$policy"
    chmod 755 "$policy"
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q
  apt-get install -q -y --no-install-recommends -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@"
  case " $* " in
    *" docker-registry "*)
      if command -v systemctl >/dev/null; then
        systemctl --quiet disable docker-registry
      else
        rm -f /etc/systemd/system/multi-user.target.wants/docker-registry.service
      fi ;;
  esac
'
if [ ${#missing[@]} -gt 0 ]; then
  say "Installing ${#missing[@]} Debian packages"
  note "${missing[*]}"
  log=$(mktemp)
  if ! "${as_root[@]}" bash -euo pipefail -c "$install_as_root" setup "${missing[@]}" >"$log" 2>&1 </dev/null; then
    tail -n 20 "$log" >&2
    rm -f "$log"
    die "the packages could not be installed" "The last lines of apt-get are above; 'apt-get update' must reach a mirror."
  fi
  rm -f "$log"
fi

# The first range above every range that is taken, in both files at once, so that the two can be the same.
if [ "$needs_ids" = yes ]; then
  first=$(cat /etc/subuid /etc/subgid 2>/dev/null |
    awk -F: 'BEGIN { next_id = 100000 } $2 + $3 > next_id { next_id = $2 + $3 } END { print next_id }')
  range=$first-$((first + 65535))
  say "Giving $user the subordinate ids $range (for RUN with files of several owners)"
  "${as_root[@]}" usermod --add-subuids "$range" --add-subgids "$range" "$user"
fi
