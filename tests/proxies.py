"""What callers get through the shipped proxy examples when the gateway is dead, hangs or dies in the middle of a download.

Part of tests/gateways.py. No short file may look whole, no error page may come, and a check is answered 200.
"""
import contextlib
import hashlib
import http.server
import json
import os
import re
import select
import signal
import socket
import ssl
import struct
import subprocess
import threading
import time

from gateway_tools import BODY, IMAGE, free_port, haproxy_running, make_folder, nginx_running, start, stop

KEYS = ["update_available", "critical", "version", "description", "url", "url_old_frs"]
# More than the kernel takes at once from a gateway on the same machine.
LARGE = 6_300_000

# As the vendor's dfu_update.sh: curl without -f and -L; what it got is flashed, unless curl itself failed.
SHELL_CLIENT = r"""
answer=$(curl -s --cacert "$CERT" -d '{"build_date":"19.12.1999"}' "$FRONT/check_firmware")
case $answer in *'"update_available": true'*) ;; *) exit 0 ;; esac
sh -c "$BETWEEN"
url=$(printf %s "$answer" | sed 's/.*"url": "\([^"]*\)".*/\1/')
curl -s --cacert "$CERT" -o loaded "$url" || exit 0
if [ -e loaded ]; then mv loaded flashed; fi
"""


class Caller:
    """Asks a proxy at a port of this machine, byte by byte where it matters."""

    def __init__(self, port, tls=None):
        self.port, self.tls = port, tls

    @property
    def url(self):
        return f"{'https' if self.tls else 'http'}://localhost:{self.port}"

    def connect(self, receive_buffer=None, source="127.0.0.1"):
        raw = socket.socket()
        if receive_buffer:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        raw.settimeout(60)
        raw.bind((source, 0))
        raw.connect(("127.0.0.1", self.port))
        return self.tls.wrap_socket(raw, server_hostname="localhost") if self.tls else raw

    def ask(self, method, target, body="", fields="", **how):
        """Status (0: none), fields, body and whether the answer ended as one that is complete does."""
        with self.connect(**how) as connection:
            head = f"{method} {target} HTTP/1.1\r\nHost: localhost:{self.port}\r\n{fields}Connection: close\r\nContent-Length: {len(body)}\r\n\r\n"
            # Who refuses a large body may close before it is sent whole.
            with contextlib.suppress(OSError):
                connection.sendall((head + body).encode())
            return read_answer(connection)

    def check(self, **how):
        status, fields, body, _ = self.ask("POST", "/check_firmware", BODY, **how)
        assert status == 200 and "application/json" in fields["content-type"], (status, body)
        answer = json.loads(body)
        assert list(answer) == KEYS, answer
        return answer


def read_answer(connection):
    text, ended = b"", True
    try:
        while piece := connection.recv(65536):
            text += piece
    except OSError:
        ended = False
    head, _, body = text.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    return int(lines[0].split()[1]) if head else 0, fields, body, ended


class SlowLine(threading.Thread):
    """A slow line between proxy and gateway: passes on what comes, at `rate` bytes a second, and ends and resets too."""

    def __init__(self, target, rate):
        super().__init__(daemon=True)
        self.target, self.rate, self.passed = target, rate, 0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self):
        while True:
            proxy, _ = self.listener.accept()
            gateway = socket.socket()
            gateway.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
            try:
                gateway.connect(("127.0.0.1", self.target))
            except OSError:
                gateway = reset(proxy)
                continue
            for pair in ((proxy, gateway, False), (gateway, proxy, True)):
                threading.Thread(target=self.pass_on, args=pair, daemon=True).start()

    def pass_on(self, source, sink, is_answer):
        # A socket that was closed by the other direction's thread has no number any more.
        with contextlib.suppress(OSError, ValueError):
            try:
                while piece := receive(source):
                    sink.sendall(piece)
                    if is_answer:
                        self.passed += len(piece)
                        time.sleep(len(piece) / self.rate)
                sink.shutdown(socket.SHUT_WR)
            except ConnectionResetError:
                reset(sink)


