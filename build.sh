#!/usr/bin/env bash
# Builds static musl binaries for gateways into dist/. "./build.sh --help" explains.
set -euo pipefail
cd "$(dirname "$0")"

# Pinned: other versions give other bytes. It comes from PyPI into target/tools unless it is installed already.
readonly ZIG=0.17.1
# Room for all targets' builds of std.
readonly NEEDED_MB=2000

# name | Rust target | zig's target and CPU | Debian's architecture | "uname -m" | opt-level | at most KB | further compiler flags
# All are built for size; a larger result is a mistake.
# Frame pointers make unwind tables shorter where they are DWARF's (6 KB); Thumb code is a quarter smaller than ARM's. What zig
# links in is Thumb too where the CPU's Thumb code can do all that C's library needs (not for armv5te). For aarch64 the compiler
# would move what functions have in common into small ones, whose unwind tables are longer than what that saves (5 KB).
readonly TARGETS="
x86_64|x86_64-unknown-linux-musl|x86_64-linux-musl|amd64|x86_64|z|600|-Cforce-frame-pointers=yes
aarch64|aarch64-unknown-linux-musl|aarch64-linux-musl|arm64|aarch64|z|580|-Cforce-frame-pointers=yes -Cllvm-args=-enable-machine-outliner=never
armv7|armv7-unknown-linux-musleabihf|thumb-linux-musleabihf -mcpu=generic+v7a+vfp3-d32+thumb2-neon|armhf|armv[78]*l|z|395|-Ctarget-feature=+thumb-mode
armv5te|armv5te-unknown-linux-musleabi|arm-linux-musleabi -mcpu=generic+v5te+soft_float+strict_align||armv[5678]*l|z|415|-Ctarget-feature=+thumb-mode
mipsel|mipsel-unknown-linux-musl|mipsel-linux-musleabi||mips|z|705|
"

