#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds and runs every test: release, sanitizers, NEON under qemu, this machine's own binary on
# emulated older CPUs; then the hash of each network's outputs, which must be one everywhere.
#   tools/test.sh [--quick]     --quick: the release build only
# Prints the time of each part; the last line is "N passed, N failed, N skipped".
set -euo pipefail
cd "$(dirname "$0")/.."
quick=
case ${1-} in
  '') ;;
  --quick) quick=1 ;;
  *) sed -n '3,7s/^# //p' "$0"; exit 2 ;;
esac

logs=build/test-logs
mkdir -p $logs
passed=0 failed=0 skipped=0

# count LOG: adds what doctest's summaries say; a CTest test that is no doctest program counts as one.
count() {
  local p f s
  read -r p f s < <(awk '
    # CTest puts "ID: " before what a test prints, and repeats it bare when the test failed.
    /^[0-9]+: / { ctest = 1 }
    /\[doctest\] test cases:/ && (!ctest || /^[0-9]+: /) {
      doctest[$1 + 0] = 1
      split($0, column, "|"); p += column[2]; f += column[3]
    }
    /SKIPPED:/ && (!ctest || /^[0-9]+: /) { skips++ }
    /^ *[0-9]+\/[0-9]+ Test +#[0-9]+:/ {
      match($0, /#[0-9]+/); id = substr($0, RSTART + 1, RLENGTH - 1) + 0
      if (id in doctest) next
      if (/Passed/) p++; else if (/Skipped/) s++; else f++
    }
    # A test case that skips itself ends as passed for doctest.
    END { print p - skips, f + 0, s + skips }' "$1")
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
  result="$p passed, $f failed, $s skipped"
  ((p + f + s)) || result=
}

# part NAME COMMAND...: runs it into a log, counts, shows the log's end when it fails.
part() {
  local name=$1 log=$logs/${1//[^a-zA-Z0-9]/_}.log start=$SECONDS rc=0 before=$failed
  shift
  set +e
  (set -e; "$@") >"$log" 2>&1
  rc=$?
  set -e
  count "$log"
  if ((rc != 0 && failed == before)); then
    failed=$((failed + 1)) result+="${result:+, }ended with exit code $rc"
  fi
  printf '%-32s %4d s  %s\n' "$name" $((SECONDS - start)) "${result:-done}"
  ((rc == 0)) || { echo "--- the end of $log:"; grep -vE '^$' "$log" | tail -n 40; echo ---; }
  return $rc
}

skip() {
  skipped=$((skipped + 1))
  printf '%-32s         SKIPPED: %s\n' "$1" "$2"
}

# shellcheck disable=SC2317 # called through part
preset() {
  cmake --preset "$1" && cmake --build --preset "$1" --target octet_tests &&
    "${no_aslr[@]}" ctest --preset "$1" -V --timeout 900 "${@:2}"
}

# What depends on the CPU: kernels and engine.
# shellcheck disable=SC2317,SC2086 # called through part, with a command of several words
emulated() {
  timeout 900 $1 build/release/octet_tests --source-file-exclude='*/tests/tools/*'
}

finish() {
  echo "time: $((SECONDS / 60)) min $((SECONDS % 60)) s"
  echo "$passed passed, $failed failed, $skipped skipped"
  exit $((failed > 0))
}

# ThreadSanitizer of GCC 12 cannot place its shadow with the address randomization of new kernels.
no_aslr=()
if setarch "$(uname -m)" -R true 2>/dev/null; then no_aslr=(setarch "$(uname -m)" -R); fi

# One call for all packages; those that can be done without in calls of their own where it fails.
purposes=(build test python onnx mnist fashion)
[[ -n $quick || $(uname -m) != x86_64 ]] || purposes+=(cross)
tools/install_packages.sh "${purposes[@]}" || {
  tools/install_packages.sh build test
  tools/install_packages.sh python || [[ ${CI-} != true ]]
  tools/install_packages.sh onnx || true # for tests that skip themselves
  tools/install_packages.sh mnist || true # needed for a download only
  tools/install_packages.sh fashion || true
}
if mnist=$(tools/get_mnist.sh); then
  OCTET_DATA=$(dirname "$mnist")
  export OCTET_DATA
fi

part release preset release || finish
[[ -d build/release/python ]] || skip python "pybind11 or Python's headers are missing: tools/install_packages.sh python"
[[ -z $quick ]] || finish

part asan preset asan || true
OCTET_TEST_SMALL=graphs part tsan preset tsan || true

# The same files in ONNX Runtime: give run.sh a folder with onnxruntime-node.
if [[ -n ${mnist-} ]] && /usr/bin/python3 -c "import numpy, onnx" 2>/dev/null; then
  part "quantized networks" tests/quantized/run.sh build/release/octet "$mnist" &&
    passed=$((passed + $(wc -l <tests/quantized/expected.txt))) || true
else
  skip "quantized networks" "MNIST's images or python3-onnx are not at hand"
fi

# A CPU with AVX2 and one without; what qemu cannot emulate is left out, or it warns on stderr.
haswell="qemu-x86_64-static -cpu Haswell-noTSX,-pcid,-x2apic,-tsc-deadline,-invpcid"
nehalem="qemu-x86_64-static -cpu Nehalem"

# Cross-built for 64-bit ARM, on an emulated CPU with all extensions and on one with plain NEON, which runs what
# depends on the CPU, as this machine's own binary does on older ones. The command is tested here; below it converts and verifies there.
cross=
if [[ $(uname -m) == x86_64 ]]; then
  rc=0
  tools/install_packages.sh cross || rc=$?
  if ((rc == 0)); then
    cross=1
    QEMU_CPU=max part "aarch64 (max)" preset aarch64 -E command || cross=
    [[ -z $cross ]] || QEMU_CPU=cortex-a72 part "aarch64 (cortex-a72)" preset aarch64 -E "tools|command" || true
  elif ((rc == 3)) || [[ ${CI-} != true ]]; then
    skip aarch64 "the packages for the cross-build could not be installed"
  else
    failed=$((failed + 1))
    echo "aarch64: FAILED, CI needs the packages for the cross-build"
  fi
  export OCTET_TEST_SMALL="kernels graphs"
  part "x86-64 (haswell)" emulated "$haswell" || true
  part "x86-64 (nehalem)" emulated "$nehalem" || true
else
  skip "emulated CPUs" "they run on an x86-64 machine"
fi

# hash NAME COMMAND...: the one hash that the command's variants give; nothing when they differ.
hash() {
  local name=$1 log
  log=$logs/verify_${name//[^a-zA-Z0-9]/_}.log
  shift
  "$@" >"$log" 2>&1 || { tail -n 20 "$log" >&2; return 0; }
  grep -oE '\b[0-9a-f]{64}\b' "$log" | sort -u | awk '{ h = $0 } END { if (NR == 1) print h }'
}

# same_hash MODEL.octet: compares all builds and CPUs with the release build on this CPU.
same_hash() {
  local model=$1 want got name command
  want=$(hash "$model release" build/release/octet verify "$model")
  [[ -n $want ]] || { echo "$model: octet verify found no one hash"; failed=$((failed + 1)); return; }
  echo "$model"
  echo "  $want  $(uname -m) (this CPU)"
  passed=$((passed + 1))
  [[ $(uname -m) == x86_64 ]] || return 0
  local names=() i
  while IFS='|' read -r name command; do
    names+=("$name")
    # shellcheck disable=SC2086
    hash "$model $name" $command verify "$model" >"$logs/hash${#names[@]}" &
  done <<<"x86_64 (haswell)|$haswell build/release/octet
x86_64 (nehalem)|$nehalem build/release/octet${cross:+
aarch64 (max)|qemu-aarch64-static -cpu max build/aarch64/octet
aarch64 (cortex-a72)|qemu-aarch64-static -cpu cortex-a72 build/aarch64/octet}"
  wait
  for i in "${!names[@]}"; do
    got=$(<"$logs/hash$((i + 1))")
    echo "  ${got:-none}  ${names[i]}"
    if [[ $got == "$want" ]]; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
  done
}

mkdir -p build/models
for network in "mnist_mlp ${mnist:-none} 0.1307,0.3081" "mnist_mlp_512 ${mnist:-none} 0.1307,0.3081" \
  "fashion_mlp /usr/share/datasets/fashion-mnist 0.2860,0.3530"; do
  read -r name data normalize <<<"$network"
  [[ -d $data ]] || { skip "verify $name" "its images are not at hand"; continue; }
  model=build/models/$name.octet
  convert=(convert "models/$name.onnx" --calibrate "$data" --normalize "$normalize" -o)
  part "convert $name" build/release/octet "${convert[@]}" "$model" || continue
  same_hash "$model"
  [[ -n $cross ]] || continue
  # The converter too gives the same bytes on every machine.
  part "convert $name (aarch64)" qemu-aarch64-static build/aarch64/octet "${convert[@]}" "$model.arm" ||
    continue
  if cmp "$model" "$model.arm"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
done
finish
