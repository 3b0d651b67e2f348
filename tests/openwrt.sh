#!/usr/bin/env bash
# OpenWrt: the installer (also through a stub of ssh), the init script and the .ipk on a router made of busybox and of stand-ins for
# rc.common, procd and opkg, in namespaces of its own; two system upgrades. Root only.
# usage: tests/openwrt.sh       (after ./build.sh x86_64; with builds of other targets their packages too; needs busybox-static)
# "fail" ends the script, so "a && b || fail" is what it looks like; what stands in single quotes is for other shells.
# shellcheck disable=SC2015,SC2016
set -euo pipefail
cd "$(dirname "$0")/.."
if [ "${1:-}" != inside ]; then
    # "pidof susv" on a router must find none of this machine.
    exec unshare --fork --kill-child --pid --mount --net "$0" inside
fi
ip link set lo up

fail() {
    echo "tests/openwrt.sh: $*" >&2
    exit 1
}

shellcheck -s sh packaging/openwrt/install.sh
shellcheck -s dash -e SC1008,SC1091,SC2034 packaging/openwrt/{susv.init,preinst,postinst,prerm}

work=$(mktemp -d)
router=$work/router
trap 'umount -R "$work"/*/proc 2>/dev/null || true; rm -rf "$work"' EXIT
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)

# on COMMAND ...: on the router.
on() { chroot "$router" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"; }

# A router as it leaves the factory. rc.common writes down what procd is told, and starts and stops as procd does.
make_router() {
    rm -rf "$router"
    mkdir -p "$router"/{bin,sbin,usr/bin,usr/sbin,dev,proc,tmp,var/run,lib/functions,lib/upgrade/keep.d,usr/lib/opkg/info,etc/init.d,etc/rc.d}
    cp "$(command -v busybox)" "$router/bin/busybox"
    chroot "$router" /bin/busybox --install -s
    mknod -m 666 "$router/dev/null" c 1 3
    mount -t proc proc "$router/proc"
    # A line without its end, as hand-made files have it.
    printf 'root:x:0:0:root:/root:/bin/ash' >"$router/etc/passwd"
    printf 'root:x:0:' >"$router/etc/group"
    printf 'root::0:0:99999:7:::' >"$router/etc/shadow"
    chmod 600 "$router/etc/shadow"
    printf '/etc/group\n/etc/passwd\n/etc/shadow\n' >"$router/lib/upgrade/keep.d/base-files-essential"
    cat >"$router/etc/rc.common" <<'RC'
#!/bin/sh
initscript=$1 action=$2
name=$(basename "$(readlink -f "$initscript")")
say() { echo "$*" >>/tmp/procd.log; }
procd_open_instance() { say open_instance; }
procd_set_param() {
    say "set_param $*"
    case $1 in
        command) shift; program=$1; shift; arguments="$*" ;;
        user) user=$2 ;;
    esac
}
procd_send_signal() { say "send_signal $*"; kill -HUP "$(cat "/var/run/$name.pid")"; }
procd_close_instance() { start-stop-daemon -S -b -m -p "/var/run/$name.pid" -c "$user:$user" -x "$program" -- $arguments; }
shutdown() { stop; }
. "$initscript"
[ "$USE_PROCD" = 1 ] || exit 1
start() { start_service; }
stop() { say stop; start-stop-daemon -K -q -o -p "/var/run/$name.pid"; }
# procd starts the new one when the old one has ended.
restart() { old=$(pidof susv); stop; for pid in $old; do while [ "$pid" != $$ ] && kill -0 "$pid" 2>/dev/null; do usleep 50000; done; done; start; }
reload() { reload_service; }
enable() { ln -sf "../init.d/$name" "/etc/rc.d/S$START$name"; ln -sf "../init.d/$name" "/etc/rc.d/K$STOP$name"; }
disable() { rm -f /etc/rc.d/[SK]??"$name"; }
boot() { start; }
$action
RC
    # What opkg's packages call after their installation and before their removal.
    cat >"$router/lib/functions.sh" <<'FUNCTIONS'
