#!/usr/bin/env python3
"""Restarts and proxies under a steady load of checks: not one may be lost.

usage: tests/gateways.py SUSV       (needs haproxy, nginx, openssl)

Upgrade in place behind a socket that the service manager holds; the same without one, to measure the gap; two gateways behind
packaging/haproxy/haproxy.cfg, each stopped and restarted in turn; TLS by packaging/nginx/susv.conf.
"""
import atexit
import contextlib
import http.client
import json
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

PROJECT = pathlib.Path(__file__).resolve().parent.parent
BODY = json.dumps({"build_date": "19.12.1999"})


class Load:
    """Threads that check without a pause, with a new connection each time or keeping theirs."""

    def __init__(self, port, keep_alive, threads=4):
        self.port, self.keep_alive = port, keep_alive
        self.stopping, self.count, self.failures, self.urls = threading.Event(), 0, [], set()
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.run, daemon=True) for _ in range(threads)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join(30)

    def run(self):
        connection = None
        while not self.stopping.is_set():
            begun = time.monotonic()
            try:
                connection = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=15)
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
    assert "event=listening" in server.stdout.readline()
    # Its pipe is read, so that it never fills.
    threading.Thread(target=server.stdout.read, daemon=True).start()
    return server


def stop(server):
    server.send_signal(signal.SIGTERM)
    assert server.wait(40) == 0


def upgrade_behind_a_socket(program, parent):
    folder = make_folder(parent, "socket", "")
    installed = parent / "susv"
    shutil.copy(program, installed)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1024)
        server = start(installed, folder, stdin=listener)
        with Load(listener.getsockname()[1], keep_alive=False) as load:
            for _ in range(5):
                load.wait_for_more()
                # As a package manager does it: the new program takes the old one's name.
                shutil.copy(program, parent / "susv.new")
                (parent / "susv.new").rename(installed)
                stop(server)
                server = start(installed, folder, stdin=listener)
            load.wait_for_more()
        stop(server)
    assert not load.failures, load.failures[:5]
    print(f"upgrade behind a socket: {load.count} checks, 5 restarts, none lost")


def gap_without_a_socket(program, parent):
    port = free_port()
    folder = make_folder(parent, "plain", f"address = 127.0.0.1\nport = {port}\n")
    server = start(program, folder)
    gaps = []
    with Load(port, keep_alive=False, threads=1) as load:
        for _ in range(5):
            load.wait_for_more(50)
            known = len(load.failures)
            stop(server)
            server = start(program, folder)
            load.wait_for_more(50)
            lost = load.failures[known:]
            gaps.append(1000 * (lost[-1][1] - lost[0][0]) if lost else 0)
    stop(server)
    print("restart without a socket: callers are refused for " + ", ".join(f"{gap:.0f}" for gap in gaps) + " ms")


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
            yield
        finally:
            process.terminate()
            process.wait(20)


def two_gateways_behind_haproxy(program, parent):
    front, ports = free_port(), [free_port(), free_port()]
    settings = f"base_url = http://127.0.0.1:{front}\naddress = 127.0.0.1\nport = "
    folders = [make_folder(parent, f"gateway{port}", f"{settings}{port}\n") for port in ports]
    config = (PROJECT / "packaging/haproxy/haproxy.cfg").read_text()
    config = config.replace("bind :8888", f"bind 127.0.0.1:{front}")
    for number, port in enumerate(ports, 1):
        config = config.replace(f"192.168.1.1{number}:8888 check", f"127.0.0.1:{port} check")
    assert config.count("127.0.0.1:") == 3
    (parent / "haproxy.cfg").write_text(config)
    servers = [start(program, folder) for folder in folders]
    with program_running(["haproxy", "-db", "-f", parent / "haproxy.cfg"], front, parent / "haproxy.log"):
        for keep_alive in (False, True):
            with Load(front, keep_alive) as load:
                for _ in range(2):
                    for number in (0, 1):
                        load.wait_for_more()
                        stop(servers[number])
                        load.wait_for_more()
                        servers[number] = start(program, folders[number])
                        # Until HAProxy has seen it again: one of the two must be there before the other goes.
                        wait_until_used(folders[number], front, ports[number])
                load.wait_for_more()
            assert not load.failures, load.failures[:5]
            assert load.urls == {f"http://127.0.0.1:{front}/firmware/20000101/upd_app.bin"}, load.urls
            kind = "kept" if keep_alive else "new"
            print(f"haproxy, {kind} connections: {load.count} checks, 4 stops and restarts, none lost")
        connection = http.client.HTTPConnection("127.0.0.1", front, timeout=15)
        connection.request("GET", "/firmware/20000101/upd_app.bin")
        assert connection.getresponse().read() == (folders[0] / "firmware/20000101/upd_app.bin").read_bytes()
    for server in servers:
        stop(server)


