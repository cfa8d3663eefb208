#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian package in a Debian of its own that holds nothing else, by apt, which must find all that the
# package needs, and runs the command there; then removes it. By hand, not in CI: most of its time goes into
# debootstrap, which needs root and a mirror.
#   tests/consumer/chroot.sh BUILD_DIR     a release build with the command octet
set -euo pipefail
build=$(realpath "$1")
root=$(cd "$(dirname "$0")/../.." && pwd)
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}

skip() { echo "SKIPPED: $*"; exit 0; }
((EUID == 0)) || skip "debootstrap needs root"
command -v debootstrap >/dev/null || skip "debootstrap is missing"
# Mounts of this script end with it.
[[ ${OCTET_CHROOT_MOUNTS-} == own ]] || OCTET_CHROOT_MOUNTS=own exec unshare --mount "$0" "$build"

folder=$(mktemp -d)
trap 'rm -rf --one-file-system "$folder"' EXIT
debian=$folder/debian
step() { printf '%4d s  %s\n' $SECONDS "$*"; }
inside() { chroot "$debian" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C DEBIAN_FRONTEND=noninteractive "$@"; }
quiet() { "$@" >"$folder/log" 2>&1 || { tail -n 20 "$folder/log" >&2; exit 1; }; }

step "the package"
quiet cmake --build "$build" --target octet octet_shared octet_static
quiet cpack -G DEB --config "$build/CPackConfig.cmake" -B "$folder/cpack"
step "a minimal Debian"
debootstrap --variant=minbase bookworm "$debian" "$mirror" >"$folder/log" 2>&1 || {
  tail -n 5 "$folder/log"
  skip "debootstrap could not make a Debian from $mirror"
}
cp "$folder"/cpack/*.deb "$debian/octet.deb"
cp "$root/tests/golden/v1.octet" "$debian/golden.octet"
step "apt installs it"
quiet inside apt-get update
quiet inside apt-get install -y --no-install-recommends /octet.deb
step "it runs"
inside octet --help >/dev/null
inside octet cpu
inside octet verify /golden.octet
[[ $(inside ldd /usr/bin/octet) != *'not found'* ]] || { echo "a library is missing" >&2; exit 1; }
quiet inside apt-get purge -y octet
[[ -z $(inside find /usr -name '*octet*') ]] || { echo "removing the package leaves files" >&2; exit 1; }
step "all good"
