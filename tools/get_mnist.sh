#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Prints the folder that holds MNIST's four IDX files, plain or gzipped: $OCTET_DATA/mnist, else the
# user's cache, into which they are downloaded when they are nowhere. SHA-256 is checked in each case.
set -euo pipefail

readonly kMirrors=(
  https://ossci-datasets.s3.amazonaws.com/mnist
  https://storage.googleapis.com/cvdf-datasets/mnist
)
# Of the uncompressed files.
readonly kSums="\
ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db train-images-idx3-ubyte
65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5 train-labels-idx1-ubyte
0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7 t10k-images-idx3-ubyte
ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2 t10k-labels-idx1-ubyte"

say() { echo "get_mnist.sh: $*" >&2; }

# verified FOLDER: whether it holds all four files, each with its sum.
verified() {
  local sum name file
  while read -r sum name; do
    file=$1/$name
    [[ -f $file ]] || file+=.gz
    [[ -f $file ]] || return 1
    if [[ $(gzip -dcf "$file" 2>/dev/null | sha256sum) != "$sum "* ]]; then
      say "$file is not MNIST's $name: its SHA-256 differs"
      return 1
    fi
  done <<<"$kSums"
}

cache=${XDG_CACHE_HOME:-$HOME/.cache}/octet/mnist
for folder in ${OCTET_DATA:+"$OCTET_DATA/mnist"} "$cache"; do
  if verified "$folder"; then
    echo "$folder"
    exit 0
  fi
done

command -v curl >/dev/null || { say "MNIST is not at hand, and curl to download it is missing"; exit 1; }
mkdir -p "$(dirname "$cache")"
new=$(mktemp -d --tmpdir="$(dirname "$cache")") # to be renamed, so in the same folder
trap 'rm -rf "$new"' EXIT
for mirror in "${kMirrors[@]}"; do
  say "downloading MNIST (11 MB) from $mirror"
  while read -r _ name; do
    curl --fail --silent --show-error --location --connect-timeout 4 --max-time 120 \
      --speed-limit 1000 --speed-time 10 -o "$new/$name.gz" "$mirror/$name.gz" || continue 2
  done <<<"$kSums"
  if verified "$new"; then
    rm -rf "$cache"
    chmod 755 "$new"
    mv "$new" "$cache"
    echo "$cache"
    exit 0
  fi
done
say "no mirror gave MNIST. Put its four files in $cache, or in \$OCTET_DATA/mnist"
exit 1
