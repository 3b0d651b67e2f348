"""What tests/gateways.py and tests/proxies.py share: a steady load, gateways to start and stop, and the shipped proxy examples."""
import atexit
import contextlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import threading
import time

PROJECT = pathlib.Path(__file__).resolve().parent.parent
BODY = json.dumps({"build_date": "19.12.1999"})
IMAGE = "/firmware/20000101/upd_app.bin"


class Load:
    """Threads that check without a pause, each from an address of its own, with a new connection each time or keeping theirs."""

    def __init__(self, port, keep_alive, threads=4, tls=None):
        self.port, self.keep_alive, self.tls = port, keep_alive, tls
        self.stopping, self.count, self.failures, self.urls = threading.Event(), 0, [], set()
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.run, args=[f"127.0.0.{2 + number}"], daemon=True) for number in range(threads)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join(30)

    def connect(self, address):
        if self.tls:
            return http.client.HTTPSConnection("localhost", self.port, timeout=15, context=self.tls, source_address=(address, 0))
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=15, source_address=(address, 0))

    def run(self, address):
        connection = None
        while not self.stopping.is_set():
            begun = time.monotonic()
            try:
                connection = connection or self.connect(address)
                connection.request("POST", "/check_firmware", BODY)
                answer = connection.getresponse()
                text = answer.read()
                assert answer.status == 200, f"{answer.status} {text}"
                with self.lock:
                    self.count += 1
                    self.urls.add(json.loads(text)["url"])
                if not self.keep_alive or answer.will_close:
                    connection.close()
                    connection = None
            except Exception as error:  # whatever it is, the check was lost
                with self.lock:
                    self.failures.append((begun, time.monotonic(), repr(error)))
                connection = None

    def wait_for_more(self, more=200):
        """Waits until further checks were answered."""
        target, end = self.count + more, time.monotonic() + 30
        while self.count < target:
            assert time.monotonic() < end, f"no more checks are answered: {self.failures[-3:]}"
            time.sleep(0.002)


def make_folder(parent, name, settings):
    folder = parent / name
    folder.mkdir()
    shutil.copytree(PROJECT / "firmware", folder / "firmware")
    shutil.copytree(PROJECT / "licenses", folder / "licenses")
    text = f"current_firmware_version = 20000101\nlog_requests = no\n{settings}"
    (folder / "config.ini").write_text(text)
    return folder


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(program, folder, stdin=subprocess.DEVNULL):
    server = subprocess.Popen([program, "-c", folder / "config.ini"], stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    # Also where the test fails: killing one that has ended does nothing.
    atexit.register(server.kill)
    # It has told what it serves; before that callers wait.
    while "event=licenses" not in (line := server.stdout.readline()):
        assert line, "it ended"
    # Its pipe is read, so that it never fills.
    threading.Thread(target=server.stdout.read, daemon=True).start()
    return server


def stop(server):
    server.send_signal(signal.SIGTERM)
    assert server.wait(40) == 0


@contextlib.contextmanager
def program_running(arguments, port, log):
    with open(log, "wb") as output:
        process = subprocess.Popen(arguments, stdout=output, stderr=output)
        try:
            end = time.monotonic() + 20
            while True:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                assert time.monotonic() < end and process.poll() is None, pathlib.Path(log).read_text()
                time.sleep(0.02)
            yield process
        finally:
            process.terminate()
            process.wait(20)




def replace_each(text, replacements):
    """The text with each of these replaced; every one must be there, so that a changed example is noticed."""
    for old, new in replacements:
        assert old in text, old
        text = text.replace(old, new)
    return text


@contextlib.contextmanager
def haproxy_running(parent, ports, front, further=()):
    """packaging/haproxy/haproxy.cfg at the port `front`, before gateways at `ports`."""
    text = (PROJECT / "packaging/haproxy/haproxy.cfg").read_text()
    servers = [(f"192.168.1.1{number}:8888 {kind}", f"127.0.0.1:{port} {kind}") for number, port in enumerate(ports, 1) for kind in ("check", "track")]
    (parent / "haproxy.cfg").write_text(replace_each(text, [("bind :8888", f"bind 127.0.0.1:{front}"), *servers, *further]))
    with program_running(["haproxy", "-db", "-f", parent / "haproxy.cfg"], front, parent / "haproxy.log") as process:
        yield process


@contextlib.contextmanager
def nginx_running(parent, port, front, further=()):
    """packaging/nginx/susv.conf at the port `front`, before a gateway at `port`, with the certificate parent/cert.pem."""
    if not (parent / "cert.pem").exists():
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                        "-keyout", parent / "key.pem", "-out", parent / "cert.pem"], check=True, capture_output=True)
    site = replace_each((PROJECT / "packaging/nginx/susv.conf").read_text(), [
        ("127.0.0.1:8888", f"127.0.0.1:{port}"), ("    listen [::]:443 ssl;\n", ""), ("listen 443 ssl", f"listen 127.0.0.1:{front} ssl"),
        ("/etc/ssl/certs/updates.example.org.pem", str(parent / "cert.pem")), ("/etc/ssl/private/updates.example.org.key", str(parent / "key.pem")),
        ("/var/cache/nginx-susv", str(parent / "cache")), *further])
    paths = "".join(f"{name}_temp_path {parent}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    user = "user root;" if os.getuid() == 0 else ""
    (parent / "nginx.conf").write_text(
        f"{user} daemon off; pid {parent}/nginx.pid; error_log stderr; events {{}} http {{ access_log off; {paths} {site} }}")
    with program_running(["nginx", "-p", parent, "-c", parent / "nginx.conf", "-e", "stderr"], front, parent / "nginx.log") as process:
        yield process
