#!/usr/bin/env bash
# Builds static musl binaries for gateways into dist/. "./build.sh --help" explains.
set -euo pipefail
cd "$(dirname "$0")"

# Pinned: other versions give other bytes. Both come from PyPI into target/tools unless they are installed already.
readonly ZIG=0.17.1 ZIGBUILD=0.24.0
# A result above this is a mistake: it would crowd a router's flash.
readonly MAX_KB=400
# Room for all targets' builds of std.
readonly NEEDED_MB=2000

# name | Rust target | zig target | further compiler flags
# Frame pointers make unwind tables shorter where they are DWARF's (6 KB); Thumb code is a quarter smaller than ARM's.
readonly TARGETS="
x86_64|x86_64-unknown-linux-musl|x86_64-linux-musl|-Cforce-frame-pointers=yes
aarch64|aarch64-unknown-linux-musl|aarch64-linux-musl|-Cforce-frame-pointers=yes
armv7|armv7-unknown-linux-musleabihf|arm-linux-musleabihf|-Ctarget-feature=+thumb-mode
armv5te|armv5te-unknown-linux-musleabi|arm-linux-musleabi|
mipsel|mipsel-unknown-linux-musl|mipsel-linux-musleabi|
"

usage() {
    cat <<'TEXT'
usage: ./build.sh [TARGET ...]    build these targets, or all, into dist/
       ./build.sh --list          list the targets
       ./build.sh --help          this text

Targets: x86_64 (PCs), aarch64 (64-bit ARM), armv7 (hard float: Debian armhf, most routers), armv5te (soft float: old ARM
boxes), mipsel (MIPS routers; best effort).

For each target: dist/susv-TARGET, the program, and dist/susv-VERSION-TARGET.tar.gz with the program, config.ini, sample
firmware and licences, and README. dist/SHA256SUMS covers all of them.

Needed: Rust with its library sources, and Python 3. What else is needed (zig and cargo-zigbuild) is installed into target/.
TEXT
}

fail() {
    printf 'build.sh: %s\n' "$*" >&2
    exit 1
}

target_names() { sed -n 's/|.*//p' <<<"$TARGETS"; }

# field NUMBER NAME: a column of the table.
field() { awk -F'|' -v name="$2" -v number="$1" '$1 == name { print $number }' <<<"$TARGETS"; }

version() { sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1; }

check_sources() {
    [[ $(version) =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || fail "version \"$(version)\" in Cargo.toml is not MAJOR.MINOR.PATCH: correct it"
    if git rev-parse --git-dir >/dev/null 2>&1 && [ -n "$(git status --porcelain)" ]; then
        fail "the sources differ from the last commit, so version $(version) would be a lie: commit or \"git stash -u\" first"
    fi
}

check_space() {
    local free_mb
    free_mb=$(df -Pm target | awk 'NR == 2 { print $4 }')
    [ "$free_mb" -ge "$NEEDED_MB" ] || fail "$free_mb MB free in $PWD/target, $NEEDED_MB needed: make room there"
}

check_tools() {
    local tool
    for tool in cargo rustc python3 tar gzip sha256sum; do
        command -v "$tool" >/dev/null || case $tool in
            cargo | rustc) fail "$tool is missing: install Rust (https://rustup.rs)" ;;
            *) fail "$tool is missing: apt-get install -y python3 python3-venv tar gzip coreutils" ;;
        esac
    done
    [ -e "$(rustc --print sysroot)/lib/rustlib/src/rust/library/Cargo.lock" ] ||
        fail "the sources of Rust's library are missing: rustup component add rust-src"
    has_zig && return
    export PATH="$PWD/target/tools/bin:$PATH"
    has_zig && return
    echo "installing zig $ZIG and cargo-zigbuild $ZIGBUILD into target/tools"
    rm -rf target/tools
    if ! { python3 -m venv target/tools && target/tools/bin/pip install --quiet --disable-pip-version-check \
        "ziglang==$ZIG" "cargo-zigbuild==$ZIGBUILD"; } >target/tools.log 2>&1; then
        rm -rf target/tools
        fail "zig $ZIG and cargo-zigbuild $ZIGBUILD cannot be installed (see target/tools.log): pip install ziglang==$ZIG cargo-zigbuild==$ZIGBUILD"
    fi
    hash -r
}

has_zig() {
    [ "$(python3 -m ziglang version 2>/dev/null)" = "$ZIG" ] &&
        [ "$(cargo-zigbuild --version 2>/dev/null)" = "cargo-zigbuild $ZIGBUILD" ]
}

# Panics of ours say where they are; those of std, which cannot say more than that, save 11 KB.
make_compiler_wrapper() {
    mkdir -p target/wrapper
    printf '#!/bin/sh\nexec "$@" -Zlocation-detail=file,line\n' >target/wrapper/rustc-with-places
    chmod +x target/wrapper/rustc-with-places
}

# libunwind says by fprintf why it aborts, and names functions by snprintf; susv needs neither, and printf is 11 KB.
# make_printf_stub ZIG_TARGET FILE
make_printf_stub() {
    printf 'int fprintf(void *s, const char *f, ...) { return -1; }\nint snprintf(char *b, __SIZE_TYPE__ n, const char *f, ...) { return -1; }\n' |
        python3 -m ziglang cc -target "$1" -Os -fno-builtin -w -x c -c -o "$2" -
}

