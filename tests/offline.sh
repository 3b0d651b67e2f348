#!/usr/bin/env bash
# A fresh clone is built and tested without a network, and with nothing that cargo has fetched before. Root only.
# usage: tests/offline.sh       (needs git, unshare, ip)
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git clone --quiet . "$work/a clone"
cd "$work/a clone"
# The rustup programs are found by PATH, what cargo keeps by CARGO_HOME.
CARGO_HOME=$work/cargo unshare --net sh -ec 'ip link set lo up; cargo build --release; cargo test'
[ -z "$(find "$work/cargo" -name '*.crate' 2>/dev/null)" ] || { echo "tests/offline.sh: packages were fetched" >&2; exit 1; }
echo "offline: a clone was built and tested"
