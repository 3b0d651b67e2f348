#!/usr/bin/env bash
# Builds targets a second time, from a clone in another directory, and compares every byte with dist/.
# usage: tests/reproducible.sh [--deb] TARGET ...      (after ./build.sh with the same arguments)
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || { echo "usage: tests/reproducible.sh [--deb] TARGET ..." >&2; exit 2; }

first=$PWD
second=$(mktemp -d)/in/another/directory
trap 'rm -rf "${second%/in/another/directory}"' EXIT
git clone --quiet . "$second"
# The same tools, so that they are not fetched twice.
(cd "$second" && PATH="$first/target/tools/bin:$PATH" ./build.sh "$@")

# Programs, tarballs and packages.
differing=""
for file in "$second"/dist/susv*; do
    cmp "$first/dist/${file##*/}" "$file" || differing+=" ${file##*/}"
done
[ -z "$differing" ] || { echo "not reproducible:$differing" >&2; exit 1; }
echo "reproducible: $*"