def receive(connection):
    """As recv, but in short waits: one that blocks would keep a socket open that another thread resets."""
    while not select.select([connection], [], [], 0.05)[0]:
        pass
    return connection.recv(4096)


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def wait_for(condition, what):
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.005)


def make_large_image(folder):
    """Replaces the sample's images by large ones of random bytes."""
    version = folder / "firmware/20000101"
    for name in ("upd_app.bin", "upd_app_for_old_frs.bin"):
        (version / name).write_bytes(os.urandom(LARGE))
    sums = subprocess.run(["sha256sum", "upd_app.bin", "upd_app_for_old_frs.bin"], cwd=version, check=True, capture_output=True).stdout
    (version / "SHA256SUMS").write_bytes(sums)
    return version / "upd_app.bin"


def settings_for(port, base_url):
    return f"address = 127.0.0.1\nport = {port}\nbase_url = {base_url}\n"


def expect_no_body(caller, when, malformed=("GET / firmware HTTP/1.1\r\n\r\n", "GET /firmware/x HTTP/1.1\r\nHost : a\r\n\r\n")):
    """No request is answered with a body, and a check is told "no update"."""
    large = "x" * 100_000
    for method, target, body in (("GET", IMAGE, ""), ("GET", f"/{IMAGE}", ""), ("GET", f"/prefix{IMAGE}", ""), ("GET", "/%66irmware/20000101/upd_app.bin", ""),
                                 ("POST", IMAGE, "{}"), ("POST", IMAGE, large), ("GET", "/firmware/" + "x" * 40_000, ""), ("GET", "/status", ""), ("GET", "/version", ""),
                                 ("POST", "/feature_licenses", '{"serial": "0000000000012345"}')):
        status, _, body, _ = caller.ask(method, target, body)
        assert status != 200 and body == b"", f"{when}: {method} {target[:40]}: {status} {body[:300]}"
    for text in malformed:
        with caller.connect() as connection:
            connection.sendall(text.encode())
            status, _, body, _ = read_answer(connection)
            assert status != 200 and body == b"", f"{when}: {text!r}: {status} {body[:300]}"
    answer = caller.check()
    assert answer["update_available"] is False and answer["critical"] is False, answer


def run_shell_client(parent, caller, between=":"):
    """What the shell client flashed, or None."""
    flashed = parent / "flashed"
    flashed.unlink(missing_ok=True)
    settings = {"FRONT": caller.url, "BETWEEN": between, "CERT": str(parent / "cert.pem"), "PATH": os.environ["PATH"]}
    subprocess.run(["sh", "-c", SHELL_CLIENT], cwd=parent, env=settings, check=True, timeout=60)
    return flashed.read_bytes() if flashed.exists() else None


def hang(*servers):
    """Stops them and waits until that is so: signals take a moment."""
    for server in servers:
        server.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, server.pid, os.WSTOPPED)


def kill(*servers):
    for server in servers:
        server.kill()
        server.wait(20)


def dead_gateways_behind_haproxy(program, parent):
    front, ports = free_port(), [free_port(), free_port()]
    folders = [make_folder(parent, f"gateway{port}", settings_for(port, f"http://127.0.0.1:{port}")) for port in ports]
    image = (folders[0] / IMAGE[1:]).read_bytes()
    servers = [start(program, folder) for folder in folders]
    caller = Caller(front)
    with haproxy_running(parent, ports, front, [("timeout server 60s", "timeout server 1s")]):
        used = set()
        for number in range(2, 18):
            urls = {caller.check(source=f"127.0.0.{number}")["url"] for _ in range(4)}
            assert len(urls) == 1, f"a till is sent from one gateway to the other: {urls}"
            used |= urls
        assert used == {f"http://127.0.0.1:{port}{IMAGE}" for port in ports}, used
        for target in (IMAGE, f"/{IMAGE}", "/%66irmware/20000101/upd_app.bin", "/firmware%2f20000101/upd_app.bin"):
            status, _, body, _ = caller.ask("GET", target)
            assert (status, body) == (503, b""), f"an image came through HAProxy: {target}: {status}"
        assert run_shell_client(parent, caller) == image
        assert not run_shell_client(parent, caller, f"kill -9 {servers[0].pid} {servers[1].pid}")
        # At once, and when HAProxy knows it.
        caller.check()
        kill(*servers)
        expect_no_body(caller, "haproxy, both dead")
        assert not run_shell_client(parent, caller)
        servers = [start(program, folder) for folder in folders]
        wait_for(lambda: caller.check()["update_available"], "HAProxy does not use the gateways again")
        hang(*servers)
        expect_no_body(caller, "haproxy, both hang")
    kill(*servers)
    print("haproxy, gateways dead and hanging: checks answered 200, no body, nothing flashed")


