#!/usr/bin/env python3
"""packaging/mirror/ against a real sshd and rsync on loopback.

usage: tests/mirror.py SUSV       (needs sshd, rsync with rrsync, flock, busybox; as root, the full disk is tested too)
"""
import contextlib
import hashlib
import json
import os
import pathlib
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

PROJECT = pathlib.Path(__file__).resolve().parent.parent
SCRIPT = PROJECT / "packaging/mirror/susv-mirror"
IMAGES = ("upd_app.bin", "upd_app_for_old_frs.bin")


class Centre:
    """An sshd on loopback, with a key that may read one folder and nothing else."""

    def __init__(self, parent):
        self.parent, self.published = parent, parent / "published"
        for folder in ("firmware", "licenses"):
            (self.published / folder).mkdir(parents=True)
        for name in ("host_key", "key", "foreign_key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", parent / name], check=True)
        public = (parent / "key.pub").read_text().strip()
        # The line that README.md shows.
        line = f'command="rrsync -ro {self.published}",restrict {public}\n'
        assert 'command="rrsync -ro /srv/publish",restrict ssh-ed25519 ' in (PROJECT / "packaging/mirror/README.md").read_text()
        (parent / "authorized_keys").write_text(line)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        (parent / "sshd_config").write_text(f"""
            ListenAddress 127.0.0.1:{self.port}
            HostKey {parent}/host_key
            AuthorizedKeysFile {parent}/authorized_keys
            PidFile none
            UsePAM no
            StrictModes no
            PasswordAuthentication no
            PermitRootLogin forced-commands-only
            MaxStartups 100
            """)
        if os.getuid() == 0:
            pathlib.Path("/run/sshd").mkdir(exist_ok=True)
        self.start()

    def start(self):
        self.log = open(self.parent / "sshd.log", "a")
        self.sshd = subprocess.Popen([shutil.which("sshd") or "/usr/sbin/sshd", "-D", "-e", "-f", self.parent / "sshd_config"], stderr=self.log)
        wait_for(self.is_up, "sshd does not start")

    def is_up(self):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True

    def stop(self):
        self.sshd.kill()
        self.sshd.wait()
        self.log.close()

    def publish(self, version, text=None, offer=None, listed=IMAGES, size=491_520):
        """A version folder, under another name first."""
        folder = self.published / "new"
        folder.mkdir()
        for name in IMAGES:
            (folder / name).write_bytes(make_image(text or version, name, size))
        if offer is not None:
            (folder / "offer.ini").write_text(offer)
            listed = (*listed, "offer.ini")
        write_sums(folder, listed)
        final = self.published / "firmware" / version
        if final.exists():
            shutil.rmtree(final)
        folder.rename(final)
        return final

    def publish_licences(self, **files):
        folder = self.published / "licenses"
        for name, text in files.items():
            (folder / f"{name}.slf").write_text(text)
        write_sums(folder, sorted(path.name for path in folder.glob("*.slf")))

    def empty(self):
        for folder in ("firmware", "licenses"):
            shutil.rmtree(self.published / folder)
            (self.published / folder).mkdir()