def wait_until_used(folder, front, port):
    """Waits until a gateway gets checks through HAProxy: its own page counts them."""
    end = time.monotonic() + 20
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=15)
        connection.request("GET", "/status")
        if json.loads(connection.getresponse().read())["totals"]["checks"] > 0:
            return
        assert time.monotonic() < end, f"{folder.name} is not used again"
        time.sleep(0.02)


def tls_by_nginx(program, parent):
    port, front = free_port(), free_port()
    folder = make_folder(parent, "tls", f"address = 127.0.0.1\nport = {port}\nbase_url = https://updates.example.org\n")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=updates.example.org",
                    "-addext", "subjectAltName=DNS:updates.example.org", "-keyout", parent / "key.pem", "-out", parent / "cert.pem"], check=True, capture_output=True)
    site = (PROJECT / "packaging/nginx/susv.conf").read_text()
    for old, new in (("127.0.0.1:8888", f"127.0.0.1:{port}"), ("    listen [::]:443 ssl;\n", ""), ("listen 443 ssl", f"listen 127.0.0.1:{front} ssl"),
                     ("/etc/ssl/certs/updates.example.org.pem", str(parent / "cert.pem")), ("/etc/ssl/private/updates.example.org.key", str(parent / "key.pem"))):
        assert old in site, old
        site = site.replace(old, new)
    paths = "".join(f"{name}_temp_path {parent}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (parent / "nginx.conf").write_text(
        f"daemon off; pid {parent}/nginx.pid; error_log stderr; events {{}} http {{ access_log off; {paths} {site} }}")
    server = start(program, folder)
    with program_running(["nginx", "-p", parent, "-c", parent / "nginx.conf", "-e", "stderr"], front, parent / "nginx.log"):
        context = ssl.create_default_context(cafile=parent / "cert.pem")

        def ask(method, path, body=None):
            with context.wrap_socket(socket.create_connection(("127.0.0.1", front), 15), server_hostname="updates.example.org") as connection:
                text = body or ""
                head = f"{method} {path} HTTP/1.1\r\nHost: updates.example.org\r\nbuild_date: 19.12.1999\r\nConnection: close\r\nContent-Length: {len(text)}\r\n\r\n"
                connection.sendall((head + text).encode())
                answer = b""
                while piece := connection.recv(65536):
                    answer += piece
                head, _, body = answer.partition(b"\r\n\r\n")
                assert head.startswith(b"HTTP/1.1 200"), head
                return body

        for _ in range(50):
            url = json.loads(ask("POST", "/check_firmware", BODY))["url"]
            assert url == "https://updates.example.org/firmware/20000101/upd_app.bin", url
        path = re.sub(r"https://[^/]*", "", url)
        assert ask("GET", path) == (folder / "firmware/20000101/upd_app.bin").read_bytes()
    stop(server)
    print("nginx with TLS: 50 checks and a download")


def main():
    program = pathlib.Path(sys.argv[1]).resolve()
    for test in (upgrade_behind_a_socket, gap_without_a_socket, two_gateways_behind_haproxy, tls_by_nginx):
        with tempfile.TemporaryDirectory(prefix="susv-gateways-") as name:
            test(program, pathlib.Path(name))


if __name__ == "__main__":
    main()
