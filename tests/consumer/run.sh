#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs a build into a folder that is then moved, and builds small apps against it in every way that users have:
# find_package, add_subdirectory, pkg-config; runs them and the examples; takes the Debian package apart.
#   tests/consumer/run.sh BUILD_DIR     a build with the command octet, such as build/release
set -euo pipefail
build=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
golden=$root/tests/golden/v1.octet
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$root/tools/install_packages.sh" build consumer
cd "$folder"

step() { printf '%3d s  %s\n' $SECONDS "$*"; }
fail() { echo "consumer: $*" >&2; exit 1; }
# refuses TEXT COMMAND...: the command must fail and say TEXT.
refuses() {
  local text=$1 said
  shift
  if said=$("$@" 2>&1); then fail "'$*' must fail"; fi
  [[ $said == *"$text"* ]] || fail "'$*' says '$said', must say '$text'"
}
quiet() { "$@" >log 2>&1 || { tail -n 30 log >&2; fail "'$*' failed"; }; }
# Unoptimized but for kernels: the question is what is built, not how fast it is.
cmake_project() { # SOURCE BUILD OPTION...
  quiet cmake -S "$1" -B "$2" -G Ninja -DCMAKE_BUILD_TYPE=None -DCMAKE_UNITY_BUILD=ON "${@:3}"
  quiet cmake --build "$2"
}
# exports LIBRARY, and what the header declares
exports() { nm -D --defined-only "$1" | awk '{ print $3 }' | sort; }
declared() { sed -nE 's/^OCTET_API .*\b(octet_[a-z_]+)\(.*/\1/p' "$root/engine/include/octet/octet_c.h" | sort; }

