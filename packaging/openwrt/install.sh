#!/bin/sh
# Installs susv on an OpenWrt router, or brings it up to date. No network but ssh is needed.
set -eu

usage() {
    cat <<'TEXT'
usage: ./install.sh [root@HOST]            install susv, or bring it up to date; settings, firmware and licences stay
       ./install.sh --remove [root@HOST]   remove the program; /etc/susv stays
       ./install.sh --help                 this text

With root@HOST (root@192.168.1.1, say) on a PC: over ssh, on that router. Without it: on the router itself.
TEXT
}

here=$(cd "$(dirname "$0")" && pwd)

fail() {
    echo "install.sh: $*" >&2
    exit 1
}

# over_ssh HOST FILE ... [--remove]: this script on the router, with these files beside it.
over_ssh() {
    host=$1
    shift
    option=""
    [ "$1" != --remove ] || { option=--remove && shift; }
    # Dropbear has no sftp: the files go through a pipe. The second line tidies after a connection that broke.
    tar -C "$here" -cf - "$@" | ssh "$host" '
        rm -rf /tmp/susv-install.??????
        dir=$(mktemp -d /tmp/susv-install.XXXXXX) && tar -C "$dir" -xf - && sh "$dir/install.sh" '$option'
        result=$?
        rm -rf "$dir"
        exit $result'
}

# add_line FILE LINE: at the end, unless the file has a line for susv; whole or not at all.
add_line() {
    ! grep -q '^susv:' "$1" || return 0
    cp -p "$1" "$1.susv"
    # The last line may lack its end.
    [ -z "$(tail -c 1 "$1.susv")" ] || echo >>"$1.susv"
    echo "$2" >>"$1.susv"
    mv "$1.susv" "$1"
}

add_user() {
    # Number 465 is free in OpenWrt; the lines are those its own packages write.
    add_line /etc/group 'susv:x:465:'
    add_line /etc/passwd 'susv:x:465:465:susv:/var/run/susv:/bin/false'
    [ ! -f /etc/shadow ] || add_line /etc/shadow 'susv:x:0:0:99999:7:::'
}

# put FILE TARGET MODE: whole or not at all, also while the old one runs.
put() {
    cp "$here/$1" "$2.new"
    chmod "$3" "$2.new"
    mv "$2.new" "$2"
}

check_is_router() {
    [ -f /etc/rc.common ] || fail "this is no OpenWrt (there is no /etc/rc.common): on a PC name the router: $1"
}

# Every step may find its work done: where one run was interrupted, the next one mends it.
install_here() {
    check_is_router "./install.sh root@192.168.1.1"
    "$here/susv" --version >/dev/null 2>&1 || fail "this build does not run on this router ($(uname -m)): take the tarball of another target"
    add_user
    mkdir -p /usr/bin /etc/init.d /lib/upgrade/keep.d
    put susv /usr/bin/susv 755
    put susv.init /etc/init.d/susv 755
    # What a system upgrade keeps.
    put susv.keep /lib/upgrade/keep.d/susv 644
    # What is there already stays as it is, but for what an interrupted run left.
    [ -s /etc/susv/config.ini ] || rm -f /etc/susv/config.ini
    "$here/susv" --init /etc/susv >/dev/null
    /etc/init.d/susv enable
    /etc/init.d/susv restart
    echo "installed $(/usr/bin/susv --version); copy firmware to /etc/susv/firmware, licences to /etc/susv/licenses"
}

remove_here() {
    check_is_router "./install.sh --remove root@192.168.1.1"
    if [ -x /etc/init.d/susv ]; then
        /etc/init.d/susv stop
        /etc/init.d/susv disable
    fi
    # The links too where the script is gone: an interrupted removal.
    rm -f /usr/bin/susv /etc/init.d/susv /lib/upgrade/keep.d/susv /etc/rc.d/[SK][0-9][0-9]susv
    echo "removed; /etc/susv is left"
}

remove=""
host=""
for argument in "$@"; do
    case $argument in
        -h | --help) usage && exit 0 ;;
        --remove) remove=--remove ;;
        -* | "") fail "unknown option \"$argument\": see ./install.sh --help" ;;
        *)
            [ -z "$host" ] || fail "one router at a time, and \"$argument\" is one too many: see ./install.sh --help"
            host=$argument
            ;;
    esac
done
case $remove,$host in
    ,) install_here ;;
    --remove,) remove_here ;;
    ,*) over_ssh "$host" susv install.sh susv.init susv.keep ;;
    *) over_ssh "$host" --remove install.sh ;;
esac
