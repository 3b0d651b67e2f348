#!/usr/bin/env bash
# Builds targets a second time, from a clone in another directory, and compares every byte with dist/.
# usage: tests/reproducible.sh TARGET ...      (after ./build.sh TARGET ...)
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || { echo "usage: tests/reproducible.sh TARGET ..." >&2; exit 2; }

first=$PWD
second=$(mktemp -d)/in/another/directory
trap 'rm -rf "${second%/in/another/directory}"' EXIT
git clone --quiet . "$second"
# The same tools, so that they are not fetched twice.
(cd "$second" && PATH="$first/target/tools/bin:$PATH" ./build.sh "$@")

differing=""
for name in "$@"; do
    for file in "susv-$name" "susv-$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)-$name.tar.gz"; do
        cmp "$first/dist/$file" "$second/dist/$file" || differing+=" $file"
    done
done
[ -z "$differing" ] || { echo "not reproducible:$differing" >&2; exit 1; }
echo "reproducible: $*"
