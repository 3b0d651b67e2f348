#!/usr/bin/env bash
# Builds targets a second time, from a clone in a directory whose name has a space, without a network and with nothing that cargo has
# fetched before; compares every byte with dist/. Root only.
# usage: tests/reproducible.sh [--deb] TARGET ...      (after ./build.sh with the same arguments)
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || { echo "usage: tests/reproducible.sh [--deb] TARGET ..." >&2; exit 2; }

first=$PWD
work=$(mktemp -d)
second="$work/another directory"
trap 'rm -rf "$work"' EXIT
git clone --quiet . "$second"
cd "$second"
./build.sh --fetch "$work/what was fetched"
CARGO_HOME=$work/cargo unshare --net ./build.sh --from "$work/what was fetched" "$@"

# Programs, tarballs, packages and the list of components.
differing=""
for file in dist/susv*; do
    cmp "$first/$file" "$file" || differing+=" ${file##*/}"
done
[ -z "$differing" ] || { echo "not reproducible:$differing" >&2; exit 1; }
echo "reproducible, without a network: $*"
