#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# ONNX Runtime (npm's onnxruntime-node) beside octet on the MNIST networks, one thread each.
#   bench/onnxruntime/run.sh [mnist_mlp | mnist_mlp_512] ...        default: both
# Needs node, npm, and the models that tools/demo.sh leaves in out/.
set -euo pipefail
cd "$(dirname "$0")/../.."
tools/install_packages.sh onnxruntime
peer=build/onnxruntime
mkdir -p $peer
version=1.30.0
grep -qs "\"version\": \"$version\"" $peer/node_modules/onnxruntime-node/package.json ||
  npm install --silent --no-fund --no-audit --ignore-scripts --prefix $peer onnxruntime-node@$version
cpu=$(taskset -cp $$ | sed -E 's/.*: ([0-9]+).*/\1/') # the first that this shell may use
(($#)) || set -- mnist_mlp mnist_mlp_512
for network; do
  [[ -f out/$network.octet ]] || { echo "run.sh: out/$network.octet is missing; run tools/demo.sh" >&2; exit 1; }
  build/release/octet info "out/$network.octet" --json >"$peer/$network.json"
  /usr/bin/python3 bench/onnxruntime/quantize.py "models/$network.onnx" "$peer/$network.json" "$peer/$network.onnx"
  echo "== $network"
  (cd $peer && taskset -c "$cpu" node ../../bench/onnxruntime/bench.mjs ../release/octet "../../out/$network.octet" \
    "$network.onnx" "../../models/$network.onnx")
done