class Shop:
    def __init__(self, parent, centre, shell):
        self.centre, self.shell, self.parent = centre, shell, parent
        self.firmware, self.licenses, self.staging = parent / "firmware", parent / "licenses", parent / "mirror"
        for folder in (self.firmware, self.licenses):
            folder.mkdir(parents=True)
        self.key, self.port = centre.parent / "key", centre.port

    def write_settings(self):
        (self.centre.parent / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {(self.centre.parent / 'host_key.pub').read_text()}")
        user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
        text = (PROJECT / "packaging/mirror/mirror.conf").read_text()
        for old, new in (("mirror@centre.example.org", f"{user}@127.0.0.1"), ("/etc/susv/mirror_key", str(self.key)), ("ssh -F", f"ssh -p {self.port} -F"),
                         ("/etc/susv/mirror_known_hosts", str(self.centre.parent / "known_hosts")), ("/var/lib/susv/firmware", str(self.firmware)),
                         ("/var/lib/susv/licenses", str(self.licenses)), ("/var/lib/susv/mirror", str(self.staging))):
            assert old in text, old
            text = text.replace(old, new)
        (self.parent / "mirror.conf").write_text(f"{text}\nWITHDRAWN_HERE={self.parent}/withdrawn\n")

    def begin(self):
        self.write_settings()
        settings = {"SUSV_MIRROR_CONF": str(self.parent / "mirror.conf"), "PATH": os.environ["PATH"], "HOME": "/nowhere"}
        return subprocess.Popen([*self.shell, SCRIPT], env=settings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def run(self, status=0):
        """One run; its one line."""
        process = self.begin()
        text = process.communicate(timeout=120)[0]
        assert process.returncode == status and text.startswith("susv-mirror:") and text.count("\n") == 1, (process.returncode, text)
        return text

    def versions(self):
        return sorted(os.listdir(self.firmware))

    def snapshot(self):
        """All files with their bytes and numbers: what did not change is not the same file anew."""
        return {str(path.relative_to(self.parent)): (path.stat().st_ino, path.read_bytes() if path.is_file() else None)
                for folder in (self.firmware, self.licenses) for path in folder.rglob("*")}


def make_image(text, name, size=491_520):
    return hashlib.shake_256(f"{text} {name}".encode()).digest(size)


def write_sums(folder, names):
    (folder / "SHA256SUMS").write_text("".join(f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in names))


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def wait_for(condition, what):
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.005)


class Line(threading.Thread):
    """A line to the centre: slow, or cut with a reset after so many bytes."""

    def __init__(self, port, cut_after=None, pause=0):
        super().__init__(daemon=True)
        self.target, self.cut_after, self.pause, self.passed = port, cut_after, pause, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self):
        while True:
            shop, _ = self.listener.accept()
            centre = socket.create_connection(("127.0.0.1", self.target))
            for pair in ((shop, centre, False), (centre, shop, True)):
                threading.Thread(target=self.pass_on, args=pair, daemon=True).start()

    def pass_on(self, source, sink, counted):
        try:
            while piece := source.recv(8192):
                sink.sendall(piece)
                if counted:
                    self.passed += len(piece)
                    time.sleep(self.pause)
                    if self.cut_after and self.passed > self.cut_after:
                        raise ConnectionResetError
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            for end in (source, sink):
                with contextlib.suppress(OSError):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    # The other thread waits in recv: close alone would wait for it.
                    end.shutdown(socket.SHUT_RDWR)
                end.close()


def read_beginning(place, name):
    with open(name, "rb", opener=lambda path, flags: os.open(path, flags, dir_fd=place)) as file:
        return os.fstat(file.fileno()).st_size, file.read(16)


class Watcher(threading.Thread):
    """Looks at the shop's folder without a pause: a version that is there has these files, and both images of one of these texts."""

    def __init__(self, folder, names, *texts):
        super().__init__(daemon=True)
        self.folder, self.names = folder, names
        # Length and beginning tell them apart, and are read fast enough to see what lasts a moment.
        self.whole = {version: [[(491_520, make_image(text, name)[:16]) for name in IMAGES] for text in (version, *texts)] for version in names}
        self.stopping, self.looks, self.wrong = threading.Event(), 0, []

    def run(self):
        while not self.stopping.is_set():
            for version in os.listdir(self.folder):
                with contextlib.suppress(FileNotFoundError):
                    self.look(version)
            self.looks += 1

    def look(self, version):
        live = self.folder / version
        place = os.open(live, os.O_DIRECTORY)
        try:
            names = set(os.listdir(place))
            images = [read_beginning(place, name) for name in IMAGES if name in names]
            # One that was moved out meanwhile is not what the shop has.
            is_live = live.stat().st_ino == os.fstat(place).st_ino
        finally:
            os.close(place)
        if is_live and (names != self.names[version] or images not in self.whole[version]):
            self.wrong.append((version, names, images))

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.join()
        assert self.looks > 20 and not self.wrong, (self.looks, self.wrong[:3])