step "install, and move what was installed"
targets=(octet octet_shared octet_static)
! grep -q octet_python "$build/build.ninja" || targets+=(octet_python)
quiet cmake --build "$build" --target "${targets[@]}"
quiet cmake --install "$build" --prefix "$folder/first"
mv first moved
prefix=$folder/moved
if grep -rlaF -e "$root" -e "$folder/first" moved; then fail "these files name a folder of the build"; fi
library=$(echo moved/lib*/liboctet.a moved/lib*/*/liboctet.a | tr ' ' '\n' | grep -v '\*')
libdir=$folder/$(dirname "$library")
diff <(declared) <(exports "$libdir/liboctet.so") || fail "liboctet.so must export what octet_c.h declares"
nm -gC --defined-only "$library" | awk 'NF > 2 && $2 ~ /[A-TX-Z]/' | grep -vE ' [A-Z] (octet_|octet::)' &&
  fail "liboctet.a defines what is not octet's"
nm -C "$library" | grep -E '\bflatbuffers::' && fail "liboctet.a holds FlatBuffers under its own name"
moved/bin/octet --help >/dev/null

step "find_package: shared, static, examples"
cmake_project "$here/find_package" found -DCMAKE_PREFIX_PATH="$prefix"
found/shared "$golden"
found/static "$golden"
ldd found/static | grep liboctet && fail "the static app needs the shared library"

step "the examples run"
moved/bin/octet convert "$root/models/mnist_mlp.onnx" --mode weight-only --normalize 0.1307,0.3081 -o mlp.octet >/dev/null
classify=found/examples/classify
[[ $($classify mlp.octet "$here/seven.pgm") == 7 ]] || fail "seven.pgm is no seven"
bytes=$(sed 1,4d "$here/seven.pgm" | tr ' ' '\n' | awk '{ printf "\\%03o", $1 }')
printf "P5 28 28 255\n$bytes" >seven.p5
[[ $($classify mlp.octet seven.p5) == 7 ]] || fail "the binary seven is no seven"
head -c 700 seven.p5 >cut.pgm
refuses "ends after 687 of 784 pixels" $classify mlp.octet cut.pgm
sed 's/^28 28/27 28/' "$here/seven.pgm" >narrow.pgm
refuses "has 27x28 pixels, the network takes 28x28" $classify mlp.octet narrow.pgm
sed '$s/0$/256/' "$here/seven.pgm" >bright.pgm
refuses "pixel 783 is 256, its white is 255" $classify mlp.octet bright.pgm
sed 's/^255/65535/' "$here/seven.pgm" >deep.pgm
refuses "white is 65535, must be from 1 to 255" $classify mlp.octet deep.pgm
refuses "neither P2 nor P5" $classify mlp.octet mlp.octet
refuses "is no octet model" $classify seven.p5 seven.p5
/usr/bin/python3 "$here/png.py" "$here/seven.pgm"
if ldd $classify | grep -q libpng; then
  for picture in grey deep colour alpha palette; do
    [[ $($classify mlp.octet $picture.png) == 7 ]] || fail "$picture.png is no seven"
  done
  gcc -DEXAMPLE_PNG -I"$root/engine/examples" "$here/pixels.c" -lpng -o pixels
  for picture in grey deep colour palette; do # what is transparent is mixed as light is, not as numbers
    ./pixels $picture.png | cmp - <(tail -c 784 seven.p5) || fail "$picture.png has other pixels than seven.pgm"
  done
  refuses "narrow.png: has 27x28 pixels, the network takes 28x28" $classify mlp.octet narrow.png
  refuses "line.png: has 784x1 pixels, the network takes 28x28" $classify mlp.octet line.png
  refuses "huge.png: is no good PNG file: " $classify mlp.octet huge.png
  refuses "empty.png: is no good PNG file: " $classify mlp.octet empty.png
  refuses "start.png: is no good PNG file: " $classify mlp.octet start.png
  refuses "cut.png: is a damaged PNG file: " $classify mlp.octet cut.png
  refuses "flipped.png: is a damaged PNG file: " $classify mlp.octet flipped.png
else
  echo "SKIPPED: pictures as PNG: libpng-dev is missing"
fi
refuses "No such file" $classify mlp.octet none.png
head -c $((784 * 2000)) moved/bin/octet >requests
tail -c 784 seven.p5 >>requests
found/examples/server mlp.octet 1 <requests >one
found/examples/server mlp.octet 4 <requests >four
[[ $(wc -l <one) == 2001 && $(tail -n 1 one) == 7 ]] || fail "the server gave $(wc -l <one) answers, not 2001"
cmp one four
refuses "the last sample has 700 bytes, the network takes 784" found/examples/server mlp.octet 2 <cut.pgm
found/examples/realtime mlp.octet 200

step "the Python package"
python_says() { # FOLDER: what an octet there makes of the seven
  PYTHONPATH=$1/lib/python3/dist-packages /usr/bin/python3 -B -c '
import numpy, octet
print(octet.load("mlp.octet")(numpy.fromfile("seven.p5", numpy.uint8)[-784:].reshape(1, 784)).argmax())'
}
if [[ -d moved/lib/python3/dist-packages ]]; then
  [[ $(python_says moved) == 7 ]] || fail "the Python package sees no seven"
else
  echo "SKIPPED: it is not built: pybind11-dev or python3-dev is missing"
fi

step "pkg-config: shared, and by its static libraries"
pc() { PKG_CONFIG_PATH=$libdir/pkgconfig pkg-config "$@" octet; }
read -ra flags <<<"$(pc --cflags --libs)"
gcc "$here/check.c" "${flags[@]}" -o by_pc
LD_LIBRARY_PATH=$libdir ./by_pc "$golden"
read -ra flags <<<"$(pc --static --cflags --libs)"
gcc "$here/check.c" "${flags[@]/#-loctet/-l:liboctet.a}" -o by_pc_static
./by_pc_static "$golden"

step "a model linked into the program"
moved/bin/octet embed mlp.octet -o digits.o --header digits.h >/dev/null
gcc -I. "$here/embedded.c" digits.o "${flags[@]/#-loctet/-l:liboctet.a}" -o embedded
./embedded

step "the Debian package"
quiet cpack -G DEB --config "$build/CPackConfig.cmake" -B "$folder/cpack"
package=$(echo cpack/*.deb)
dpkg-deb -x "$package" unpacked
unpacked/usr/bin/octet --help >/dev/null
[[ ! -d moved/lib/python3 || $(python_says unpacked/usr) == 7 ]] || fail "the Debian package's Python sees no seven"
dpkg-deb -f "$package" Depends | grep -q 'libstdc++6 (>=' || fail "the package does not name the libraries it needs"
echo "$(basename "$package"), $(stat -c %s "$package") bytes: $(dpkg-deb -f "$package" Depends)"

step "add_subdirectory"
cmake_project "$here/add_subdirectory" sub -DOCTET="$root" -DOCTET_WITH_TBB=OFF -DOCTET_ISAS=scalar
sub/static "$golden" | tee said
grep -q ', scalar: ok' said
sub/shared "$golden"
[[ -f sub/octet/engine/liboctet.a && ! -e sub/octet/octet ]] || fail "a subproject builds the libraries alone"

step "the engine alone: no oneTBB, no converter; linked fully static"
engine=(-DOCTET_WITH_TBB=OFF -DOCTET_BUILD_TOOLS=OFF -DOCTET_BUILD_TESTS=OFF -DOCTET_BUILD_BENCH=OFF)
quiet cmake -S "$root" -B alone -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_UNITY_BUILD=ON "${engine[@]}"
quiet cmake --build alone --target octet_static octet_shared
quiet cmake --install alone --prefix "$folder/small"
[[ ! -e small/bin ]] || fail "an engine without tools installs a command"
read -ra flags <<<"$(PKG_CONFIG_PATH=small/lib/pkgconfig pkg-config --static --cflags --libs octet)"
gcc -static "$here/check.c" "${flags[@]}" -o fully_static
./fully_static "$golden"

step "what an app pays: the example for digits, stripped"
flags=("${flags[@]/#-loctet/-l:liboctet.a}")
gcc -O2 "$root/engine/examples/classify.c" -Wl,--gc-sections,--as-needed -s "${flags[@]}" -o stripped
# Without EXAMPLE_PNG, as one without libpng compiles it: PNG is no part of what an app pays for octet.
refuses "this program was built without PNG" ./stripped mlp.octet grey.png
[[ $(./stripped mlp.octet "$here/seven.pgm") == 7 ]] || fail "the stripped program sees no seven"
size=$(stat -c %s stripped)
echo "the stripped program: $size bytes"
((size <= 300000)) || fail "that is more than 300000"

/usr/bin/python3 -c '
import numpy
numpy.save("seven.npy", numpy.fromfile("seven.p5", numpy.uint8)[-784:].reshape(1, 784))'
moved/bin/octet convert "$root/models/mnist_mlp.onnx" --calibrate seven.npy --normalize 0.1307,0.3081 -o static.octet >/dev/null
# MODEL PROGRAM: the median of 31 processes, and of their resident memory.
cold() { for i in {1..31}; do "./$2" "$1"; done | sort -n | awk '{ us[NR] = $1; kb[NR] = $2 } END { print us[16], kb[16] }'; }
gcc -O2 "$here/cold_start.c" -Wl,--gc-sections,--as-needed -s "${flags[@]}" -o cold_start
gcc -O2 -DEMPTY "$here/cold_start.c" -s -o empty
read -r us kb <<<"$(cold static.octet cold_start)"
read -r _ empty_kb <<<"$(cold static.octet empty)"
echo "load, session and first run: $us us; resident $kb kB, $((kb - empty_kb)) more than an empty process"

step "chosen tables"
isa=avx2
[[ $(uname -m) == x86_64 ]] || isa=neon
quiet cmake -S "$root" -B chosen -G Ninja "${engine[@]}" -DOCTET_ISAS=$isa
built=$(grep -oE 'OCTET_HAS_[A-Z0-9_]+' chosen/build.ninja | sort -u)
[[ $built == "OCTET_HAS_${isa^^}" ]] || fail "OCTET_ISAS=$isa builds $built"
refuses "there is no 'avx3'" cmake -S "$root" -B refused "${engine[@]}" "-DOCTET_ISAS=$isa;avx3"
step "all good"
