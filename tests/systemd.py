#!/usr/bin/env python3
"""The Debian package under a real systemd, in namespaces of its own: started through its socket, upgraded and restarted under a
steady load of checks, of which none may be lost. Then the recipe of packaging/systemd/README, with the tarball.

usage: tests/systemd.py [PACKAGE]       (root only; needs debootstrap, util-linux, port 8888)

Exit code 77: systemd cannot be started here, so nothing was tested.
"""
import contextlib
import json
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

from gateway_tools import PROJECT, Load

PORT = 8888
# Not chroot: systemd could not make user namespaces for its services then.
BOOT = """
set -e
mount --make-rprivate /
mount --bind "$1" "$1"
cd "$1"
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs tmp
mount --rbind /dev dev
mkdir -p oldroot
pivot_root . oldroot
umount -l /oldroot
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --log-target=journal
"""


class System:
    """A booted Debian; it ends with this object."""

    def __init__(self, root):
        self.unshare = subprocess.Popen(
            ["unshare", "--fork", "--pid", "--kill-child", "--mount", "--uts", "--ipc", "--cgroup", "sh", "-c", BOOT, "boot", root],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def first_process(self):
        children = pathlib.Path(f"/proc/{self.unshare.pid}/task/{self.unshare.pid}/children").read_text().split()
        return children[0] if children else None

    def run(self, *command):
        enter = ["nsenter", "-t", self.first_process(), "-m", "-p", "-i", "-u", "-C"]
        environment = ["env", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive"]
        result = subprocess.run(enter + environment + list(command), capture_output=True, text=True, timeout=180)
        assert result.returncode == 0, f"{command}: {result.stdout} {result.stderr}"
        return result.stdout

    def is_up(self):
        end = time.monotonic() + 30
        while time.monotonic() < end and self.unshare.poll() is None:
            with contextlib.suppress(AssertionError, OSError, TypeError):
                self.run("systemctl", "list-units")
                return True
            time.sleep(0.2)
        return False

    def close(self):
        # --kill-child takes the first process with it, and that takes all others.
        self.unshare.send_signal(signal.SIGKILL)
        self.unshare.wait(20)


def get(path):
    return urllib.request.urlopen(f"http://127.0.0.1:{PORT}{path}", timeout=15).read()


def wait_until_active(system):
    end = time.monotonic() + 20
    while (state := system.run("systemctl", "show", "--property=ActiveState", "susv.socket", "susv.service").split()) != ["ActiveState=active"] * 2:
        assert time.monotonic() < end, f"{state} {system.run('journalctl', '--no-pager', '-b')}"
        time.sleep(0.1)


def publish(system, folder):
    system.run("cp", "-r", "/tarball/firmware/20000101", folder)
    end = time.monotonic() + 20
    while not json.loads(get("/status"))["offered"]:
        assert time.monotonic() < end, get("/status")
        time.sleep(0.1)


def exercise_package(system):
    print(system.run("dpkg", "-i", "/susv.deb").splitlines()[-1])
    wait_until_active(system)
    # The server's own stop takes up to 90 s.
    assert system.run("systemctl", "show", "--property=TimeoutStopUSec", "susv.service").strip() == "TimeoutStopUSec=1min 35s"
    publish(system, "/var/lib/susv/firmware/")
    assert "unknown" not in json.loads(get("/version"))["system"]
    with Load(PORT, keep_alive=False) as load:
        for _ in range(3):
            load.wait_for_more()
            system.run("dpkg", "-i", "/susv.deb")
        load.wait_for_more()
        system.run("systemctl", "restart", "susv.service")
        load.wait_for_more()
    assert not load.failures, load.failures[:5]
    assert load.urls == {f"http://127.0.0.1:{PORT}/firmware/20000101/upd_app.bin"}, load.urls
    print(f"systemd: {load.count} checks, 3 upgrades and a restart, none lost")
    # What ends by itself is there again.
    system.run("systemctl", "kill", "--signal=KILL", "susv.service")
    assert json.loads(get("/version"))["susv"]
    log = system.run("journalctl", "--no-pager", "-u", "susv")
    assert "socket=inherited" in log and "event=check" in log, log
    system.run("dpkg", "-P", "susv")


def exercise_recipe(system):
    recipe = (PROJECT / "packaging/systemd/README").read_text().split("\n\n")[1].splitlines()
    assert len(recipe) == 5, recipe
    for line in recipe:
        system.run("sh", "-ec", "cd /tarball && " + line.replace("sudo ", ""))
    wait_until_active(system)
    publish(system, "/etc/susv/firmware/")
    system.run("systemctl", "disable", "--now", "susv.socket", "susv.service")
    print("systemd: the tarball's recipe works")


def exercise(system):
    exercise_package(system)
    exercise_recipe(system)


def main():
    packages = sorted((PROJECT / "dist").glob("susv_*_amd64.deb"))
    package = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else packages[-1]
    root = tempfile.mkdtemp(prefix="susv-systemd-")
    # It becomes "/".
    pathlib.Path(root).chmod(0o755)
    try:
        subprocess.run(["debootstrap", "--variant=minbase", "--include=systemd,systemd-sysv,dbus,init-system-helpers",
                        "bookworm", root, "http://deb.debian.org/debian"], check=True, stdout=subprocess.DEVNULL)
        shutil.copy(package, f"{root}/susv.deb")
        tarball = sorted((PROJECT / "dist").glob("susv-*-x86_64.tar.gz"))[-1]
        pathlib.Path(root, "tarball").mkdir()
        subprocess.run(["tar", "-C", f"{root}/tarball", "--strip-components=1", "-xzf", tarball], check=True)
        system = System(root)
        try:
            if not system.is_up():
                print("systemd cannot be started here")
                sys.exit(77)
            try:
                exercise(system)
            except BaseException:
                print(system.run("journalctl", "--no-pager", "-n", "40"))
                raise
        finally:
            system.close()
    finally:
        shutil.rmtree(root, ignore_errors=True)


main()
