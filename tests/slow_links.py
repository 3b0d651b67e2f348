#!/usr/bin/env python3
"""Downloads over links slower than loopback, and dead ones: whole, or a reset, never a normal end before the last byte.

usage: tests/slow_links.py SUSV [NAME…]       (root, iproute2; 4 minutes)

The client is in a network of its own, the server in another; between them a pair of veth with tbf on the server's side. Nothing is left
behind: networks go away with their processes.
"""
import ctypes
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

CLONE_NEWNET = 0x40000000
SERVER, CLIENT = "10.213.0.1", "10.213.0.2"
PORT = 8888
IMAGE = bytes((at * 2654435761 >> 24 ^ at >> 7) & 255 for at in range(491_520))
REQUEST = b"GET /firmware/20260301/upd_app.bin HTTP/1.1\r\nHost: test\r\n\r\n"


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class Link:
    """The server, and its link with a rate in bytes a second."""

    def __init__(self, susv, rate, settings=""):
        self.folder = tempfile.TemporaryDirectory(prefix="susv-slow-")
        root = pathlib.Path(self.folder.name)
        version = root / "firmware/20260301"
        version.mkdir(parents=True)
        (root / "licenses").mkdir()
        for name in ("upd_app.bin", "upd_app_for_old_frs.bin"):
            (version / name).write_bytes(IMAGE)
        (root / "config.ini").write_text(f"port = {PORT}\ncurrent_firmware_version = 20260301\n{settings}")
        own = os.readlink("/proc/self/ns/net")
        # It keeps the network when the server has ended: what the kernel still has to send needs it.
        self.keeper = subprocess.Popen(["unshare", "-n", "sleep", "600"])
        until("a network for the server", lambda: os.readlink(f"/proc/{self.keeper.pid}/ns/net") != own)
        run("ip", "link", "add", "c", "address", "02:00:00:00:00:02", "type", "veth", "peer", "name", "s0")
        run("ip", "address", "add", f"{CLIENT}/24", "dev", "c")
        run("ip", "link", "set", "c", "up")
        run("ip", "link", "set", "s0", "address", "02:00:00:00:00:01")
        run("ip", "link", "set", "s0", "netns", str(self.keeper.pid))
        self.inside("ip", "link", "set", "lo", "up")
        self.inside("ip", "address", "add", f"{SERVER}/24", "dev", "s0")
        self.inside("ip", "link", "set", "s0", "up")
        self.inside("tc", "qdisc", "add", "dev", "s0", "root", "tbf", "rate", f"{rate * 8}bit", "burst", "3200", "limit", "16000")
        self.set_alive(True)
        self.log = open(root / "log", "w+")
        self.process = subprocess.Popen(self.enter(susv, "-c", root / "config.ini"), stdout=self.log, stderr=self.log)
        until("an offer", lambda: "event=offer version=20260301" in self.lines())

    def enter(self, *command):
        return ["nsenter", f"--net=/proc/{self.keeper.pid}/ns/net", *command]

    def inside(self, *command):
        return run(*self.enter(*command))

    def lines(self):
        return pathlib.Path(self.log.name).read_text()

    def set_alive(self, alive):
        """A dead link delivers nothing and says nothing: frames go to a station that is not there."""
        other = "" if alive else "f"
        run("ip", "neighbour", "replace", SERVER, "lladdr", f"02:00:00:00:0{other or 0}:01", "dev", "c", "nud", "permanent")
        self.inside("ip", "neighbour", "replace", CLIENT, "lladdr", f"02:00:00:00:0{other or 0}:02", "dev", "s0", "nud", "permanent")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.keeper.kill()
        self.keeper.wait()
        subprocess.run(["ip", "link", "del", "c"], capture_output=True)
        self.log.close()
        self.folder.cleanup()