def fetches_verbatim_and_only_what_is_vouched_for(centre, shop):
    centre.publish("20260301", offer="only_for = 192.168.1.20\n")
    centre.publish("20260401")
    bare = centre.publish("20260501")
    (bare / "SHA256SUMS").unlink()
    one = centre.publish("20260502")
    write_sums(one, IMAGES[:1])
    missing = centre.publish("20260503", offer="only_for = 192.168.1.20\n")
    (missing / "offer.ini").unlink()
    # What is no version folder is none of ours.
    for name in ("new", "20260601.tmp", "2026060", "202606011"):
        shutil.copytree(centre.published / "firmware/20260401", centre.published / "firmware" / name)
    centre.publish_licences(shop="one\n", другой="two\n")
    files = {"20260301": {*IMAGES, "SHA256SUMS", "offer.ini"}, "20260401": {*IMAGES, "SHA256SUMS"}}
    with Watcher(shop.firmware, files):
        line = shop.run(1)
    assert all(version in line for version in ("20260501", "20260502", "20260503")), line
    assert shop.versions() == ["20260301", "20260401"], shop.versions()
    for version in shop.versions():
        assert contents(shop.firmware / version) == contents(centre.published / "firmware" / version)
        assert all(path.stat().st_mode & 0o777 == 0o644 for path in (shop.firmware / version).iterdir())
        # Moved, not copied, into place: the Watcher may miss a fast copy.
        assert all(path.samefile(shop.staging / "centre/firmware" / version / path.name) for path in (shop.firmware / version).iterdir())
    assert contents(shop.licenses) == {"shop.slf": b"one\n", "другой.slf": b"two\n"}
    for version in ("20260501", "20260502", "20260503"):
        shutil.rmtree(centre.published / "firmware" / version)
    before = shop.snapshot()
    assert shop.run() == "susv-mirror: nothing new\n" and shop.snapshot() == before


def changes_of_a_known_version(centre, shop):
    folder = centre.publish("20260301", offer="only_for = 192.168.1.20\n")
    shop.run()
    live = shop.firmware / "20260301"
    images = [(live / name).stat().st_ino for name in IMAGES]
    files = {*IMAGES, "SHA256SUMS", "offer.ini"}
    # A pilot is widened: the list names offer.ini, its text may differ.
    with Watcher(shop.firmware, {"20260301": files}):
        (folder / "offer.ini").write_text("only_for = 192.168.1.0/24\n")
        assert shop.run() == "susv-mirror: took 20260301\n"
    assert (live / "offer.ini").read_text() == "only_for = 192.168.1.0/24\n"
    # For all: first the list without it, then it goes.
    (folder / "offer.ini").unlink()
    assert "20260301" in shop.run(1) and (live / "offer.ini").exists()
    write_sums(folder, IMAGES)
    shop.run()
    assert contents(live) == contents(folder) and images == [(live / name).stat().st_ino for name in IMAGES]
    # Back to some.
    (folder / "offer.ini").write_text("only_for = 192.168.1.20\n")
    write_sums(folder, (*IMAGES, "offer.ini"))
    shop.run()
    assert contents(live) == contents(folder) and images == [(live / name).stat().st_ino for name in IMAGES]
    # Other images of the same size and time, whole at every moment.
    times = (folder / IMAGES[0]).stat()
    folder = centre.publish("20260301", text="others", offer="only_for = 192.168.1.20\n")
    for name in contents(folder):
        os.utime(folder / name, ns=(times.st_atime_ns, times.st_mtime_ns))
    number = live.stat().st_ino
    with Watcher(shop.firmware, {"20260301": files}, "others"):
        shop.run()
    assert contents(live) == contents(folder) and live.stat().st_ino != number, "the folder was not exchanged as a whole"
    # A wrong sum: what is here stays.
    good = contents(live)
    (folder / IMAGES[1]).write_bytes(b"x" * 491_520)
    assert "20260301" in shop.run(1) and contents(live) == good
    centre.publish("20260301", text="others", offer="only_for = 192.168.1.20\n")
    # What was changed or lost here (a power cut between the two renames) is mended.
    (live / IMAGES[0]).write_bytes(b"y" * 491_520)
    shop.run()
    assert contents(live) == good
    shutil.rmtree(live)
    shop.run()
    assert contents(live) == good


