#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# ONNX Runtime (npm's onnxruntime-node) beside octet on the reference networks, one thread each.
#   bench/onnxruntime/run.sh [NETWORK ...]        default: mnist_mlp mnist_mlp_512
# Needs node, npm, and the models that tools/demo.sh leaves in out/.
set -euo pipefail
cd "$(dirname "$0")/../.."
tools/install_packages.sh onnxruntime
peer=build/onnxruntime
mkdir -p $peer
[[ -d $peer/node_modules/onnxruntime-node ]] ||
  npm install --silent --no-fund --no-audit --ignore-scripts --prefix $peer onnxruntime-node@1.30.0
(($#)) || set -- mnist_mlp mnist_mlp_512
for network; do
  [[ -f out/$network.octet ]] || { echo "run.sh: out/$network.octet is missing; run tools/demo.sh" >&2; exit 1; }
  build/release/octet info "out/$network.octet" --json >"$peer/$network.json"
  /usr/bin/python3 bench/onnxruntime/quantize.py "models/$network.onnx" "$peer/$network.json" "$peer/$network.onnx"
  echo "== $network"
  (cd $peer && taskset -c 0 node ../../bench/onnxruntime/bench.mjs ../release/octet "../../out/$network.octet" \
    "$network.onnx" "../../models/$network.onnx")
done
