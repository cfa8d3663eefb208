#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian packages that a purpose needs and that are missing; a fast no-op when all are there.
#   tools/install_packages.sh build|test|python|consumer|onnx|check|coverage|peers|cross|model|onnxruntime|mnist|fashion ...
# OCTET_NO_INSTALL=1 forbids it. Exit: 0 all there, 1 missing and not allowed, 3 apt could not deliver.
set -euo pipefail

packages_for() {
  case $1 in
    build)
      echo cmake ninja-build g++ pkg-config libxsimd-dev libtbb-dev libflatbuffers-dev \
        flatbuffers-compiler libprotobuf-dev protobuf-compiler libonnx-dev libcli11-dev \
        nlohmann-json3-dev zlib1g-dev ;;
    test) echo doctest-dev libbenchmark-dev qemu-user-static clang libclang-rt-14-dev llvm-14 ;;
    python) echo python3-dev pybind11-dev python3-numpy python3-pytest ;;
    consumer) echo pkg-config dpkg-dev file libpng-dev python3-numpy ;;
    onnx) echo python3-onnx python3-numpy libonnx-testdata ;;
    peers) echo libdnnl-dev libxnnpack-dev libpthreadpool-dev libcpuinfo-dev libopenblas-dev nlohmann-json3-dev libcli11-dev ;;
    check) echo doctest-dev libbenchmark-dev clang clang-format python3 ;;
    coverage) echo clang llvm ;;
    cross)
      echo g++-aarch64-linux-gnu qemu-user-static libxsimd-dev:arm64 libprotobuf-dev:arm64 \
        zlib1g-dev:arm64 ;;
    model) echo llvm-19 qemu-user-static binutils-aarch64-linux-gnu python3 ;;
    onnxruntime) # the nodejs of other sources brings npm with it
      echo nodejs python3-onnx python3-numpy
      command -v npm >/dev/null || echo npm ;;
    mnist) echo curl ca-certificates ;;
    fashion) echo dataset-fashion-mnist ;;
    *) echo "install_packages.sh: unknown purpose '$1'" >&2; exit 2 ;;
  esac
}

say() { echo "install_packages.sh: $*" >&2; }

wanted=$(for purpose in "$@"; do packages_for "$purpose"; done)
[[ -n $wanted ]] || { say "give a purpose: build test python consumer onnx check coverage peers cross model onnxruntime mnist fashion"; exit 2; }

if ! command -v dpkg-query >/dev/null; then
  say "no Debian system: the packages are not checked. Needed, by Debian's names: ${wanted//$'\n'/ }"
  exit 0
fi

declare -A installed=()
while read -r status name; do
  [[ $status != installed ]] || installed[$name]=1
done < <(dpkg-query -W -f '${db:Status-Status} ${Package}:${Architecture}\n')
native=$(dpkg --print-architecture)
missing=()
for package in $(tr ' ' '\n' <<<"$wanted" | sort -u); do
  case $package in
    *:*) [[ -n ${installed[$package]-} ]] || missing+=("$package") ;;
    *) [[ -n ${installed[$package:$native]-}${installed[$package:all]-} ]] || missing+=("$package") ;;
  esac
done
((${#missing[@]})) || exit 0

if [[ ${OCTET_NO_INSTALL:-0} == 1 ]]; then
  say "missing, and OCTET_NO_INSTALL=1 forbids to install: ${missing[*]}"
  exit 1
fi
as_root=()
if ((EUID)); then
  command -v sudo >/dev/null || { say "run as root, or install sudo, to get: ${missing[*]}"; exit 1; }
  as_root=(sudo)
fi

say "installing with apt-get${as_root:+ (sudo)}: ${missing[*]}"
added=
for package in "${missing[@]}"; do
  if [[ $package == *:arm64 && $native != arm64 ]] && ! dpkg --print-foreign-architectures | grep -qx arm64
  then
    say "adding the architecture arm64 to dpkg"
    "${as_root[@]}" dpkg --add-architecture arm64
    added=arm64
  fi
done
apt() { # quiet but for errors
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get -qq -o Dpkg::Use-Pty=0 -o Acquire::Retries=2 "$@" >/dev/null
}
apt update || say "apt-get update failed; trying with the lists at hand"
if ! apt install -y --no-install-recommends "${missing[@]}"; then
  say "apt could not install: ${missing[*]}"
  if [[ -n $added ]]; then
    say "removing the architecture $added again"
    "${as_root[@]}" dpkg --remove-architecture "$added" || true
  fi
  exit 3
fi
