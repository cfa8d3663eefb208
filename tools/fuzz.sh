#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds and runs the fuzz targets of tests/fuzz, two at a time, each for some seconds.
#   tools/fuzz.sh [SECONDS [TARGET ...]]     20 seconds, all targets
# What they learn stays in build/fuzz/corpus and is where the next run begins. For each target: inputs of this run and
# of all runs, inputs per second, coverage (edges, features) of the corpus alone and at the end, what the target counts.
# Exit: 0 nothing found, 1 findings, kept in build/fuzz/findings.
set -euo pipefail
cd "$(dirname "$0")/.."
case ${1-20} in
  *[!0-9]* | '' | 0) sed -n '3,7s/^# //p' "$0"; exit 2 ;;
esac
seconds=${1:-20}
targets=("${@:2}")

tools/install_packages.sh build test
command -v clang++ >/dev/null || { echo "SKIPPED: the fuzz targets need clang"; exit 0; }
[[ $(uname -m) == x86_64 ]] || { echo "SKIPPED: the fuzz targets are built on x86-64"; exit 0; }
((${#targets[@]})) || mapfile -t targets < <(sed -nE 's/^octet_fuzz\((\w+).*/\1/p' tests/fuzz/CMakeLists.txt)

work=build/fuzz
mkdir -p $work/logs $work/totals $work/findings
if ! { cmake --preset asan && cmake --build --preset asan --target octet_fuzz_targets; } >$work/logs/build.log 2>&1; then
  tail -n 30 $work/logs/build.log
  exit 1
fi
build/asan/fuzz_seeds $work/seeds

# The longest input of a target, in bytes: what is small is fast.
longest() {
  case $1 in
    load | load_and_run | model_mutation | onnx_import) echo 4096 ;;
    requantize | npy | onnx_structured) echo 512 ;;
    api_calls) echo 64 ;;
    *) echo 256 ;;
  esac
}

# Mutations in a row: of structured inputs, one leaves more of them valid.
depth() {
  case $1 in
    load_and_run | model_mutation | onnx_import) echo 1 ;;
    *) echo 5 ;;
  esac
}

# Freed memory is kept less long than usual and given back to the system never: four times as many inputs.
asan=quarantine_size_mb=1:thread_local_quarantine_size_kb=32:allocator_release_to_os_interval_ms=-1
asan+=:max_malloc_fill_size=64:malloc_context_size=2
memory=()
[[ ! -w /dev/shm ]] || memory=(-p /dev/shm)

# field NAME LOG: the last value of a libFuzzer field such as "cov:".
field() { grep -oE "$1 *[0-9]+" "$2" | tail -n 1 | grep -oE '[0-9]+$' || echo 0; }

# fuzz TARGET: runs it, then prints its line; fails on a finding.
fuzz() {
  local target=$1 log=$work/logs/$1.log rc=0 corpora=() folder temporary
  mkdir -p "$work/corpus/$target" "$work/findings/$target"
  for folder in "tests/fuzz/corpus/$target" "$work/seeds/$target"; do
    [[ ! -d $folder ]] || corpora+=("$folder")
  done
  temporary=$(mktemp -d "${memory[@]}")
  TMPDIR=$temporary ASAN_OPTIONS=$asan UBSAN_OPTIONS=print_stacktrace=1 \
    "build/asan/fuzz_$target" -max_total_time="$seconds" -max_len="$(longest "$target")" -len_control=0 -entropic=0 \
    -mutate_depth="$(depth "$target")" \
    -timeout=1 -rss_limit_mb=256 -malloc_limit_mb=128 -print_funcs=0 -print_final_stats=1 \
    -artifact_prefix="$work/findings/$target/" \
    "$work/corpus/$target" "${corpora[@]}" >"$log" 2>&1 || rc=$?
  rm -rf "$temporary"
  local runs total alone end counts
  runs=$(field 'number_of_executed_units:' "$log")
  total=$((runs + $(cat "$work/totals/$target" 2>/dev/null || echo 0)))
  echo $total >"$work/totals/$target"
  alone=$(sed -nE 's/.*INITED +cov: ([0-9]+) ft: ([0-9]+).*/\1,\2/p' "$log" | tail -n 1)
  end="$(field 'cov:' "$log"),$(field 'ft:' "$log")"
  counts=$(sed -nE 's/^count (\w+) ([0-9]+)$/\1 \2/p' "$log" | tr '\n' ';' | sed 's/;$//; s/;/, /g')
  printf '%-20s %9d %10d %7d  %-11s  %-11s  %s\n' "$target" "$runs" "$total" \
    "$(field 'average_exec_per_sec:' "$log")" "${alone:-none}" "$end" "$counts"
  ((rc == 0)) && return
  echo "$target: FOUND SOMETHING (exit code $rc); the end of $log:"
  grep -E 'ERROR|finding:|runtime error|SUMMARY|Test unit written' "$log" | tail -n 6
  echo "reproduce: build/asan/fuzz_$target $(find "$work/findings/$target" -type f -newer "$work/logs/build.log" | tail -n 1)"
  return 1
}

printf '%-20s %9s %10s %7s  %-11s  %-11s  %s\n' target inputs 'in all' '1/s' 'corpus' 'end' 'counts'
found=0 running=0
for target in "${targets[@]}"; do
  if ((running == 2)); then
    wait -n || found=1
    running=$((running - 1))
  fi
  fuzz "$target" &
  running=$((running + 1))
done
while ((running)); do
  wait -n || found=1
  running=$((running - 1))
done
exit $found
