#!/usr/bin/env python3
"""The 32-bit program under clocks that gateways without a battery have: 1969, after 2038, after 2106, 2200.

usage: tests/clock.py SUSV [EMULATOR]       (qemu-arm of Debian's qemu-user, which is dynamic, and cc)

A static program's clock cannot be faked by preloading. Its emulator's can: each `clock_gettime64` of the program is one of the
emulator's own `clock_gettime`.
"""
import datetime
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

PRELOADED = r"""
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t clock, struct timespec *time) {
    int result = syscall(SYS_clock_gettime, clock, time);
    const char *offset = getenv("TEST_CLOCK_OFFSET");
    if (result == 0 && clock == CLOCK_REALTIME && offset) time->tv_sec += atoll(offset);
    return result;
}
"""
DAYS = ["1969-06-01", "2038-01-20", "2106-02-08", "2200-01-01"]
IMAGE = bytes((at * 2654435761 >> 24 ^ at >> 7) & 255 for at in range(491_520))


def try_day(day, command, folder):
    wanted = datetime.datetime.fromisoformat(day).replace(tzinfo=datetime.timezone.utc).timestamp()
    environment = os.environ | {"LD_PRELOAD": str(folder / "clock.so"), "TEST_CLOCK_OFFSET": str(int(wanted - time.time()))}
    with open(folder / "log", "w+b") as log:
        process = subprocess.Popen([*command, "-c", folder / "config.ini"], stdout=log, stderr=log, env=environment)
        try:
            lines = lambda: (folder / "log").read_text(errors="replace")
            end = time.monotonic() + 30
            while "event=licenses" not in lines():
                assert process.poll() is None, f"it ended: {lines()}"
                assert time.monotonic() < end, f"it does not start: {lines()}"
                time.sleep(0.1)
            port = lines().split("address=127.0.0.1:")[1].split()[0]
            body = json.dumps({"build_date": "19.12.2017"}).encode()
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/check_firmware", body, timeout=20) as answer:
                date, check = answer.headers["Date"], json.load(answer)
            assert check["update_available"] is True and len(check) == 6, check
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/firmware/20260301/upd_app.bin", timeout=30) as answer:
                assert answer.read() == IMAGE, "another image"
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0, lines()
            return date
        finally:
            process.kill()
            process.wait()


def main():
    emulator = shutil.which(sys.argv[2] if len(sys.argv) > 2 else "qemu-arm")
    if not emulator or not shutil.which("cc"):
        print("skipped: no cc, or no qemu-arm (apt-get install qemu-user)")
        return 77
    failed = 0
    with tempfile.TemporaryDirectory(prefix="susv-clock-") as name:
        folder = pathlib.Path(name)
        (folder / "licenses").mkdir()
        version = folder / "firmware/20260301"
        version.mkdir(parents=True)
        for image in ("upd_app.bin", "upd_app_for_old_frs.bin"):
            (version / image).write_bytes(IMAGE)
        (folder / "config.ini").write_text("address = 127.0.0.1\nport = 0\ncurrent_firmware_version = 20260301\n")
        (folder / "clock.c").write_text(PRELOADED)
        subprocess.run(["cc", "-shared", "-fPIC", "-o", folder / "clock.so", folder / "clock.c"], check=True)
        for day in DAYS:
            try:
                print(f"{day}: ok, Date: {try_day(day, [emulator, sys.argv[1]], folder)}", flush=True)
            except (AssertionError, OSError) as error:
                print(f"{day}: FAILED: {error}", flush=True)
                failed += 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