default_postinst() {
    printf '\nsusv:x:465:\n' >>/etc/group
    printf '\nsusv:x:465:465:susv:/var/run/susv:/bin/false\n' >>/etc/passwd
    for script in $(grep '^/etc/init.d/' "/usr/lib/opkg/info/$(basename "$1" .postinst).list"); do "$script" enable; "$script" start; done
}
default_prerm() {
    for script in $(grep '^/etc/init.d/' "/usr/lib/opkg/info/$(basename "$1" .prerm).list"); do "$script" disable; "$script" stop; done
}
FUNCTIONS
    chmod +x "$router/etc/rc.common"
    mkdir "$router/tmp/new"
    tar -C "$router/tmp/new" --strip-components=1 -xzf "dist/susv-$version-x86_64.tar.gz"
}

# take_down: what runs on the router ends.
take_down() {
    on /bin/sh -c 'for pid in $(pidof susv); do kill -9 $pid; done'
    umount "$router/proc"
}

ask() { on wget -q -O - --post-data '{"build_date": "19.12.1999"}' http://127.0.0.1:8888/check_firmware; }

wait_for_offer() {
    local tries
    for tries in $(seq 100); do
        ! ask 2>/dev/null | grep -q '"update_available": true' || return 0
        sleep 0.2
    done
    fail "no offer after $tries tries"
}

# check_serves: it is offered what /etc/susv/firmware holds, by the program run as user susv.
check_serves() {
    wait_for_offer
    [ "$(awk '/^Uid:/ { print $2 }' "$router/proc/$(on pidof susv)/status")" = 465 ] || fail "it does not run as user susv"
}

# wait_until_gone WHEN: procd does not wait for the end of what it stops.
wait_until_gone() {
    local tries
    for tries in $(seq 100); do
        [ -n "$(on pidof susv)" ] || return 0
        sleep 0.1
    done
    fail "it runs on after $1 (seen $tries times)"
}

say() { printf 'openwrt: %s\n' "$*"; }

# --- The installer on the router.
make_router
on sh /tmp/new/install.sh
for file in group passwd shadow; do
    [ "$(grep -c '^susv:' "$router/etc/$file")" = 1 ] && grep -q '^root:' "$router/etc/$file" || fail "no user in /etc/$file"
done
[ "$(stat -c %a "$router/etc/shadow")" = 600 ] || fail "/etc/shadow became readable"
for line in "set_param command /usr/bin/susv -c /etc/susv/config.ini" "set_param respawn 3600 5 0" "set_param user susv" "set_param term_timeout 95"; do
    grep -qx "$line" "$router/tmp/procd.log" || fail "procd was not told: $line"
done
cp -r "$router/tmp/new/firmware/20000101" "$router/etc/susv/firmware/"
cp "$router/tmp/new/licenses/sample.slf" "$router/etc/susv/licenses/"
check_serves
on /etc/init.d/susv check | grep -q "offer: version 20000101" || fail "check shows no offer"
on /etc/init.d/susv reload
tail -n 1 "$router/tmp/procd.log" | grep -qx "send_signal susv" || fail "reload sends no signal"
echo "# edited" >>"$router/etc/susv/config.ini"
on sh /tmp/new/install.sh
grep -q "^# edited" "$router/etc/susv/config.ini" || fail "the update overwrote the settings"
[ "$(grep -c '^susv:' "$router/etc/passwd")" = 1 ] || fail "the user is there twice"
check_serves
say "installed and brought up to date"

# --- A shutdown waits until a download has ended: its reader pauses for three seconds, and it is more than the kernel holds.
head -c 24000000 /dev/urandom >"$router/etc/susv/firmware/large.bin"
(printf 'GET /firmware/large.bin HTTP/1.1\r\nHost: router\r\nConnection: close\r\n\r\n'; sleep 6) |
    on nc 127.0.0.1 8888 | (sleep 3 && cat) >"$work/download" &
download=$!
until grep -q ' 01 ' <(grep -i ':22B8 ' "$router/proc/net/tcp" "$router/proc/net/tcp6"); do sleep 0.1; done
sleep 0.5
begun=$SECONDS
on /etc/init.d/susv shutdown
[ -z "$(on pidof susv)" ] || fail "it runs on after shutdown"
[ $((SECONDS - begun)) -ge 2 ] || fail "shutdown did not wait"
wait "$download"
[ "$(tail -c 24000000 "$work/download" | sha256sum)" = "$(sha256sum <"$router/etc/susv/firmware/large.bin")" ] || fail "the download was cut"
rm "$router/etc/susv/firmware/large.bin"
say "a shutdown waited $((SECONDS - begun)) s for a download"

# --- Two system upgrades: the list as sysupgrade makes it; files only are archived, and given back by root to a factory-new router.
rm "$router/etc/susv/licenses/sample.slf"
for upgrade in first second; do
    on sh -c 'find $(sed "/^$/d; /^#/d" /lib/upgrade/keep.d/*) \( -type f -o -type l \) 2>/dev/null | sort -u' >"$work/list"
    tar -C "$router" -czf "$work/sysupgrade.tgz" -T <(sed 's|^/||' "$work/list")
    take_down
    make_router
    rm -r "$router/tmp/new"
    (umask 022 && tar -C "$router" -xzf "$work/sysupgrade.tgz")
    for script in "$router"/etc/rc.d/S*; do
        [ -e "$script" ] || fail "nothing is started after the $upgrade upgrade"
        on "${script#"$router"}" boot
    done
    check_serves
    grep -q "^# edited" "$router/etc/susv/config.ini" || fail "the $upgrade upgrade took the settings"
    [ "$(stat -c '%a %U' "$router/etc/susv/licenses")" = "755 root" ] || fail "no folder for licences after the $upgrade upgrade"
    [ -L "$router/etc/rc.d/K10susv" ] || fail "it is not stopped after the $upgrade upgrade"
done
say "survived two system upgrades"
take_down

# --- Interrupted anywhere, the installer mends it when it runs again; a removal too.
state() { (cd "$router" && find etc usr lib -mindepth 1 -printf '%p %m %u %g %l\n' | sort && cat etc/passwd etc/group etc/shadow); }
make_router
on sh /tmp/new/install.sh >/dev/null
state >"$work/expected"
on sh /tmp/new/install.sh --remove | grep -q "removed; /etc/susv is left" || fail "removal"
state >"$work/removed"
wait_until_gone "its removal"
[ ! -e "$router/usr/bin/susv" ] && [ -f "$router/etc/susv/config.ini" ] || fail "removal"
grep -q "susv" <(ls "$router/etc/rc.d" "$router/lib/upgrade/keep.d" "$router/etc/init.d") && fail "removal left something"
take_down
interrupted=0
for option in "" --remove; do
    for step in $(seq 100); do
        make_router
        [ -z "$option" ] || on sh /tmp/new/install.sh >/dev/null
        # Functions come before programs and before busybox's own: the step-th of these commands kills the installer.
        {
            echo 'count=0; count() { count=$((count + 1)); [ "$count" -lt '"$step"' ] || kill -9 $$; }'
            for command in cp mv chmod mkdir rm; do
                echo "$command() { count; command $command \"\$@\"; }"
            done
            sed 's|^    /etc/init.d/susv [a-z]*$|count; &|; s|^    "$here/susv" --init|count; &|' "$router/tmp/new/install.sh"
        } >"$router/tmp/new/interrupted.sh"
        ended=0
        on sh /tmp/new/interrupted.sh $option >/dev/null 2>&1 || ended=$?
        on sh /tmp/new/install.sh $option >/dev/null || fail "install.sh $option, interrupted at step $step, cannot be mended"
        state | diff "$work/$([ -z "$option" ] && echo expected || echo removed)" - || fail "install.sh $option, interrupted at step $step"
        take_down
        [ "$ended" != 0 ] || break
        interrupted=$((interrupted + 1))
    done
done
[ "$interrupted" -ge 15 ] || fail "only $interrupted interruptions"
say "interrupted at $interrupted places and mended"

# --- From a PC over ssh: the stub runs the command line in a shell on the router, as sshd does.
make_router
pc=$work/pc
mkdir "$pc" "$work/bin"
cp -r "$router/tmp/new/." "$pc"
rm -r "$router/tmp/new"
printf '#!/bin/sh\n[ "$1" = root@192.168.1.1 ] && [ $# = 2 ] || exit 255\n%s | exec chroot %s /bin/sh -c "$2"\n' '${CUT:-cat}' "$router" >"$work/bin/ssh"
chmod +x "$work/bin/ssh"
from_pc() { PATH=$work/bin:$PATH sh "$pc/install.sh" "$@"; }
! CUT="head -c 100000" from_pc root@192.168.1.1 2>/dev/null || fail "installed over a connection that broke"
[ ! -e "$router/usr/bin/susv" ] || fail "a connection that broke left a program"
from_pc root@192.168.1.1
[ -x "$router/usr/bin/susv" ] && [ -L "$router/etc/rc.d/S95susv" ] && [ -n "$(on pidof susv)" ] || fail "not installed over ssh"
from_pc --remove root@192.168.1.1
wait_until_gone "its removal over ssh"
[ ! -e "$router/usr/bin/susv" ] && [ ! -e "$router/etc/rc.d/S95susv" ] || fail "not removed over ssh"
left=$(find "$router/tmp" -mindepth 1 ! -name procd.log)
[ -z "$left" ] || fail "left on the router: $left"
from_pc root@192.168.1.1 --remove >/dev/null || fail "the order of its arguments counts"
say "installed and removed over ssh"

# --- What does not fit says so, in one line, and changes nothing.
refuses() { # TEXT ARGUMENT ...
    local text=$1
    shift
    ! from_pc "$@" >"$work/output" 2>"$work/error" || fail "install.sh $* did not fail"
    grep -q -- "$text" "$work/error" && [ "$(wc -l <"$work/error")" = 1 ] || fail "install.sh $*: $(cat "$work/error")"
}
[ ! -e /etc/rc.common ] || fail "this test must not run on a router"
refuses "this is no OpenWrt"
refuses "this is no OpenWrt.*--remove root@192.168.1.1" --remove
refuses "one too many" root@192.168.1.1 root@192.168.1.2
refuses "one too many" --remove root@192.168.1.1 --remove now
refuses 'unknown option "--purge"' --purge
from_pc --help | grep -q "install.sh --remove \[root@HOST\]" || fail "no help"
printf 'not a program' >"$pc/susv"
refuses "take the tarball of another target" root@192.168.1.1
[ ! -e "$router/usr/bin/susv" ] || fail "a foreign build was installed"
take_down
say "what does not fit is refused"

# --- The .ipk. opkg's part: preinst with nothing on the router, then the files, then postinst.
# unpack TARGET
unpack() {
    rm -rf "$work/ipk"
    mkdir -p "$work/ipk/control" "$work/ipk/data"
    tar -C "$work/ipk" -xzf "dist/susv_${version}_$1.ipk"
    tar -C "$work/ipk/control" -xzf "$work/ipk/control.tar.gz"
    tar -C "$work/ipk/data" -xzf "$work/ipk/data.tar.gz"
}
opkg_install() {
    local info=$router/usr/lib/opkg/info script
    cp "$work/ipk/control/preinst" "$router/tmp/susv.preinst"
    on sh -c "$1"' . /tmp/susv.preinst install' || return
    cp -r "$work/ipk/data/." "$router/"
    (cd "$work/ipk/data" && find . -type f -printf '/%P\n') >"$info/susv.list"
    for script in postinst prerm control; do
        cp "$work/ipk/control/$script" "$info/susv.$script"
    done
    on /usr/lib/opkg/info/susv.postinst configure
}
unpack x86_64
[ "$(cat "$work/ipk/debian-binary")" = 2.0 ] || fail "no debian-binary"
for field in "Package: susv" "Version: $version-1" "Architecture: all" "Require-User: susv=465:susv=465"; do
    grep -qx "$field" "$work/ipk/control/control" || fail "control lacks $field"
done
cmp "$work/ipk/data/usr/bin/susv" dist/susv-x86_64
cmp "$work/ipk/data/etc/init.d/susv" packaging/openwrt/susv.init
cmp "$work/ipk/data/lib/upgrade/keep.d/susv" packaging/openwrt/susv.keep
cmp "$work/ipk/data/usr/share/licenses/susv/LICENSE" LICENSE
[ -d "$work/ipk/data/etc/susv/firmware" ] && grep -qx /etc/susv/config.ini "$work/ipk/control/conffiles" || fail "the package's files"
grep -q '^firmware_path = /etc/susv/firmware' "$work/ipk/data/etc/susv/config.ini" || fail "its configuration"
make_router
opkg_install ""
cp -r "$router/tmp/new/firmware/20000101" "$router/etc/susv/firmware/"
check_serves
on /usr/lib/opkg/info/susv.prerm remove
wait_until_gone "prerm"
[ ! -e "$router/etc/rc.d/S95susv" ] || fail "prerm"
take_down

make_router
rm -r "$router/tmp/new"
state >"$work/expected"
refused=0
for target in aarch64 armv7 armv5te mipsel; do
    [ -e "dist/susv_${version}_$target.ipk" ] || continue
    unpack "$target"
    ! opkg_install "" 2>"$work/error" || fail "the package for $target was installed on x86_64"
    grep -q "this package is for $target, and this router is x86_64: take another package; nothing was changed" "$work/error" || fail "$(cat "$work/error")"
    refused=$((refused + 1))
done
# The same kind of CPU: with the wrong floating point, with the wrong byte order, and with the right ones.
accepts() { # TARGET COMMANDS
    [ -e "dist/susv_${version}_$1.ipk" ] || return 0
    unpack "$1"
    cp "$work/ipk/control/preinst" "$router/tmp/susv.preinst"
    on sh -c "$2"' . /tmp/susv.preinst install'
}
if [ "$refused" = 4 ]; then
    ! accepts armv7 'uname() { echo armv7l; };' 2>"$work/error" || fail "armv7 was installed without VFP"
    grep -q "armv7l without VFPv3 (armv5te fits)" "$work/error" || fail "$(cat "$work/error")"
    echo "Features : half thumb fastmult vfp edsp neon vfpv3 tls vfpv4" >"$work/cpuinfo"
    mount --bind "$work/cpuinfo" "$router/proc/cpuinfo"
    for machine in armv7l armv8l; do
        accepts armv7 "uname() { echo $machine; };" || fail "armv7 was refused on $machine"
    done
    umount "$router/proc/cpuinfo"
    for machine in armv5tel armv5tejl armv6l armv7l; do
        accepts armv5te "uname() { echo $machine; };" || fail "armv5te was refused on $machine"
    done
    ! accepts armv5te 'uname() { echo armv4l; };' 2>/dev/null || fail "armv5te was installed on ARMv4"
    ! accepts armv5te 'uname() { echo armv5teb; };' 2>/dev/null || fail "armv5te was installed on a big-endian ARM"
    ! accepts mipsel 'uname() { echo mips; }; dd() { printf "\002"; };' 2>"$work/error" || fail "mipsel was installed on a big-endian MIPS"
    grep -q "mips (big-endian)" "$work/error" || fail "$(cat "$work/error")"
    accepts mipsel 'uname() { echo mips; };' || fail "mipsel was refused on a little-endian MIPS"
    accepts aarch64 'uname() { echo aarch64; };' || fail "aarch64 was refused on its own kind"
fi
rm -f "$router/tmp/susv.preinst"
state | diff "$work/expected" - || fail "a refused package changed the router"
# A program that does not run for another reason is not enabled.
unpack x86_64
printf 'not a program' >"$work/ipk/data/usr/bin/susv"
! opkg_install "" 2>"$work/error" || fail "a program that does not run was enabled"
grep -q "does not run on this router" "$work/error" && [ ! -e "$router/etc/rc.d/S95susv" ] || fail "postinst: $(cat "$work/error")"
take_down
say "the package installs; $refused packages for another CPU are refused"