# compile NAME: leaves the program in target/<Rust target>/release/susv.
compile() {
    local target flags sysroot
    target=$(field 2 "$1")
    sysroot=$(rustc --print sysroot)
    flags="-Clink-self-contained=no -Crelocation-model=static -Zlocation-detail=none -Zfmt-debug=none $(field 4 "$1")"
    # A function that cannot panic needs no unwind table (4 KB). A panic in a destructor would end the program instead of the
    # connection (8 KB); ours are std's, which do not panic. -Os chooses zig's small C library.
    flags+=" -Cforce-unwind-tables=no -Zpanic-in-drop=abort -Clink-arg=-Os -Clink-arg=target/wrapper/printf-$1.o"
    # Measured on x86_64: 298 KB with 30, 308 KB with the default of opt-level "z" (5), 321 KB with 60.
    flags+=" -Cllvm-args=-inline-threshold=30"
    # No path of this machine may show in the result, nor in what cargo hashes into symbol names: so the wrapper is found by
    # name (cargo makes a relative path absolute before it hashes it).
    flags+=" --remap-path-prefix=$PWD=. --remap-path-prefix=$sysroot=rust --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=cargo"
    echo "building $1 ($target)"
    export ZIG_GLOBAL_CACHE_DIR="$PWD/target/zig-cache" ZIG_LOCAL_CACHE_DIR="$PWD/target/zig-cache"
    make_printf_stub "$(field 3 "$1")" "target/wrapper/printf-$1.o"
    if ! PATH="$PWD/target/wrapper:$PATH" \
        RUSTC_BOOTSTRAP=1 RUSTC_WORKSPACE_WRAPPER=rustc-with-places RUSTFLAGS="$flags" CARGO_INCREMENTAL=0 \
        cargo zigbuild --locked --release --target "$target" --target-dir target \
        -Z build-std=std,panic_unwind -Z build-std-features=optimize_for_size >"target/build-$1.log" 2>&1; then
        tail -n 20 "target/build-$1.log" >&2
        fail "$1 could not be built (all of it: target/build-$1.log); dist/ is unchanged"
    fi
}

# pack NAME STAGE: the program and its tarball, reproducibly, into STAGE.
pack() {
    local folder date sysroot
    folder="susv-$(version)-$1"
    date=$(git log -1 --format=%ct 2>/dev/null || echo 1767225600)
    sysroot=$(rustc --print sysroot)
    # Stripped of all that no system loads: MIPS compilers leave 80 KB of procedure descriptors.
    LD_LIBRARY_PATH="$sysroot/lib" "$sysroot/lib/rustlib/$(rustc -vV | sed -n 's/^host: //p')/bin/rust-objcopy" \
        --remove-section=.pdr --remove-section=.comment "target/$(field 2 "$1")/release/susv" "$2/susv-$1"
    chmod 755 "$2/susv-$1"
    mkdir "$2/$folder"
    cp -R "$2/susv-$1" config.ini firmware licenses README.md "$2/$folder/"
    mv "$2/$folder/susv-$1" "$2/$folder/susv"
    tar --sort=name --mtime="@$date" --owner=0 --group=0 --numeric-owner --mode=u+rwX,go+rX,go-w --format=ustar \
        -C "$2" -cf - "$folder" | gzip -9n >"$2/$folder.tar.gz"
    rm -r "${2:?}/$folder"
}

# Prints the table of sizes; fails if one is too large.
check_sizes() {
    local name bytes too_large=""
    printf '%-10s %10s %8s\n' target bytes KB
    for name in "${names[@]}"; do
        bytes=$(wc -c <"$1/susv-$name")
        printf '%-10s %10d %8d\n' "$name" "$bytes" $(((bytes + 1023) / 1024))
        [ "$bytes" -le $((MAX_KB * 1024)) ] || too_large+=" $name"
    done
    [ -z "$too_large" ] || fail "larger than $MAX_KB KB:$too_large; dist/ is unchanged"
}

names=()
for argument in "$@"; do
    case $argument in
        -h | --help) usage; exit 0 ;;
        --list) target_names; exit 0 ;;
        -*) fail "unknown option $argument: see ./build.sh --help" ;;
        *)
            [ -n "$(field 2 "$argument")" ] || fail "unknown target $argument: known are $(target_names | xargs)"
            names+=("$argument")
            ;;
    esac
done
[ ${#names[@]} -gt 0 ] || mapfile -t names < <(target_names)

mkdir -p target
check_space
check_tools
check_sources
make_compiler_wrapper
for name in "${names[@]}"; do
    compile "$name"
done

stage=$(mktemp -d target/stage.XXXXXX)
trap 'rm -rf "$stage"' EXIT
for name in "${names[@]}"; do
    pack "$name" "$stage"
done
check_sizes "$stage"

# All is well: only now does dist/ change.
mkdir -p dist
mv "$stage"/susv-* dist/
(cd dist && sha256sum susv-* >SHA256SUMS)
echo "dist/: $(cd dist && echo susv-* | wc -w) files and SHA256SUMS"
