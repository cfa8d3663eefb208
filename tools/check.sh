#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Checks the rules of the project that a machine can check: format, licence lines, file lengths, who
# includes whom, the float rules, leaked symbols, and no warning from GCC and Clang.
set -eu # without pipefail: a grep that finds nothing is what each check hopes for
shopt -s lastpipe # so that report, at the end of a pipe, can count
cd "$(dirname "$0")/.."

failures=0
# report RULE: reads the violations from stdin; none is good.
report() {
  local found
  found=$(cat)
  if [[ -z $found ]]; then
    echo "ok      $1"
  else
    echo "FAILED  $1"
    echo "        ${found//$'\n'/$'\n'        }"
    failures=$((failures + 1))
  fi
}

tools/install_packages.sh build check
tools/install_packages.sh python || [[ ${CI-} != true ]]

# files PATTERN...: the files of the project, committed or about to be.
files() {
  git ls-files --cached --others --exclude-standard -- "$@" | sort -u |
    while read -r file; do [[ ! -f $file ]] || echo "$file"; done
}
readonly cpp=('*.cpp' '*.h' '*.inl' '*.c')
mapfile -t sources < <(files "${cpp[@]}")
mapfile -t code < <(files "${cpp[@]}" '*.fbs' '*.sh' '*.py' '*.mjs' '*.cmake' '*CMakeLists.txt' .ci/run)

# ---- text ----
clang-format --dry-run -Werror "${sources[@]}" 2>&1 | grep -E 'error:' | cut -d: -f1 | sort -u |
  report "clang-format (clang-format -i FILE repairs it)"
for file in "${code[@]}"; do
  head -n 3 "$file" | grep -q 'SPDX-License-Identifier: Apache-2.0' || echo "$file"
done | report "SPDX line in the first three lines"
for file in "${code[@]}"; do
  lines=$(wc -l <"$file")
  ((lines <= 400)) || echo "$file: $lines lines"
done | report "no file over 400 lines"
files | xargs -d '\n' grep -InE '(^|[^[:alnum:]_.}])/(wor[k]|tm[p]|roo[t]|hom[e])(/|\b)' |
  grep -vE '^LICENSE:' | report "no path of one machine"

# ---- float rules ----
# Of libm and xsimd only what is exact or correctly rounded: the same bits on every machine.
libm='(exp|exp2|exp10|expm1|log|log2|log10|log1p|pow|cbrt|hypot|a?sinh?|a?cosh?|a?tanh?|atan2|sincos|erfc?|[tl]gamma|fma)[fl]?'
files 'kernels/*' 'engine/*' | xargs -d '\n' grep -nE "\b(std|xsimd)::$libm\(" /dev/null |
  report "kernels/ and engine/ call no transcendental function and no fma"

# ---- who includes whom ----
# includes PATHSPEC...: file:line:header, with its quotes or angle brackets.
includes() { files "$@" | xargs -r -d '\n' grep -nEo '^[[:space:]]*#[[:space:]]*include[[:space:]]*["<][^">]+[">]' /dev/null |
  sed -E 's/:[[:space:]]*#[[:space:]]*include[[:space:]]*/:/'; }
standard='<[a-z_0-9]+>|<std(int|def|bool)\.h>|<string\.h>'
intrinsics='<[a-z0-9]*intrin\.h>|<arm_(neon|acle)\.h>|<cpuid\.h>|<sys/auxv\.h>|<asm/hwcap\.h>'
includes 'kernels/*' | grep -vE ":($standard|$intrinsics|<xsimd/[^>]+>|\"kernels/[^\"]+\")\$" |
  report "kernels/ includes kernels/, standard headers, intrinsics and xsimd only"
includes 'kernels/*' | grep -E ':<(thread|mutex|atomic|vector|string|map|memory|new|stdexcept|functional|iostream)>' |
  report "kernels/ needs no threads, allocation or exceptions"
foreign='google/protobuf|onnx/|onnx\.pb|CLI/|nlohmann/|zlib\.h|benchmark/'
includes 'engine/*' | grep -E ":[\"<](tools/|$foreign|xsimd)" |
  report "engine/ includes nothing of tools/ and its libraries"
includes "${cpp[@]}" | grep -E ':[<"](tbb|oneapi/tbb)/' | cut -d: -f1 | sort -u |
  awk '{ files[NR] = $0; good += /^engine\/[a-z_]+\.cpp$/ }
    END { if (NR == 1 && good == 1) exit; for (i in files) print files[i]; if (NR == 0) print "no file does" }' |
  report "oneTBB is included by one file, in engine/"
includes "${cpp[@]}" | grep -E ':[<"](google/protobuf|onnx/|onnx[^"/>]*\.pb)' |
  grep -vE '^(tools/convert/onnx_[a-z]+\.(cpp|h)|tests/)' |
  report "protobuf and ONNX end in tools/convert/onnx_*"
includes 'engine/include/octet/*' |
  grep -vE ":($standard|[\"<]octet/[a-z_]+\.h[\">])\$" |
  report "public headers include public and standard headers only"
