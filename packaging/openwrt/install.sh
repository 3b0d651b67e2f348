#!/bin/sh
# Installs susv on an OpenWrt router, or brings it up to date. No network but ssh is needed.
#
#   ./install.sh root@192.168.1.1    from a PC, over ssh
#   ./install.sh                     on the router itself
#
# An existing /etc/susv stays as it is. "./install.sh --remove" on the router removes the program and leaves /etc/susv.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
# For tests: the router's root folder.
root=${SUSV_ROOT:-}

fail() {
    echo "install.sh: $*" >&2
    exit 1
}

over_ssh() {
    # Dropbear has no sftp: the files go through a pipe.
    tar -C "$here" -cf - susv install.sh susv.init | ssh "$1" '
        dir=$(mktemp -d /tmp/susv.XXXXXX) && tar -C "$dir" -xf - && sh "$dir/install.sh"
        result=$?
        rm -rf "$dir"
        exit $result'
}

add_user() {
    # Number 465 is free in OpenWrt; the lines are those its own packages write.
    grep -q '^susv:' "$root/etc/group" || echo 'susv:x:465:' >>"$root/etc/group"
    grep -q '^susv:' "$root/etc/passwd" || echo 'susv:x:465:465:susv:/var/run/susv:/bin/false' >>"$root/etc/passwd"
    [ ! -f "$root/etc/shadow" ] || grep -q '^susv:' "$root/etc/shadow" || echo 'susv:x:0:0:99999:7:::' >>"$root/etc/shadow"
}

# put FILE TARGET MODE: whole or not at all, also while the old one runs.
put() {
    cp "$1" "$root$2.new"
    chmod "$3" "$root$2.new"
    mv "$root$2.new" "$root$2"
}

install_here() {
    [ -f "$root/etc/rc.common" ] || fail "this is no OpenWrt (there is no /etc/rc.common): on a PC name the router: ./install.sh root@192.168.1.1"
    "$here/susv" --version >/dev/null 2>&1 || fail "this build does not run on this router ($(uname -m)): take the tarball of another target"
    add_user
    mkdir -p "$root/usr/bin" "$root/etc/init.d" "$root/lib/upgrade/keep.d"
    put "$here/susv" /usr/bin/susv 755
    put "$here/susv.init" /etc/init.d/susv 755
    # A system upgrade keeps settings, firmware and licences.
    printf '/etc/susv\n/usr/bin/susv\n/etc/init.d/susv\n' >"$root/lib/upgrade/keep.d/susv"
    # What is there already stays as it is.
    "$here/susv" --init "$root/etc/susv" >/dev/null
    "$root/etc/init.d/susv" enable
    "$root/etc/init.d/susv" restart
    echo "installed $("$root/usr/bin/susv" --version); copy firmware to /etc/susv/firmware, licences to /etc/susv/licenses"
}

remove_here() {
    if [ -x "$root/etc/init.d/susv" ]; then
        "$root/etc/init.d/susv" stop
        "$root/etc/init.d/susv" disable
    fi
    rm -f "$root/usr/bin/susv" "$root/etc/init.d/susv" "$root/lib/upgrade/keep.d/susv"
    echo "removed; /etc/susv is left"
}

case ${1:-} in
    "") install_here ;;
    --remove) remove_here ;;
    -*) fail "unknown option $1: see the head of this file" ;;
    *) over_ssh "$1" ;;
esac
