#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Lines and branches that the tests reach of what reads what others made: the loader, the importer, and the code that
# computes with shapes. Builds build/coverage with Clang, runs its tests, prints a table.
#   tools/coverage.sh [--again]     --again: the table of the last run, without building and testing
# What was not reached stands in build/coverage/missing.txt. Exit: 1 where a group has less than 95 % of its lines or
# 90 % of its branches, or a test fails.
set -euo pipefail
cd "$(dirname "$0")/.."
build=build/coverage

declare -A files_of=(
  [loader]='^engine/(model_file|read_graph|check|check_[a-z]+|graph|mapped_file|checksum|errors)\.(cpp|h)$'
  [importer]='^tools/convert/onnx_[a-z_]+\.(cpp|h)$'
  [shapes]='^engine/(ops/[a-z0-9_]+|arena|placement|plan|schedule|storage)\.(cpp|h)$'
)
files_of[shapes]+='|^tools/convert/(graph|view_map|simplify_views|engine_builder)\.(cpp|h)$'

if [[ ${1-} != --again ]]; then
  tools/install_packages.sh build test coverage
  cmake --preset coverage >/dev/null
  cmake --build --preset coverage --target octet_tests
  rm -rf $build/profiles
  # Several processes at a time share few files, into which each adds its counts.
  LLVM_PROFILE_FILE=$PWD/$build/profiles/%4m.profraw ctest --preset coverage
  llvm-profdata merge -o $build/coverage.profdata $build/profiles/*.profraw
fi

of=("$build/octet_tests" -object "$build/octet" -object "$build/octet_manners" "-instr-profile=$build/coverage.profdata")
llvm-cov report "${of[@]}" >$build/report.txt 2>/dev/null
result=0
for group in loader importer shapes; do
  printf '%-40s %7s %7s %8s %9s %7s %8s\n' "$group" lines missed reached branches missed reached
  # Columns of the report: file, then what there is, what was missed and the share of regions, functions, lines, branches.
  awk -v group="all of $group" -v wanted="${files_of[$group]}" '
    function share(n, missed) { return n ? 100 * (n - missed) / n : 100 }
    function row(name, lines, missed, branches, skipped) {
      printf "  %-38s %7d %7d %6.1f %% %9d %7d %6.1f %%\n", name, lines, missed, share(lines, missed), branches,
        skipped, share(branches, skipped)
    }
    $1 ~ wanted {
      row($1, $8, $9, $11, $12)
      lines += $8; missed += $9; branches += $11; skipped += $12
    }
    END {
      row(group, lines, missed, branches, skipped)
      exit !lines || share(lines, missed) < 95 || share(branches, skipped) < 90
    }' $build/report.txt || result=1
done
# FILE:LINE and the line, or the branch that was never taken one way. Copies of a template count as one.
llvm-cov show "${of[@]}" -show-branches=count -show-instantiations=false 2>/dev/null |
  awk -v root="$PWD/" -v wanted="${files_of[loader]}|${files_of[importer]}|${files_of[shapes]}" '
    /^\/.*:$/ {
      file = substr($0, 1, length($0) - 1)
      sub(/build\/coverage\/\.\.\/\.\.\//, "", file)  # as ccache names them
      file = substr(file, length(root) + 1)
    }
    file !~ wanted { next }
    /^ *[0-9]+\| +0\|/ || /Branch \(.*: 0[],]/ { print file ":" $0 }' >$build/missing.txt
exit $result
