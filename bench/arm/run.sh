#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The NEON kernels on models of ARM cores, for machines that are none.
set -euo pipefail
cd "$(dirname "$0")/../.."
tools/install_packages.sh build cross model
cmake --preset aarch64 >/dev/null
cmake --build --preset aarch64 --target octet_kernels octet_measure
build=build/aarch64
aarch64-linux-gnu-g++ -std=c++20 -O2 -static -no-pie -I. bench/arm/call.cpp $build/tools/measure/liboctet_measure.a \
  $build/kernels/liboctet_kernels.a -o $build/octet_model_call
/usr/bin/python3 bench/arm/model.py $build/octet_model_call llvm-mca-19
