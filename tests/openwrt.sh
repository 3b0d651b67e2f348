#!/usr/bin/env bash
# OpenWrt: the init script under busybox ash with stubs of procd's functions, the installer in a folder that stands for a router
# (also through a stub of ssh), and the .ipk.
# usage: tests/openwrt.sh       (after ./build.sh x86_64; needs busybox, shellcheck)
# "fail" ends the script, so "a && b || fail" is what it looks like; what stands in single quotes is for other shells.
# shellcheck disable=SC2015,SC2016
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
    echo "tests/openwrt.sh: $*" >&2
    exit 1
}

shellcheck -s sh packaging/openwrt/install.sh
shellcheck -s dash -e SC1008,SC1091,SC2034 packaging/openwrt/{susv.init,postinst,prerm}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)

# A router's root: what rc.common does with a script, and what procd is told, goes to a log.
make_router() {
    mkdir -p "$1"/etc/init.d "$1"/etc/rc.d
    printf 'root:x:0:0:root:/root:/bin/ash\n' >"$1/etc/passwd"
    printf 'root:x:0:\n' >"$1/etc/group"
    printf 'root::0:0:99999:7:::\n' >"$1/etc/shadow"
    cat >"$1/etc/rc.common" <<'RC'
#!/bin/sh
script=$1 action=$2
root=${script%/etc/init.d/*}
say() { echo "$*" >>"$root/procd.log"; }
for name in open_instance close_instance set_param append_param send_signal; do
    eval "procd_$name() { say $name \"\$@\"; }"
done
. "$script"
[ "$USE_PROCD" = 1 ] || exit 1
case $action in
    start) start_service ;;
    stop) say stop ;;
    restart) say stop; start_service ;;
    reload) reload_service ;;
    enable) ln -sf "$script" "$root/etc/rc.d/S${START}susv" ;;
    disable) rm -f "$root"/etc/rc.d/S??susv ;;
    *) case " $EXTRA_COMMANDS " in *" $action "*) PROGRAM=$root/usr/bin/susv CONFIG=$root/etc/susv/config.ini; $action ;; *) exit 2 ;; esac ;;
esac
RC
    chmod +x "$1/etc/rc.common"
}

tar -C "$work" -xzf "dist/susv-$version-x86_64.tar.gz"
folder=$work/susv-$version-x86_64
# The kernel cannot find the router's /etc/rc.common here: the installer's calls go through busybox.
sed -i "1s|.*|#!$work/rc.common|" "$folder/susv.init"
printf '#!/bin/sh\nscript=$1\nexec busybox ash "${script%%/etc/init.d/*}/etc/rc.common" "$@"\n' >"$work/rc.common"
chmod +x "$work/rc.common"

router=$work/router
make_router "$router"
SUSV_ROOT=$router busybox ash "$folder/install.sh"
grep -q '^susv:x:465:465:' "$router/etc/passwd" && grep -q '^susv:' "$router/etc/shadow" || fail "no user"
[ -L "$router/etc/rc.d/S95susv" ] || fail "not enabled"
for line in "set_param command /usr/bin/susv -c /etc/susv/config.ini" "set_param respawn 3600 5 0" "set_param user susv"; do
    grep -qx "$line" "$router/procd.log" || fail "procd was not told: $line"
done
grep -q '^current_firmware_version = latest' "$router/etc/susv/config.ini" || fail "no configuration"

# First firmware; then "check", "reload", and an update that keeps settings.
cp -r "$folder/firmware/20000101" "$router/etc/susv/firmware/"
"$work/rc.common" "$router/etc/init.d/susv" check | grep -q "offer: version 20000101" || fail "check shows no offer"
"$work/rc.common" "$router/etc/init.d/susv" reload
tail -n 1 "$router/procd.log" | grep -qx "send_signal susv" || fail "reload sends no signal"
echo "port = 8889" >>"$router/etc/susv/config.ini"
SUSV_ROOT=$router busybox ash "$folder/install.sh"
grep -q "^port = 8889" "$router/etc/susv/config.ini" || fail "the update overwrote the settings"
[ "$(grep -c '^susv:' "$router/etc/passwd")" = 1 ] || fail "the user is there twice"
SUSV_ROOT=$router busybox ash "$folder/install.sh" --remove
[ ! -e "$router/usr/bin/susv" ] && [ -f "$router/etc/susv/config.ini" ] || fail "removal"

# Over ssh: the stub runs the command line in a shell, as sshd does, on another router.
other=$work/other
make_router "$other"
mkdir "$work/bin"
printf '#!/bin/sh\n[ "$1" = root@192.168.1.1 ] || exit 255\nSUSV_ROOT=%s exec busybox ash -c "$2"\n' "$other" >"$work/bin/ssh"
chmod +x "$work/bin/ssh"
PATH=$work/bin:$PATH busybox ash "$folder/install.sh" root@192.168.1.1
[ -x "$other/usr/bin/susv" ] && [ -L "$other/etc/rc.d/S95susv" ] || fail "not installed over ssh"

# What does not fit says so, in one line, and changes nothing.
mkdir "$work/pc"
! SUSV_ROOT=$work/pc busybox ash "$folder/install.sh" 2>"$work/error" || fail "installed on a PC"
grep -q "this is no OpenWrt" "$work/error" && [ -z "$(ls -A "$work/pc")" ] || fail "a PC was changed"
make_router "$work/pc"
printf 'not a program' >"$folder/susv"
! SUSV_ROOT=$work/pc busybox ash "$folder/install.sh" 2>"$work/error" || fail "installed a foreign build"
grep -q "take the tarball of another target" "$work/error" && [ ! -e "$work/pc/usr" ] || fail "a foreign build was installed"

# The .ipk: opkg's format, and the same files.
mkdir -p "$work/ipk/control" "$work/ipk/data"
tar -C "$work/ipk" -xzf "dist/susv_${version}_x86_64.ipk"
[ "$(cat "$work/ipk/debian-binary")" = 2.0 ] || fail "no debian-binary"
tar -C "$work/ipk/control" -xzf "$work/ipk/control.tar.gz"
tar -C "$work/ipk/data" -xzf "$work/ipk/data.tar.gz"
for field in "Package: susv" "Version: $version-1" "Architecture: all" "Require-User: susv=465:susv=465"; do
    grep -qx "$field" "$work/ipk/control/control" || fail "control lacks $field"
done
cmp "$work/ipk/data/usr/bin/susv" dist/susv-x86_64
cmp "$work/ipk/data/etc/init.d/susv" packaging/openwrt/susv.init
[ -d "$work/ipk/data/etc/susv/firmware" ] && grep -qx /etc/susv/config.ini "$work/ipk/control/conffiles" || fail "the package's files"
grep -q '^firmware_path = /etc/susv/firmware' "$work/ipk/data/etc/susv/config.ini" || fail "its configuration"
echo "openwrt: init script, installer and package do what they say"
