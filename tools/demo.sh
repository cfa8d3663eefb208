#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# From a bare Debian to a quantized network: installs, builds, gets MNIST, converts the reference
# networks to int8, evaluates them beside their float originals, times them, and prints one table.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n== %s\n' "$*"; }
# value FILE KEY: a number or string of a flat JSON object.
value() { tr -d '\n' <"$1" | sed -nE "s/.*\"$2\"[[:space:]]*:[[:space:]]*\"?([^\",}]*).*/\1/p"; }

tools/install_packages.sh build
tools/install_packages.sh mnist || true # needed for a download only

step "Building the command 'octet' (build/release)"
cmake --preset release >/dev/null
cmake --build --preset release --target octet
octet=build/release/octet

step "Data"
networks=()
if mnist=$(tools/get_mnist.sh); then
  echo "MNIST: $mnist"
  networks+=("mnist_mlp $mnist 0.1307,0.3081" "mnist_mlp_512 $mnist 0.1307,0.3081")
else
  echo "NOTE: MNIST is neither here nor to be downloaded: the demo runs on Fashion-MNIST alone."
fi
fashion=/usr/share/datasets/fashion-mnist
if [[ -d $fashion ]] || tools/install_packages.sh fashion; then
  echo "Fashion-MNIST: $fashion (Debian's dataset-fashion-mnist)"
  networks+=("fashion_mlp $fashion 0.2860,0.3530")
fi
((${#networks[@]})) || { echo "demo.sh: no images to work on" >&2; exit 1; }

mkdir -p out
for network in "${networks[@]}"; do
  read -r name data normalize <<<"$network"
  step "$name: convert, evaluate, time"
  $octet convert "models/$name.onnx" -o "out/$name.octet" --calibrate "$data" --normalize "$normalize"
  $octet eval "out/$name.octet" --data "$data" --float "models/$name.onnx" --json >"out/$name.eval.json"
  for batch in 1 256; do
    $octet bench "out/$name.octet" --batch $batch --json >"out/$name.bench$batch.json"
  done
done

step "Results"
printf '%-14s %7s %9s %9s %10s %8s %9s %9s %11s %12s\n' '' '' float int8 agreement logits \
  float int8 batch\ 1 batch\ 256
printf '%-14s %7s %9s %9s %10s %8s %9s %9s %11s %12s\n' network images accuracy accuracy '(arg-max)' \
  SQNR file file latency images/s
for network in "${networks[@]}"; do
  read -r name _ <<<"$network"
  eval=out/$name.eval.json
  LC_ALL=C awk -v name="$name" -v n="$(value "$eval" samples)" -v f="$(value "$eval" float_accuracy)" \
    -v q="$(value "$eval" accuracy)" -v a="$(value "$eval" agreement)" -v s="$(value "$eval" sqnr_db)" \
    -v onnx="$(stat -c %s "models/$name.onnx")" -v octet="$(stat -c %s "out/$name.octet")" \
    -v us="$(value "out/$name.bench1.json" latency_us_median)" \
    -v rate="$(value "out/$name.bench256.json" images_per_s)" 'BEGIN {
      printf "%-14s %7d %7.2f %% %7.2f %% %8.2f %% %8s %6.1f KB %6.1f KB %8.2f us %12.0f\n",
        name, n, 100 * f, 100 * q, 100 * a, s == "null" ? "equal" : sprintf("%.1f dB", s),
        onnx / 1000, octet / 1000, us, rate }'
done
bench=out/${networks[0]%% *}.bench1.json
$octet cpu --json >out/cpu.json
echo "CPU: $(value out/cpu.json cpu); kernel table: $(value "$bench" isa); threads: $(value "$bench" threads)"