usage() {
    cat <<'TEXT'
usage: ./build.sh [--deb] [--from DIR] [TARGET ...]   build these targets, or all, into dist/
       ./build.sh --fetch DIR     only fetch what a build without a network needs, into DIR
       ./build.sh --list          list the targets
       ./build.sh --help          this text

--deb: Debian packages too (amd64, arm64, armhf: needs dpkg-deb). --from DIR: with what --fetch DIR has brought, without a network.

Targets: x86_64 (PCs), aarch64 (64-bit ARM), armv7 (hard float: Debian armhf, most routers), armv5te (soft float: old ARM
boxes), mipsel (MIPS routers; best effort).

For each target: dist/susv-TARGET, the program; dist/susv-VERSION-TARGET.tar.gz with the program, config.ini, sample firmware and
licences, the documents, an installer for OpenWrt and units for systemd; and dist/susv_VERSION_TARGET.ipk for opkg.
dist/susv-VERSION.cdx.json is the list of components (CycloneDX), dist/SHA256SUMS covers all files.

Needed: Rust with its library sources, and Python 3. Fetched once, if not there: zig from PyPI into target/, and the packages
Rust's library is made of from crates.io into cargo's folder.
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

# Whether this folder is a checkout, and not only within one.
is_checkout() { [ -e .git ]; }

check_sources() {
    local changes
    [[ $(version) =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || fail "version \"$(version)\" in Cargo.toml is not MAJOR.MINOR.PATCH: correct it"
    is_checkout || return 0
    changes=$(git status --porcelain) || fail "git cannot read this checkout: see its message above"
    [ -z "$changes" ] || fail "the sources differ from the last commit, so version $(version) would be a lie: commit or \"git stash -u\" first"
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
    [ -e "$(library)/Cargo.lock" ] || fail "the sources of Rust's library are missing: rustup component add rust-src"
}

# The sources of Rust's library.
library() { printf '%s/lib/rustlib/src/rust/library' "$(rustc --print sysroot)"; }

# in_venv COMMAND ...: with the tools' own Python; what it says goes to target/tools.log.
in_venv() {
    [ -x target/tools/bin/python ] || python3 -m venv target/tools >target/tools.log 2>&1 ||
        fail "python3 -m venv failed (see target/tools.log): apt-get install -y python3-venv"
    target/tools/bin/python "$@" >>target/tools.log 2>&1
}

# install_zig [DIR]: from PyPI or from DIR.
install_zig() {
    local source=()
    has_zig && return
    export PATH="$PWD/target/tools/bin:$PATH"
    has_zig && return
    rm -rf target/tools
    if [ $# -gt 0 ]; then
        source=(--no-index --find-links "$1/wheels")
    else
        echo "fetching zig $ZIG from PyPI into target/tools (100 MB, once)"
    fi
    if ! in_venv -m pip install --quiet --disable-pip-version-check --no-deps "${source[@]}" "$wheel"; then
        rm -rf target/tools
        fail "$wheel cannot be installed (see target/tools.log): where there is a network, ./build.sh --fetch DIR; then ./build.sh --from DIR"
    fi
    hash -r
}
readonly wheel="ziglang==$ZIG"

# fetch_crates: the packages Rust's library is made of, into cargo's folder.
fetch_crates() {
    local targets=() name
    for name in "${names[@]}"; do
        targets+=(--target "$(field 2 "$name")")
    done
    library_cargo fetch --offline "${targets[@]}" >/dev/null 2>&1 && return
    echo "fetching the packages of Rust's library from crates.io into ${CARGO_HOME:-$HOME/.cargo} (once)"
    library_cargo fetch "${targets[@]}" >target/crates.log 2>&1 ||
        fail "they cannot be fetched (see target/crates.log): where there is a network, ./build.sh --fetch DIR; then ./build.sh --from DIR"
}

# library_cargo COMMAND ...: cargo on the library's own workspace, which is for nightly compilers only.
library_cargo() {
    local command=$1
    shift
    RUSTC_BOOTSTRAP=1 cargo "$command" --locked --manifest-path "$(library)/Cargo.toml" "$@"
}

# fetch DIR: all that --from needs, for this kind of machine and this Rust.
fetch() {
    mkdir -p "$1/wheels"
    echo "fetching zig $ZIG from PyPI into $1/wheels (100 MB)"
    in_venv -m pip download --quiet --disable-pip-version-check --no-deps --dest "$1/wheels" "$wheel" ||
        fail "it cannot be fetched (see target/tools.log): is there a network?"
    echo "fetching the packages of Rust's library from crates.io into $1/crates (100 MB)"
    library_cargo vendor --quiet --versioned-dirs "$1/crates" >target/crates.log 2>&1 ||
        fail "they cannot be fetched (see target/crates.log): is there a network?"
    cp "$(library)/Cargo.lock" "$1/library.lock"
    echo "done: ./build.sh --from $1"
}

# check_from DIR
check_from() {
    [ -e "$1/library.lock" ] || fail "$1 is no folder that --fetch has made: where there is a network, ./build.sh --fetch $1"
    cmp -s "$(library)/Cargo.lock" "$1/library.lock" || fail "$1 was made with another Rust than $(rustc --version): make it anew with ./build.sh --fetch $1"
}

has_zig() { [ "$(python3 -m ziglang version 2>/dev/null)" = "$ZIG" ]; }

# Panics of ours say where they are; those of std, which cannot say more than that, save 11 KB.
make_compiler_wrapper() {
    mkdir -p target/wrapper
    printf '#!/bin/sh\nexec "$@" -Zlocation-detail=file,line\n' >target/wrapper/rustc-with-places
    chmod +x target/wrapper/rustc-with-places
}

# make_linker NAME: NAME-zig-cc is what rustc calls to link.
make_linker() {
    # shellcheck disable=SC2016
    printf '#!/bin/sh\nexec python3 -m ziglang cc -target %s "$@"\n' "$(field 3 "$1")" >"target/wrapper/$1-zig-cc"
    chmod +x "target/wrapper/$1-zig-cc"
}

# libunwind says by fprintf why it aborts, and names functions by snprintf; susv needs neither, and C's streams are 12 KB.
# make_stream_stub NAME
make_stream_stub() {
    "target/wrapper/$1-zig-cc" -Os -fno-builtin -w -x c -c -o "target/wrapper/streams-$1.o" - <<'TEXT'
void *const stderr = 0;
int fflush(void *stream) { return -1; }
int fprintf(void *stream, const char *format, ...) { return -1; }
int snprintf(char *buffer, __SIZE_TYPE__ size, const char *format, ...) { return -1; }
TEXT
}

# compile NAME: leaves the program in target/<Rust target>/release/susv.
compile() {
    local target level flags std_features sysroot
    target=$(field 2 "$1")
    level=$(field 6 "$1")
    sysroot=$(rustc --print sysroot)
    read -ra flags <<<"$(field 8 "$1")"
    flags+=("-Clinker=$1-zig-cc" -Clink-self-contained=no -Crelocation-model=static -Zlocation-detail=none -Zfmt-debug=none)
    # A function that cannot panic needs no unwind table (4 KB). A panic in a destructor would end the program instead of the
    # connection (8 KB); ours are std's, which do not panic. -Os chooses zig's small C library; no panic passes through its
    # functions, so they need no tables either (9 KB).
    flags+=(-Cforce-unwind-tables=no -Zpanic-in-drop=abort -Clink-arg=-Os -Clink-arg=-fno-unwind-tables "-Clink-arg=target/wrapper/streams-$1.o")
    std_features=""
    if [ "$level" = z ]; then
        std_features=optimize_for_size
    fi
    # No path of this machine may show in the result, nor in what cargo hashes into symbol names: so the wrappers are found by
    # name (cargo makes a relative path absolute before it hashes it).
    flags+=("--remap-path-prefix=$PWD=." "--remap-path-prefix=$sysroot=rust" "--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=cargo")
    echo "building $1 ($target, opt-level $level)"
    export ZIG_GLOBAL_CACHE_DIR="$PWD/target/zig-cache" ZIG_LOCAL_CACHE_DIR="$PWD/target/zig-cache"
    make_linker "$1"
    make_stream_stub "$1"
    if ! PATH="$PWD/target/wrapper:$PATH" CARGO_ENCODED_RUSTFLAGS=$(IFS=$'\x1f' && printf '%s' "${flags[*]}") \
        RUSTC_BOOTSTRAP=1 RUSTC_WORKSPACE_WRAPPER=rustc-with-places CARGO_INCREMENTAL=0 CARGO_PROFILE_RELEASE_OPT_LEVEL=$level \
        cargo build --locked --release --target "$target" --target-dir target "${cargo_options[@]}" \
        -Z build-std=std,panic_unwind -Z "build-std-features=$std_features" >"target/build-$1.log" 2>&1; then
        tail -n 20 "target/build-$1.log" >&2
        fail "$1 could not be built (all of it: target/build-$1.log); dist/ is unchanged"
    fi
}

# The date of all files in archives: the commit's; without git what SOURCE_DATE_EPOCH says, else the newest source's.
source_date() {
    if is_checkout; then
        git log -1 --format=%ct
    else
        echo "${SOURCE_DATE_EPOCH:-$(find . -path ./target -prune -o -path ./dist -prune -o -type f -printf '%Ts\n' | sort -n | tail -n 1)}"
    fi
}

# archive FOLDER MEMBER ...: a reproducible tar.gz to standard output.
archive() {
    local folder=$1
    shift
    tar --sort=name --mtime="@$(source_date)" --owner=0 --group=0 --numeric-owner --mode=u+rwX,go+rX,go-w --format=ustar \
        -C "$folder" -cf - "$@" | gzip -9n
}

# fill FILE NAME VALUE ...: the file with @NAME@ replaced.
fill() {
    local text
    text=$(cat "$1")
    shift
    while [ $# -gt 0 ]; do
        text=${text//@$1@/$2}
        shift 2
    done
    printf '%s\n' "$text"
}

# installed_config ROOT: config.ini for a system where firmware and licences are in ROOT, offering the latest.
installed_config() {
    sed -e 's|^current_firmware_version = .*|current_firmware_version = latest|' -e "s|^;firmware_path = .*|firmware_path = $1/firmware|" \
        -e "s|^;feature_licenses_path = .*|feature_licenses_path = $1/licenses|" config.ini
}

# pack NAME STAGE: the program, its tarball and its package for routers, reproducibly, into STAGE.
pack() {
    local folder sysroot
    folder="susv-$(version)-$1"
    sysroot=$(rustc --print sysroot)
    # Stripped of all that no system loads: MIPS compilers leave 80 KB of procedure descriptors.
    LD_LIBRARY_PATH="$sysroot/lib" "$sysroot/lib/rustlib/$(rustc -vV | sed -n 's/^host: //p')/bin/rust-objcopy" \
        --remove-section=.pdr --remove-section=.comment "target/$(field 2 "$1")/release/susv" "$2/susv-$1"
    chmod 755 "$2/susv-$1"
    mkdir "$2/$folder"
    cp -R config.ini firmware licenses LICENSE packaging/openwrt/{install.sh,susv.init,susv.keep} packaging/systemd "$2/$folder/"
    copy_documents "$2/$folder"
    cp "$2/susv-$1" "$2/$folder/susv"
    archive "$2" "$folder" >"$2/$folder.tar.gz"
    rm -r "${2:?}/$folder"
    pack_ipk "$1" "$2"
}

# copy_documents FOLDER: README and others, with docs/ if there is one.
copy_documents() {
    cp README*.md CHANGELOG.md "$1/"
    if [ -d docs ]; then
        mkdir "$1/docs"
        cp docs/*.md "$1/docs/"
    fi
}

# pack_ipk NAME STAGE
pack_ipk() {
    local work=$2/ipk
    mkdir -p "$work"/data/{usr/bin,usr/share/licenses/susv,etc/init.d,etc/susv/firmware,etc/susv/licenses,lib/upgrade/keep.d} "$work/control"
    cp "$2/susv-$1" "$work/data/usr/bin/susv"
    cp packaging/openwrt/susv.init "$work/data/etc/init.d/susv"
    installed_config /etc/susv >"$work/data/etc/susv/config.ini"
    cp packaging/openwrt/susv.keep "$work/data/lib/upgrade/keep.d/susv"
    cp LICENSE "$work/data/usr/share/licenses/susv/"
    cp packaging/openwrt/postinst packaging/openwrt/prerm "$work/control/"
    fill packaging/openwrt/preinst TARGET "$1" MACHINE "$(field 5 "$1")" >"$work/control/preinst"
    chmod 755 "$work"/control/* "$work/data/etc/init.d/susv"
    echo /etc/susv/config.ini >"$work/control/conffiles"
    fill packaging/openwrt/control VERSION "$(version)" TARGET "$1" SIZE "$(wc -c <"$2/susv-$1")" >"$work/control/control"
    echo 2.0 >"$work/debian-binary"
    archive "$work/data" . >"$work/data.tar.gz"
    archive "$work/control" . >"$work/control.tar.gz"
    archive "$work" ./debian-binary ./control.tar.gz ./data.tar.gz >"$2/susv_$(version)_$1.ipk"
    rm -r "$work"
}

# pack_deb NAME STAGE
pack_deb() {
    local arch work doc size
    arch=$(field 4 "$1")
    work=$2/deb
    doc=$work/usr/share/doc/susv
    mkdir -p "$work"/{DEBIAN,usr/bin,etc/susv,var/lib/susv/firmware,var/lib/susv/licenses,usr/lib/systemd/system,usr/lib/sysusers.d} \
        "$work"/usr/share/{susv,man/man8,lintian/overrides} "$doc"
    cp "$2/susv-$1" "$work/usr/bin/susv"
    installed_config /var/lib/susv >"$work/usr/share/susv/config.ini"
    cp packaging/systemd/susv.{socket,service} "$work/usr/lib/systemd/system/"
    cp packaging/systemd/susv.conf "$work/usr/lib/sysusers.d/"
    gzip -9nc packaging/susv.8 >"$work/usr/share/man/man8/susv.8.gz"
    cp packaging/debian/lintian-overrides "$work/usr/share/lintian/overrides/susv"
    cp LICENSE "$doc/copyright"
    copy_documents "$doc"
    printf 'susv (%s) unstable; urgency=medium\n\n  * See CHANGELOG.md.\n\n -- susv developers <susv@example.org>  %s\n' "$(version)" \
        "$(LC_ALL=C date -u -d "@$(source_date)" '+%a, %d %b %Y %H:%M:%S +0000')" | gzip -9nc >"$doc/changelog.gz"
    chmod -R u+rwX,go+rX,go-w "$work"
    cp packaging/debian/{postinst,prerm,postrm} "$work/DEBIAN/"
    chmod 755 "$work"/DEBIAN/{postinst,prerm,postrm}
    (cd "$work" && find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum >DEBIAN/md5sums)
    size=$(find "$work" -type f -printf '%s\n' | awk '{ kb += int(($1 + 1023) / 1024) } END { print kb }')
    fill packaging/debian/control VERSION "$(version)" ARCH "$arch" SIZE "$size" >"$work/DEBIAN/control"
    SOURCE_DATE_EPOCH=$(source_date) dpkg-deb --root-owner-group -Zxz --build "$work" "$2/susv_$(version)_$arch.deb" >/dev/null
    rm -r "$work"
}

# list_components FILE: what is in the programs, as CycloneDX. No package is; the compilers say which libraries are linked in.
list_components() {
    cat >"$1" <<TEXT
{
  "bomFormat": "CycloneDX",
  "specVersion": "1.5",
  "version": 1,
  "components": [
    {
      "type": "application",
      "name": "susv",
      "version": "$(version)",
      "description": "$(sed -n 's/^description = "\(.*\)"/\1/p' Cargo.toml)",
      "licenses": [{"license": {"id": "MIT"}}],
      "properties": [
        {"name": "standard library", "value": "$(rustc --version)"},
        {"name": "musl, compiler-rt and libunwind", "value": "zig $ZIG"}
      ]
    }
  ]
}
TEXT
}

# Prints the table of sizes; fails if one is too large.
check_sizes() {
    local name bytes limit too_large=""
    printf '%-10s %10s %8s %8s\n' target bytes KB "at most"
    for name in "${names[@]}"; do
        bytes=$(wc -c <"$1/susv-$name")
        limit=$(field 7 "$name")
        printf '%-10s %10d %8d %8d\n' "$name" "$bytes" $(((bytes + 1023) / 1024)) "$limit"
        [ "$bytes" -le $((limit * 1024)) ] || too_large+=" $name (limit: $limit KB)"
    done
    [ -z "$too_large" ] || fail "too large:$too_large; dist/ is unchanged"
}

names=()
with_deb=""
from=""
while [ $# -gt 0 ]; do
    case $1 in
        -h | --help) usage; exit 0 ;;
        --list) target_names; exit 0 ;;
        --deb) with_deb=1 ;;
        --from | --fetch)
            [ -n "${2:-}" ] || fail "$1 needs a folder: see ./build.sh --help"
            # Absolute: cargo takes it as relative to another folder.
            from=$(realpath -m -- "$2")
            [ "$1" = --from ] || { mkdir -p target; check_tools; fetch "$from"; exit 0; }
            shift
            ;;
        -*) fail "unknown option $1: see ./build.sh --help" ;;
        *)
            [ -n "$(field 2 "$1")" ] || fail "unknown target $1: known are $(target_names | xargs)"
            names+=("$1")
            ;;
    esac
    shift
done
[ ${#names[@]} -gt 0 ] || mapfile -t names < <(target_names)
if [ -n "$with_deb" ]; then
    command -v dpkg-deb >/dev/null || fail "dpkg-deb is missing: apt-get install -y dpkg (or build without --deb)"
fi

mkdir -p target
check_space
check_tools
check_sources
cargo_options=()
if [ -n "$from" ]; then
    check_from "$from"
    cargo_options=(--offline --config 'source.crates-io.replace-with="fetched"' --config "source.fetched.directory=\"$from/crates\"")
    install_zig "$from"
else
    install_zig
    fetch_crates
fi
make_compiler_wrapper
for name in "${names[@]}"; do
    compile "$name"
done

stage=$(mktemp -d target/stage.XXXXXX)
trap 'rm -rf "$stage"' EXIT
for name in "${names[@]}"; do
    pack "$name" "$stage"
    if [ -n "$with_deb" ] && [ -n "$(field 4 "$name")" ]; then
        pack_deb "$name" "$stage"
    fi
done
list_components "$stage/susv-$(version).cdx.json"
check_sizes "$stage"

# All is well: only now does dist/ change.
mkdir -p dist
mv "$stage"/susv* dist/
(cd dist && sha256sum susv* >SHA256SUMS)
echo "dist/: $(cd dist && echo susv* | wc -w) files and SHA256SUMS"
