#!/usr/bin/env bash
# Debian package: lintian, then installed, upgraded, removed and purged in a fresh Debian without a network. Root only.
# usage: tests/debian.sh       (after ./build.sh --deb x86_64; needs lintian, debootstrap, systemd, unshare)
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
cp packaging/systemd/* "$units/"
sed -i 's|/usr/bin/susv|/bin/true|' "$units/susv.service"
verdict=$(systemd-analyze verify --man=no "$units/susv.socket" "$units/susv.service" 2>&1 | grep susv || true)
[ -z "$verdict" ] || fail "systemd-analyze verify: $verdict"

root=$units/root
debootstrap --variant=minbase --include=adduser,init-system-helpers bookworm "$root" http://deb.debian.org/debian >"$units/debootstrap.log" 2>&1 ||
    fail "debootstrap: $(tail -n 3 "$units/debootstrap.log")"
# Without a network from here on.
inside() { unshare --net chroot "$root" env PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@"; }

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
cp "dist/susv_${version}_amd64.deb" "$root/susv.deb"
inside dpkg -i /susv.deb
[ "$(inside susv --version)" = "susv $version" ] || fail "it does not run"
inside id susv >/dev/null || fail "no user susv"
[ -L "$root/etc/systemd/system/sockets.target.wants/susv.socket" ] || fail "the socket is not enabled"
[ -L "$root/etc/systemd/system/multi-user.target.wants/susv.service" ] || fail "the service is not enabled"

# First firmware, as README says; the service's user can read it.
cp -r firmware/20000101 "$root/var/lib/susv/firmware/"
cp licenses/*.slf "$root/var/lib/susv/licenses/"
inside setpriv --reuid=susv --regid=susv --clear-groups susv -c /etc/susv/config.ini -t | tee "$units/test.log"
grep -q "offer: version 20000101 (the latest)" "$units/test.log" || fail "no offer"
inside setpriv --reuid=susv --regid=susv --clear-groups sh -c 'touch /etc/susv/x /var/lib/susv/x 2>/dev/null' && fail "its user may write"

# An upgrade keeps an edited configuration.
echo "port = 8889" >>"$root/etc/susv/config.ini"
dpkg-deb -R "dist/susv_${version}_amd64.deb" "$units/next"
sed -i "s/^Version: .*/Version: $version+next/" "$units/next/DEBIAN/control"
sed -i '1i # changed by the next version' "$units/next/etc/susv/config.ini"
dpkg-deb --root-owner-group -b "$units/next" "$root/next.deb" >/dev/null
inside dpkg --force-confold -i /next.deb
grep -q "^port = 8889" "$root/etc/susv/config.ini" || fail "the edited configuration is gone"
inside dpkg -l susv | grep -q "$version+next" || fail "not upgraded"

# Removal keeps settings; a purge keeps nothing of ours, and firmware that an operator put there.
inside dpkg -r susv
[ -f "$root/etc/susv/config.ini" ] || fail "removal took the configuration"
inside dpkg --force-confold -i /susv.deb >/dev/null
inside dpkg -P susv
[ ! -e "$root/etc/susv" ] && [ ! -e "$root/usr/bin/susv" ] || fail "the purge left files"
[ -f "$root/var/lib/susv/firmware/20000101/upd_app.bin" ] || fail "the purge took firmware"
rm -r "$root/var/lib/susv"
inside dpkg -i /susv.deb >/dev/null
inside dpkg -P susv >/dev/null
[ ! -e "$root/var/lib/susv" ] || fail "the purge left empty folders"
! inside id susv 2>/dev/null || fail "the purge left the user"
left=$(find "$root/etc" "$root/usr" "$root/var/lib/systemd" -name '*susv*' 2>/dev/null)
[ -z "$left" ] || fail "the purge left: $left"
echo "debian: lintian, installation, upgrade, removal and purge are clean"