def withdrawal(centre, shop):
    for version in ("20260301", "20260401", "20260501"):
        centre.publish(version)
    centre.publish_licences(shop="one\n", gone="two\n")
    shop.run()
    for name in ("keep", "keep.slf"):
        (shop.parent / name).write_text("")
    (centre.published / "withdrawn").write_bytes(b"# wrong family\r\n20260401\r\n\r\ngone.slf\n../keep\n../keep.slf\n..\n.\n*\n-rf\n/etc\n20260301/upd_app.bin\n$(touch x)\n2026050\n")
    line = shop.run()
    assert "withdrawn 20260401" in line and "withdrawn gone.slf" in line, line
    assert shop.versions() == ["20260301", "20260501"] and (shop.parent / "keep").exists() and (shop.parent / "keep.slf").exists(), shop.versions()
    assert set(contents(shop.licenses)) == {"shop.slf"}
    assert shop.run() == "susv-mirror: nothing new\n"
    # The shop's own list, and a version that is on the list no more.
    (shop.parent / "withdrawn").write_text("20260501\n")
    (centre.published / "withdrawn").unlink()
    line = shop.run()
    assert "withdrawn 20260501" in line and "took 20260401" in line, line
    assert shop.versions() == ["20260301", "20260401"]
    # Also where the rest of a run fails: the list comes first.
    folder = centre.publish("20260601")
    with open(folder / "notes.bin", "wb") as notes:
        notes.write(os.urandom(3_000_000))
    (centre.published / "withdrawn").write_text("20260401\n")
    cut = Line(centre.port, cut_after=1_500_000)
    shop.port = cut.port
    line = shop.run(1)
    assert cut.passed > 1_500_000 and "rsync ended" in line and "withdrawn 20260401" in line, line
    assert shop.versions() == ["20260301"]
    shop.port = centre.port


def an_empty_an_unreachable_and_a_foreign_centre_remove_nothing(centre, shop):
    for version in ("20260301", "20260401"):
        centre.publish(version)
    centre.publish_licences(shop="one\n")
    shop.run()
    before = shop.snapshot()
    centre.empty()
    assert "no firmware" in shop.run(1) and shop.snapshot() == before
    shutil.rmtree(centre.published / "firmware")
    assert "no firmware" in shop.run(1) and shop.snapshot() == before
    shutil.rmtree(centre.published / "licenses")
    assert "no firmware" in shop.run(1) and shop.snapshot() == before
    shop.key = centre.parent / "foreign_key"
    assert "rsync ended" in shop.run(1) and shop.snapshot() == before
    shop.key = centre.parent / "key"
    host_key = centre.parent / "host_key.pub"
    real = host_key.read_text()
    host_key.write_text((centre.parent / "foreign_key.pub").read_text())
    line = shop.run(1)
    assert "rsync ended" in line and shop.snapshot() == before, line
    host_key.write_text(real)
    centre.stop()
    assert "rsync ended" in shop.run(1) and shop.snapshot() == before
    centre.start()
    for folder in ("firmware", "licenses"):
        (centre.published / folder).mkdir()
    centre.publish("20260501")
    shop.run()
    assert shop.versions() == ["20260301", "20260401", "20260501"]


def the_key_reads_one_folder_only(centre, shop):
    shop.write_settings()
    settings = (shop.parent / "mirror.conf").read_text()
    ssh = re.search(r'SSH="(.*)"', settings)[1].split()
    target = re.search(r"CENTRE=(.*)", settings)[1]
    rsync = ["rsync", "-r", "-e", " ".join(ssh)]
    for command in ([*ssh, target, "id"], [*ssh, target], [*rsync, f"{target}:../", shop.parent / "stolen"], [*rsync, f"{target}:/etc/hostname", shop.parent / "stolen"],
                    [*rsync, f"{PROJECT}/Cargo.toml", f"{target}:firmware/"]):
        result = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)
        assert result.returncode != 0 and "uid=" not in result.stdout, (command, result)
    assert not (centre.published / "firmware/Cargo.toml").exists()
    stolen = [path for path in shop.parent.glob("stolen/**/*") if path.name in ("hostname", "host_key")]
    assert not stolen, stolen


