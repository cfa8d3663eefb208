#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Quantized forms of mnist_mlp, converted and run on MNIST's 10,000 test images: the hash of each one's logits must be the
# expected one, which is that of ONNX Runtime 1.30 for QLinearMatMul, QLinearAdd and QGemm, and for QDQ as it folds it.
#   tests/quantized/run.sh OCTET MNIST_FOLDER [PEER_FOLDER]
# With PEER_FOLDER, a folder with npm's onnxruntime-node, ONNX Runtime runs the same files beside octet.
set -euo pipefail
octet=$(realpath "$1") mnist=$(realpath "$2") peer=${3:+$(realpath "$3")}
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
/usr/bin/python3 "$here/make.py" "$mnist" "$folder"
cd "$folder"
[[ -z $peer ]] || node "$here/onnxruntime.mjs" "$peer" x.npy ./*.onnx
failed=0
for file in *.onnx; do
  name=${file%.onnx}
  "$octet" convert "$file" -o "$name.octet" >/dev/null
  "$octet" run "$name.octet" --input x.npy --output "$name.npy" >/dev/null
  hash=$(tail -c 400000 "$name.npy" | sha256sum | cut -d ' ' -f 1)
  verdict=expected
  grep -qx "$name $hash" "$here/expected.txt" || { verdict=UNEXPECTED failed=1; }
  if [[ -n $peer ]]; then
    peer_hash=$(tail -c 400000 "$file.npy" | sha256sum | cut -d ' ' -f 1)
    if [[ $peer_hash == "$hash" ]]; then verdict+=", equal to ONNX Runtime"; else verdict+=", DIFFERS from ONNX Runtime" failed=1; fi
  fi
  echo "$name $hash $verdict"
done
exit $failed