includes 'kernels/*' 'engine/*' 'tools/*' | grep -E ':[<"]CLI/' | grep -v '^tools/command/command_line.cpp:' |
  report "CLI11 ends in tools/command/command_line.cpp"
includes "${cpp[@]}" | grep -E ':[<"](pybind11/|Python\.h)' | grep -v '^tools/python/' |
  report "pybind11 ends in tools/python/"
includes 'tools/measure/*' | grep -vE ":($standard|<[a-z_]+\.h>|\"(kernels|tools/measure)/[^\"]+\")\$" |
  report "tools/measure/ includes kernels/ and standard headers only"
includes "${cpp[@]}" | grep -E ':[<"](oneapi/dnnl/|dnnl|xnnpack|cblas)' | grep -v '^bench/peers/' |
  report "oneDNN, XNNPACK and BLAS end in bench/peers/"
includes 'kernels/*' 'engine/*' 'tools/*' | grep -E ':[<"](doctest|benchmark)/' |
  report "no test or benchmark library outside tests/ and bench/"

# ---- the builds: warnings are errors ----
build() {
  local log=build/check-$1.log
  mkdir -p build
  if ! { cmake --preset "$1" -DOCTET_WERROR=ON && cmake --build --preset "$1"; } >"$log" 2>&1; then
    grep -E 'error:|Error|undefined reference' "$log" | sort -u | head -n 20
    echo "see $log"
  fi
}
# Warnings come before code is made: Clang makes that of the engine only, whose objects are looked at below, and parses
# the rest, each file by itself.
parse() {
  mkdir -p build
  if ! { cmake --preset clang -DOCTET_WERROR=ON &&
    cmake --build --preset clang --target octet_static octet_shared octet_onnx_proto; } >build/check-clang.log 2>&1; then
    tail -n 20 build/check-clang.log
    return
  fi
  /usr/bin/python3 -c '
import json
for entry in json.load(open("build/clang/compile_commands.json")):
    if "/kernels/" in entry["file"] or "/build/" in entry["file"]: continue
    print("cd", entry["directory"], "&&", entry["command"], "-fsyntax-only", end="\0")' |
    xargs -0 -P "$(nproc)" -I {} bash -c '{}' >>build/check-clang.log 2>&1 ||
    grep -E 'error:' build/check-clang.log | sort -u | head -n 20
}
build release | report "GCC builds without a warning"
parse | report "Clang has no warning"

# ---- what the objects hold ----
for folder in build/release build/clang build/debug build/asan build/aarch64; do
  [[ -f $folder/kernels/liboctet_kernels.a ]] || continue
  objdump=objdump fused='\svfn?m(add|sub)[0-9a-z]+\s'
  if [[ $folder == build/aarch64 ]]; then
    objdump=aarch64-linux-gnu-objdump fused='\s(fn?m(add|sub)|fml[as])\s'
  fi
  mapfile -t objects < <(find $folder/kernels $folder/engine -name '*.o' | sort)
  nm -Au "${objects[@]}" | grep -E " U $libm\$" |
    report "$folder: no transcendental function of libm in kernels/ and engine/"
  # Only quantize's division is made of them.
  for object in "${objects[@]}"; do
    $objdump -dC --no-show-raw-insn "$object" | grep -P "^[0-9a-f]+ <|$fused" |
      awk -v object="$object" '/^[0-9a-f]+ </ { where = $0; next }
        where !~ />::quantize\(/ && !told[where]++ { print object ": " where }'
  done | report "$folder: no fused multiply-add in kernels/ and engine/ but in quantize"
  # What an app links does nothing before main and nothing after. AddressSanitizer does.
  for object in "${objects[@]}"; do
    [[ $folder != build/asan ]] || break
    readelf -SW "$object" | grep -oE '\.(preinit_array|init_array|fini_array|ctors|dtors)\b' | sed "s|^|$object: |"
  done | sort -u | report "$folder: no static initializer in kernels/ and engine/"
  # A function compiled for one instruction set must not become the program's only copy.
  isa=()
  for name in $(grep -ohE -- '-DOCTET_HAS_[A-Z0-9_]+' $folder/compile_commands.json | sort -u); do
    name=${name#-DOCTET_HAS_}
    isa+=("$folder/kernels/CMakeFiles/octet_kernels.dir/${name,,}.cpp.o")
  done
  isa+=("$folder"/kernels/CMakeFiles/octet_kernels.dir/float_*.cpp.o)
  if ((${#isa[@]})); then
    nm -AC "${isa[@]}" 2>&1 | grep -E ' [VvWwu] |^nm: ' |
      grep -v ' w __[a-z]*___sancov_' # where coverage counters lie, no function
  else
    echo "compile_commands.json names no instruction set"
  fi | report "$folder: no weak symbol in the ${#isa[@]} objects of instruction sets"
  find $folder -name 'liboctet.so*' -type f | while read -r library; do
    nm -D --defined-only "$library" | awk '$3 !~ /^octet_/ { print FILENAME $0 }'
  done | report "$folder: a shared library exports octet_* only"
done

((failures == 0)) || { echo "check.sh: $failures checks failed"; exit 1; }
echo "check.sh: all checks passed"