def a_centre_that_dies_in_the_middle(centre, shop):
    centre.publish("20260301")
    shop.run()
    before = shop.snapshot()
    centre.publish("20260401", offer="only_for = 192.168.1.20\n")
    for cut_after in (5_000, 100_000, 600_000, 960_000):
        shutil.rmtree(shop.staging)
        line = Line(centre.port, cut_after)
        shop.port = line.port
        text = shop.run(1)
        assert "rsync ended" in text and shop.snapshot() == before, text
    # The machine at the other end loses its processes.
    shutil.rmtree(shop.staging)
    line = Line(centre.port, pause=0.02)
    shop.port = line.port
    process = shop.begin()
    wait_for(lambda: line.passed > 300_000, "nothing is transferred")
    sessions = children_of(centre.sshd.pid)
    assert sessions, "no session of sshd is found"
    for session in sessions:
        with contextlib.suppress(ProcessLookupError):
            os.kill(session, 9)
    text = process.communicate(timeout=60)[0]
    assert process.returncode == 1 and "rsync ended" in text and shop.snapshot() == before, text
    shop.port = centre.port
    assert shop.run() == "susv-mirror: took 20260401\n"
    assert contents(shop.firmware / "20260401") == contents(centre.published / "firmware/20260401")


def children_of(pid):
    """All descendants of a process that this test started."""
    found = []
    for path in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        for child in path.read_text().split():
            found += [*children_of(int(child)), int(child)]
    return found


def two_runs_at_once(centre, shop):
    centre.publish("20260301")
    line = Line(centre.port, pause=0.02)
    shop.port = line.port
    first = shop.begin()
    wait_for(lambda: line.passed > 100_000, "nothing is transferred")
    assert "another run" in shop.run()
    assert first.poll() is None, "the first run was over too soon to say"
    assert first.communicate(timeout=60)[0] == "susv-mirror: took 20260301\n" and first.returncode == 0
    shop.port = centre.port


def odd_names_do_not_escape(centre, shop):
    (shop.parent / "secret").write_text("secret")
    (shop.parent / "secret.slf").write_text("secret")
    odd = ["a b", "-rf", "$(touch escaped)", "line\nbreak", "*", "`touch escaped`", "offer.ini.txt", "\\", ".hidden", "é"]
    folder = centre.publish("20260301")
    for name in odd:
        (folder / name).write_text(name)
    (folder / "link").symlink_to("/etc/passwd")
    (folder / "sub").mkdir()
    (folder / "sub/file").write_text("x")
    os.mkfifo(folder / "pipe")
    write_sums(folder, [*IMAGES, "a b", "-rf", "*"])
    # Lists that lead out of the folder, and one that would never end.
    for version, line in (("20260302", "../../../secret"), ("20260303", "/dev/zero"), ("20260304", str(shop.parent / "secret"))):
        with open(centre.publish(version) / "SHA256SUMS", "a") as sums:
            sums.write(f"{hashlib.sha256(b'secret').hexdigest()}  {line}\n")
    (centre.published / "firmware/20260305").symlink_to(shop.parent)
    licences = centre.published / "licenses"
    for name in ("-x.slf", "a b.slf", "$(touch escaped).slf", "..slf"):
        (licences / name).write_text(name)
    write_sums(licences, sorted(os.listdir(licences)))
    # Not in the list: not taken.
    (licences / "unlisted.slf").write_text("x")
    before = {path.name for path in shop.parent.iterdir()} | {"mirror", "mirror.conf"}
    line = shop.run(1)
    assert shop.versions() == ["20260301"], (shop.versions(), line)
    assert set(contents(shop.firmware / "20260301")) == {*IMAGES, "SHA256SUMS", *odd}
    assert set(contents(shop.licenses)) == {"-x.slf", "a b.slf", "$(touch escaped).slf"}
    assert {path.name for path in shop.parent.iterdir()} == before
    assert (shop.parent / "secret").read_text() == "secret" and not list(pathlib.Path.cwd().glob("escaped*"))
    with open(licences / "SHA256SUMS", "a") as sums:
        sums.write(f"{hashlib.sha256(b'secret').hexdigest()}  ../../../secret.slf\n")
    assert "licences" in shop.run(1) and set(contents(shop.licenses)) == {"-x.slf", "a b.slf", "$(touch escaped).slf"}


def a_wrong_licence_file_changes_none(centre, shop):
    centre.publish("20260301")
    centre.publish_licences(one="one\n", two="two\n")
    shop.run()
    centre.publish_licences(one="one, new\n", two="two, new\n")
    (centre.published / "licenses/two.slf").write_text("half")
    assert "licences" in shop.run(1) and contents(shop.licenses) == {"one.slf": b"one\n", "two.slf": b"two\n"}
    centre.publish_licences(two="two, new\n")
    shop.run()
    assert contents(shop.licenses) == {"one.slf": b"one, new\n", "two.slf": b"two, new\n"}