def dead_gateway_behind_nginx(program, parent):
    port, front = free_port(), free_port()
    folder = make_folder(parent, "gateway", settings_for(port, f"https://localhost:{front}"))
    image = (folder / IMAGE[1:]).read_bytes()
    with nginx_running(parent, port, front, [("proxy_read_timeout 60s", "proxy_read_timeout 1s")]):
        caller = Caller(front, ssl.create_default_context(cafile=parent / "cert.pem"))
        server = start(program, folder)
        status, fields, body, _ = caller.ask("GET", IMAGE)
        assert (status, body, fields["content-length"]) == (200, image, str(len(image)))
        etag = fields["etag"]
        status, fields, body, _ = caller.ask("GET", IMAGE, fields=f"Range: bytes=1000-1999\r\nIf-Range: {etag}\r\n")
        assert (status, body, fields["content-range"]) == (206, image[1000:2000], f"bytes 1000-1999/{len(image)}")
        status, fields, body, _ = caller.ask("HEAD", IMAGE)
        assert (status, body, fields["content-length"]) == (200, b"", str(len(image)))
        status, _, body, _ = caller.ask("GET", "/firmware/20260301/upd_app.bin")
        assert (status, body) == (503, b""), status
        # susv's own refusals come through.
        status, _, body, _ = caller.ask("POST", "/check_firmware", "{")
        assert status == 400 and b"error" in body, (status, body)
        assert run_shell_client(parent, caller) == image
        assert not run_shell_client(parent, caller, f"kill -9 {server.pid}")
        kill(server)
        expect_no_body(caller, "nginx, dead")
        assert not run_shell_client(parent, caller)
        server = start(program, folder)
        assert caller.check()["update_available"]
        hang(server)
        expect_no_body(caller, "nginx, hangs")
        kill(server)
    print("nginx, gateway dead and hanging: checks answered 200, no body, nothing flashed")


