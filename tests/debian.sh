#!/usr/bin/env bash
# Debian package: lintian, then installed, upgraded, removed and purged in a fresh Debian without a network or a terminal; the armhf
# package in the same root. Root only.
# usage: tests/debian.sh       (after ./build.sh --deb x86_64 armv7; needs lintian, debootstrap, systemd, unshare, qemu-user-static)
# "fail" ends the script, so "a && b || fail" is what it looks like; what stands in single quotes is for other shells.
# shellcheck disable=SC2015,SC2016
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
    echo "tests/debian.sh: $*" >&2
    exit 1
}

lintian --allow-root --fail-on error dist/susv_*.deb

# The service: at most 1.5 of 10, and nothing systemd does not understand.
systemd-analyze security --offline=true --threshold=15 --no-pager packaging/systemd/susv.service | tail -n 1
units=$(mktemp -d)
trap 'rm -rf "$units"' EXIT
cp packaging/systemd/susv.{socket,service} "$units/"
sed -i 's|/usr/bin/susv|/bin/true|' "$units/susv.service"
verdict=$(systemd-analyze verify --man=no "$units/susv.socket" "$units/susv.service" 2>&1 | grep susv || true)
[ -z "$verdict" ] || fail "systemd-analyze verify: $verdict"

root=$units/root
debootstrap --variant=minbase --include=systemd,init-system-helpers bookworm "$root" http://deb.debian.org/debian >"$units/debootstrap.log" 2>&1 ||
    fail "debootstrap: $(tail -n 3 "$units/debootstrap.log")"