def a_full_disk(centre, shop):
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "none", shop.parent], check=True)
    try:
        for folder in (shop.firmware, shop.licenses):
            folder.mkdir()
        for version in ("20260301", "20260401"):
            centre.publish(version)
        shop.run()
        before = shop.snapshot()
        centre.publish("20260501", size=700_000)
        line = shop.run(1)
        assert "rsync ended with 11" in line and shop.snapshot() == before, line
        # There is room again for whoever writes here, and for a withdrawal.
        (shop.parent / "log").write_bytes(b"x" * 500_000)
        (centre.published / "withdrawn").write_text("20260301\n")
        shutil.rmtree(centre.published / "firmware/20260301")
        line = shop.run(1)
        assert "withdrawn 20260301" in line and shop.versions() == ["20260401"], line
        (shop.parent / "log").unlink()
        # What was given up comes again.
        assert shop.run() == "susv-mirror: took 20260501\n"
        assert contents(shop.firmware / "20260501") == contents(centre.published / "firmware/20260501")
        # Staging on another file system is refused.
        shop.staging = pathlib.Path(tempfile.mkdtemp(dir=centre.parent))
        before = shop.snapshot()
        assert "not on the file system" in shop.run(1) and shop.snapshot() == before
    finally:
        subprocess.run(["umount", shop.parent], check=True)


def susv_takes_what_the_mirror_puts(program, centre, shop):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (shop.parent / "config.ini").write_text(f"current_firmware_version = latest\naddress = 127.0.0.1\nport = {port}\nlog_requests = no\n")
    centre.publish("20260301")
    shop.run()
    server = subprocess.Popen([program, "-c", shop.parent / "config.ini"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def offered():
        request = urllib.request.Request(f"http://127.0.0.1:{port}/check_firmware", b'{"build_date": "19.12.1999"}')
        with contextlib.suppress(OSError), urllib.request.urlopen(request, timeout=10) as answer:
            found = json.loads(answer.read())
            return re.search(r"/firmware/(\d+)/", found["url"])[1] if found["update_available"] else None

    def download(version):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/firmware/{version}/upd_app.bin", timeout=10) as answer:
            return answer.read()

    try:
        wait_for(lambda: offered() == "20260301", "20260301 is not offered")
        centre.publish("20260401")
        shop.run()
        wait_for(lambda: offered() == "20260401", "20260401 is not offered")
        folder = centre.publish("20260401", text="others")
        shop.run()
        wait_for(lambda: offered() == "20260401" and download("20260401") == (folder / IMAGES[0]).read_bytes(), "the other images are not offered")
        (centre.published / "withdrawn").write_text("20260401\n")
        shop.run()
        wait_for(lambda: offered() == "20260301", "20260301 is not offered again")
    finally:
        server.terminate()
        server.wait(100)


def main():
    program = pathlib.Path(sys.argv[1]).resolve()
    tests = [fetches_verbatim_and_only_what_is_vouched_for, changes_of_a_known_version, withdrawal, an_empty_an_unreachable_and_a_foreign_centre_remove_nothing,
             the_key_reads_one_folder_only, a_centre_that_dies_in_the_middle, two_runs_at_once, odd_names_do_not_escape, a_wrong_licence_file_changes_none]
    if os.getuid() == 0:
        tests.append(a_full_disk)
    else:
        print("NOT TESTED: a full disk (only root may mount one)")
    tests.append(lambda centre, shop: susv_takes_what_the_mirror_puts(program, centre, shop))
    few = [fetches_verbatim_and_only_what_is_vouched_for, changes_of_a_known_version, withdrawal, odd_names_do_not_escape]
    for shell, tests in ((["sh"], tests), (["busybox", "sh"], few)):
        for test in tests:
            with tempfile.TemporaryDirectory(prefix="susv-mirror-") as name:
                (pathlib.Path(name) / "centre").mkdir()
                centre = Centre(pathlib.Path(name) / "centre")
                try:
                    test(centre, Shop(pathlib.Path(name) / "shop", centre, shell))
                finally:
                    centre.stop()
        print(f"mirror: {len(tests)} tests with {' '.join(shell)}")


if __name__ == "__main__":
    main()