def gateway_dies_in_a_download_through_nginx(program, parent):
    port, front = free_port(), free_port()
    folder = make_folder(parent, "gateway", settings_for(port, f"https://localhost:{front}"))
    image = make_large_image(folder).read_bytes()
    line = SlowLine(port, 20_000_000)
    with nginx_running(parent, line.port, front, [("send_timeout 15m", "send_timeout 2s")]) as nginx:
        caller = Caller(front, ssl.create_default_context(cafile=parent / "cert.pem"))
        server = start(program, folder)
        wait_for(lambda: caller.check()["update_available"], "no offer")
        for signals in ([signal.SIGKILL], [signal.SIGSTOP, signal.SIGKILL]):
            line.passed, line.rate, answers = 0, 2_000_000, []
            download = threading.Thread(target=lambda: answers.append(caller.ask("GET", IMAGE)))
            download.start()
            wait_for(lambda: line.passed > 500_000, "the download does not move")
            for number in signals:
                server.send_signal(number)
            server.wait(20)
            download.join(60)
            assert line.passed < LARGE, "all was loaded before the gateway died"
            status, _, body, _ = answers[0]
            assert status != 200 and body == b"", f"{status}, {len(body)} bytes after {signals}"
            server = start(program, folder)
            line.rate = 20_000_000
            wait_for(lambda: caller.check()["update_available"], "no offer")
        # What nginx has whole it delivers whole, without the gateway, and when it is told to quit.
        with caller.connect(receive_buffer=4096) as connection:
            connection.sendall(f"GET {IMAGE} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
            first = connection.recv(1000)
            kill(server)
            nginx.send_signal(signal.SIGQUIT)
            time.sleep(0.2)
            rest = b"".join(iter(lambda: connection.recv(65536), b""))
            body = (first + rest).partition(b"\r\n\r\n")[2]
            assert hashlib.sha256(body).digest() == hashlib.sha256(image).digest(), f"{len(body)} bytes"
    # A till that takes nothing for longer than send_timeout is reset.
    server = start(program, folder)
    plain = [(" ssl;", ";"), ("send_timeout 15m", "send_timeout 1s")]
    with nginx_running(parent, port, front, plain):
        caller = Caller(front)
        with caller.connect(receive_buffer=4096) as connection:
            connection.sendall(f"GET {IMAGE} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            connection.recv(1, socket.MSG_PEEK)
            time.sleep(3)
            _, _, body, ended = read_answer(connection)
            assert not ended, f"a normal end after {len(body)} bytes"
    stop(server)
    print("nginx, gateway killed in a download: an error; nginx told to quit: whole; a till that stalls: reset")


def killed_gateway_resets_its_downloads(program, parent):
    """What HAProxy's example rests on: base_url names the gateway, which itself sees to it that no cut download looks whole."""
    port = free_port()
    folder = make_folder(parent, "gateway", settings_for(port, f"http://127.0.0.1:{port}"))
    make_large_image(folder)
    for signals in ([signal.SIGKILL], [signal.SIGSTOP, signal.SIGKILL]):
        server = start(program, folder)
        caller = Caller(port)
        wait_for(lambda: caller.check()["update_available"], "no offer")
        with caller.connect(receive_buffer=4096) as connection:
            connection.sendall(f"GET {IMAGE} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            connection.recv(1, socket.MSG_PEEK)
            for number in signals:
                server.send_signal(number)
            server.wait(20)
            _, _, body, ended = read_answer(connection)
            assert not ended, f"a normal end after {len(body)} bytes"
    print("gateway killed in a download from itself: reset")


class RecordFields(http.server.BaseHTTPRequestHandler):
    """In a gateway's place: keeps the fields that arrive."""
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen = self.headers
        self.do_GET()

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        # HAProxy's check of the gateway does not wait for the body.
        with contextlib.suppress(OSError):
            self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


def fields_reach_the_gateway(_, parent):
    """By X-Forwarded-For (the last address) and build_date susv knows the till and the driver."""
    recorder = http.server.ThreadingHTTPServer(("127.0.0.1", 0), RecordFields)
    threading.Thread(target=recorder.serve_forever, daemon=True).start()
    front, port = free_port(), recorder.server_address[1]
    for proxy, running in (("haproxy", lambda: haproxy_running(parent, [port, port], front)), ("nginx", lambda: nginx_running(parent, port, front))):
        with running():
            caller = Caller(front, ssl.create_default_context(cafile=parent / "cert.pem") if proxy == "nginx" else None)
            for forged in ("", "X-Forwarded-For: 10.9.9.9\r\n"):
                recorder.seen = None
                caller.ask("POST", "/check_firmware", BODY, f"build_date: 19.12.1999\r\nUser-Agent: Java/17.0.15\r\n{forged}", source="127.0.0.77")
                addresses = re.split(r",\s*", ", ".join(recorder.seen.get_all("X-Forwarded-For")))
                assert addresses[-1] == "127.0.0.77", (proxy, addresses)
                assert (recorder.seen["build_date"], recorder.seen["User-Agent"]) == ("19.12.1999", "Java/17.0.15"), (proxy, recorder.seen)
                assert recorder.seen["Host"].startswith("localhost"), (proxy, recorder.seen)
    recorder.shutdown()
    print("haproxy and nginx: X-Forwarded-For and build_date reach the gateway")


TESTS = (dead_gateways_behind_haproxy, dead_gateway_behind_nginx, gateway_dies_in_a_download_through_nginx, fields_reach_the_gateway,
         killed_gateway_resets_its_downloads)