def until(what, condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"in vain: {what}"
        time.sleep(0.02)


class Download(threading.Thread):
    """Reads to the end of the answer or of the connection, and tells a reset from an end."""

    def __init__(self, request=REQUEST, answers=1):
        super().__init__(daemon=True)
        self.socket = socket.create_connection((SERVER, PORT), timeout=30)
        self.request, self.answers, self.received, self.ending = request, answers, b"", None
        self.start()

    def run(self):
        try:
            self.socket.sendall(self.request)
            self.socket.settimeout(120)
            while self.ending is None:
                piece = self.socket.recv(4096)
                self.received += piece
                head = self.received.find(b"\r\n\r\n")
                if head >= 0 and len(self.received) >= self.answers * (head + 4 + len(IMAGE)):
                    self.ending = "whole" if self.received.endswith(IMAGE) else "foreign bytes"
                elif not piece:
                    self.ending = "closed"
        except ConnectionResetError:
            self.ending = "reset"
        except OSError as error:
            self.ending = str(error)

    def has(self, count):
        return len(self.received) >= count

    def expect(self, ending, seconds=180):
        self.join(seconds)
        assert self.ending == ending, f"{self.ending} after {len(self.received)} bytes, not {ending}"


def begin_long(link):
    """A download of more than buffers hold, of which the first bytes are there."""
    (pathlib.Path(link.folder.name) / "firmware/archive.zip").write_bytes(IMAGE * 40)
    download = Download(REQUEST.replace(b"20260301/upd_app.bin", b"archive.zip"), answers=40)
    until("the first 100 KB", lambda: download.has(100_000))
    return download


def dead_for_20_seconds(susv):
    """A link at 20 KB/s that is dead for 20 s."""
    with Link(susv, 20_000) as link:
        download = Download()
        until("the first 50 KB", lambda: download.has(50_000))
        link.set_alive(False)
        time.sleep(20)
        link.set_alive(True)
        download.expect("whole")


def killed_while_it_sends(susv):
    """kill -9 while the server still has something to hand over."""
    with Link(susv, 100_000) as link:
        download = begin_long(link)
        link.process.kill()
        download.expect("reset")


def killed_after_all_is_handed_over(susv):
    """kill -9 with all of an image in the kernel: its client gets it, although the process is gone."""
    with Link(susv, 100_000) as link:
        download = Download()
        until("all handed over", lambda: 'file="20260301/upd_app.bin"' in link.lines())
        assert not download.has(len(IMAGE)), "the link is too fast to see anything"
        link.process.kill()
        link.process.wait()
        download.expect("whole")


def stopped(susv):
    """SIGTERM under a download at a serial line's speed: 50 s, and it arrives."""
    with Link(susv, 10_000) as link:
        download = Download()
        until("the first 20 KB", lambda: download.has(20_000))
        link.process.send_signal(signal.SIGTERM)
        download.expect("whole")
        assert link.process.wait(10) == 0


def stopped_twice(susv):
    """A forced stop ends what the server has not handed over with a reset."""
    with Link(susv, 100_000) as link:
        download = begin_long(link)
        link.process.send_signal(signal.SIGTERM)
        until("the stop", lambda: "event=stopping" in link.lines())
        link.process.send_signal(signal.SIGTERM)
        link.process.wait(2)
        download.expect("reset")


def pipelined(susv):
    """Two images asked for at once over a serial line: the first one's bytes do not make the second look stalled."""
    with Link(susv, 10_000):
        Download(REQUEST * 2, answers=2).expect("whole")


SCENES = [killed_while_it_sends, killed_after_all_is_handed_over, stopped_twice, dead_for_20_seconds, stopped, pipelined]


def main():
    susv, names = os.path.abspath(sys.argv[1]), sys.argv[2:]
    if os.geteuid() != 0 or ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        print("skipped: no network of one's own here (root is needed)")
        return 77
    try:
        run("ip", "link", "set", "lo", "up")
        run("tc", "qdisc", "add", "dev", "lo", "root", "tbf", "rate", "1gbit", "burst", "100000", "limit", "1000000")
        run("tc", "qdisc", "del", "dev", "lo", "root")
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"skipped: no iproute2, or no tbf in this kernel ({error})")
        return 77
    failed = 0
    for scene in SCENES:
        if names and scene.__name__ not in names:
            continue
        begun = time.monotonic()
        try:
            scene(susv)
            result = "ok"
        except AssertionError as error:
            result, failed = f"FAILED: {error}", failed + 1
        print(f"{scene.__name__}: {result} ({time.monotonic() - begun:.0f} s)", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