# Without a network and a terminal from here on.
inside() { unshare --net chroot "$root" env PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@" </dev/null; }
as_susv() { inside setpriv --reuid=susv --regid=susv --clear-groups "$@"; }

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
cp "dist/susv_${version}_amd64.deb" "$root/susv.deb"
config=$root/etc/susv/config.ini

# variant NAME VERSION: the package opened, for changes; close_variant NAME makes it /NAME.deb.
variant() {
    dpkg-deb -R "$root/susv.deb" "$units/$1"
    sed -i "s/^Version: .*/Version: $2/" "$units/$1/DEBIAN/control"
}
close_variant() { dpkg-deb --root-owner-group -b "$units/$1" "$root/$1.deb" >/dev/null; }
# 1.0.x had config.ini as a conffile.
variant old 1.0.9
mv "$units/old/usr/share/susv/config.ini" "$units/old/etc/susv/config.ini"
echo /etc/susv/config.ini >"$units/old/DEBIAN/conffiles"
close_variant old
variant next "$version+next"
sed -i '1i # changed by the next version' "$units/next/usr/share/susv/config.ini"
close_variant next

# A login user of that name who was there first: taken as it is, and not removed.
inside useradd --create-home --shell /bin/bash --gid users susv
inside dpkg -i /susv.deb
as_susv susv -c /etc/susv/config.ini -t >"$units/test.log" || true
grep -q "no folder" "$units/test.log" || fail "it does not run as a user who was there first: $(cat "$units/test.log")"
inside getent group susv >/dev/null || fail "no group susv for the service"
inside dpkg -P susv
[ -d "$root/home/susv" ] && inside id susv >/dev/null || fail "the purge took a user it did not make"
inside userdel --remove susv
! inside getent group susv >/dev/null || inside groupdel susv

# A fresh installation.
inside dpkg -i /susv.deb
inside susv --version | grep -qF "susv $version " || fail "it does not run"
[ "$(inside getent passwd susv | cut -d: -f7)" = /usr/sbin/nologin ] || fail "no user susv without a login"
[ -L "$root/etc/systemd/system/sockets.target.wants/susv.socket" ] || fail "the socket is not enabled"
[ -L "$root/etc/systemd/system/multi-user.target.wants/susv.service" ] || fail "the service is not enabled"
cmp LICENSE "$root/usr/share/doc/susv/copyright"
[ "$(stat -c '%a %U' "$config")" = "644 root" ] || fail "config.ini: $(stat -c '%a %U' "$config")"

# First firmware, as README says; the service's user can read it.
cp -r firmware/20000101 "$root/var/lib/susv/firmware/"
cp licenses/*.slf "$root/var/lib/susv/licenses/"
as_susv susv -c /etc/susv/config.ini -t | tee "$units/test.log"
grep -q "offer: version 20000101 (the latest)" "$units/test.log" || fail "no offer"
as_susv sh -c 'touch /etc/susv/x /var/lib/susv/x 2>/dev/null' && fail "its user may write"

# An upgrade keeps an edited configuration and asks nothing, though ours has changed; so does one from 1.0.x, and the way back.
keeps_edited() { # DESCRIPTION COMMAND ...
    local description=$1
    shift
    inside "$@" || fail "$description failed"
    grep -q "^port = 8889" "$config" || fail "$description: the edited configuration is gone"
    [ "$(find "$root/etc/susv" -type f)" = "$config" ] || fail "$description left $(find "$root/etc/susv" -type f)"
}
echo "port = 8889" >>"$config"
keeps_edited "upgrade" dpkg -i /next.deb
inside dpkg -l susv | grep -q "$version+next" || fail "not upgraded"
inside dpkg -P susv
[ ! -e "$root/etc/susv" ] && [ ! -e "$root/usr/bin/susv" ] || fail "the purge left files"
[ -f "$root/var/lib/susv/firmware/20000101/upd_app.bin" ] || fail "the purge took firmware"
inside dpkg -i /old.deb
echo "port = 8889" >>"$config"
keeps_edited "upgrade from 1.0.x" dpkg -i /susv.deb
keeps_edited "next upgrade" dpkg -i /next.deb
inside dpkg --force-confold -i /old.deb || fail "the way back to 1.0.x"
grep -q "^port = 8889" "$config" || fail "the way back to 1.0.x took the edited configuration"
keeps_edited "second upgrade from 1.0.x" dpkg -i /susv.deb

# Removal keeps settings; a purge keeps nothing of ours, and whatever an operator put there.
inside dpkg -r susv
grep -q "^port = 8889" "$config" || fail "removal took the configuration"
keeps_edited "installation again" dpkg -i /susv.deb
inside dpkg -P susv
[ ! -e "$root/etc/susv" ] && [ ! -e "$root/usr/bin/susv" ] || fail "the purge left files"
[ -f "$root/var/lib/susv/firmware/20000101/upd_app.bin" ] || fail "the purge took firmware"
rm -r "$root/var/lib/susv"
inside dpkg -i /susv.deb >/dev/null
inside dpkg -P susv >/dev/null
[ ! -e "$root/var/lib/susv" ] || fail "the purge left empty folders"
inside id susv >/dev/null || fail "the purge took the user, who may own files"
left=$(find "$root/etc" "$root/usr" "$root/var/lib/systemd" -name '*susv*')
[ -z "$left" ] || fail "the purge left: $left"

# The armhf package on the same system, as on a 64-bit gateway with 32-bit packages: what it depends on may be of the other kind.
cp "dist/susv_${version}_armhf.deb" "$root/susv-armhf.deb"
cp "$(command -v qemu-arm-static)" "$root/usr/bin/"
inside dpkg --add-architecture armhf
inside dpkg -i /susv-armhf.deb
[ "$(inside dpkg-query -W -f '${Architecture} ${db:Status-Status}' susv:armhf)" = "armhf installed" ] || fail "armhf: not installed"
cp -r firmware/20000101 "$root/var/lib/susv/firmware/"
as_susv qemu-arm-static /usr/bin/susv -c /etc/susv/config.ini -t | grep "offer: version 20000101" || fail "armhf: no offer"
inside dpkg -P susv:armhf
echo "debian: lintian, installation, upgrade, removal and purge are clean; armhf too"
