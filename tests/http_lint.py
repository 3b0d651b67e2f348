#!/usr/bin/env python3
"""Asks a running susv for every kind of answer, and has each judged by httplint (https://pypi.org/project/httplint/).

usage: tests/http_lint.py SUSV     SUSV: the program

Needs httplint, which is named in REQUIREMENT below: python3 -m venv VENV && VENV/bin/pip install "$(tests/http_lint.py)",
then VENV/bin/python tests/http_lint.py SUSV. The one remark that stays is ACCEPTED.
"""
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

REQUIREMENT = "httplint==2026.10.4"
# JavaPOS and the proxies around us go by it, whatever RFC 9112 has to say about its age.
ACCEPTED = {"The Keep-Alive header is deprecated."}
# What httplint says of these statuses whatever the answer: each is what the request deserved.
OF_STATUS = {
    400: "The server didn't understand the request.",
    414: "The server won't accept a URI this long (",
    505: "The request HTTP version isn't supported.",
}

VERSION = "20260301"
IMAGE = f"/firmware/{VERSION}/upd_app.bin"
JSON = "Content-Type: application/json\r\n"


def message(method, target, fields="", body="", version="1.1", host="Host: test\r\n"):
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    return f"{method} {target} HTTP/{version}\r\n{host}{fields}{length}\r\n{body}"


def kinds(validators):
    """What is asked for, by status: (what, request)."""
    etag, modified = validators
    check = '{"build_date": "19.12.2017"}'
    yield 200, "check", message("POST", "/check_firmware", JSON, check)
    yield 200, "check in HTTP/1.0", message("POST", "/check_firmware", JSON, check, "1.0")
    yield 200, "check, closing", message("POST", "/check_firmware", JSON + "Connection: close\r\n", check)
    yield 200, "licence", message("POST", "/feature_licenses", JSON, '{"serial": "0000000000012345"}')
    for method in ("GET", "HEAD"):
        for target in ("/", "/status", "/version", IMAGE, "/firmware/notes.txt", "/firmware/empty.bin"):
            yield 200, f"{method} {target}", message(method, target)
        yield 200, f"page in Russian by {method}", message(method, "/", "Accept-Language: ru\r\n")
        for target in (IMAGE, "/firmware/notes.txt"):
            yield 304, f"{method} {target}, tag", message(method, target, f"If-None-Match: {etag[target]}\r\n")
            yield 304, f"{method} {target}, date", message(method, target, f"If-Modified-Since: {modified[target]}\r\n")
            yield 412, f"{method} {target}, other tag", message(method, target, 'If-Match: "other"\r\n')
        yield 404, f"{method} of an unknown path", message(method, "/nothing")
        yield 404, f"{method} of no file", message(method, "/firmware/nothing")
        yield 404, f"{method} behind a prefix", message(method, "/till" + IMAGE)
        yield 404, f"{method} with a doubled slash", message(method, "/" + IMAGE)
        yield 404, f"{method} percent-encoded", message(method, IMAGE.replace("f", "%66", 1))
        yield 403, f"{method} out of the folder", message(method, "/firmware/../config.ini")
        yield 403, f"{method} of a folder", message(method, "/firmware/" + VERSION)
        yield 400, f"{method} of a path that is no text", message(method, "/firmware/%ff")
        yield 405, f"{method} of a check", message(method, "/check_firmware")
        yield 400, f"{method} without Host", message(method, "/version", host="")
        yield 400, f"{method} of a file without Host", message(method, IMAGE, host="")
        yield 413, f"{method} with a large body", message(method, "/version", "Content-Length: 1000000\r\n")
        yield 414, f"{method} of a long target", message(method, "/" + "a" * 9000)
        yield 414, f"{method} of a long file name", message(method, IMAGE + "a" * 9000)
        yield 417, f"{method} with an expectation", message(method, "/version", "Expect: x\r\n")
        yield 431, f"{method} with a long head", message(method, IMAGE, f"X: {'a' * 20_000}\r\n")
        yield 501, f"{method} with a coding", message(method, "/version", "Transfer-Encoding: gzip, chunked\r\n")
        yield 505, f"{method} in HTTP/3.0", message(method, "/version", version="3.0")
    for target in (IMAGE, "/firmware/notes.txt"):
        yield 206, f"part of {target}", message("GET", target, "Range: bytes=1-5\r\n")
        yield 206, f"end of {target}", message("GET", target, f"Range: bytes=-5\r\nIf-Range: {etag[target]}\r\n")
        yield 200, f"two parts of {target}", message("GET", target, "Range: bytes=0-1,3-4\r\n")
        yield 416, f"part behind {target}", message("GET", target, "Range: bytes=1000000-\r\n")
    for target in ("*", "/", "/check_firmware", "/feature_licenses", "/version", IMAGE):
        yield 204, f"OPTIONS {target}", message("OPTIONS", target)
        yield 405 if target != "*" else 400, f"DELETE {target}", message("DELETE", target)
    yield 400, "empty check", message("POST", "/check_firmware", JSON)
    yield 400, "check without a date", message("POST", "/check_firmware", JSON, "[]")
    yield 400, "licence nobody has", message("POST", "/feature_licenses", JSON, '{"serial": "0000000000000001"}')
    yield 400, "noise", "\0\r\n"
    yield 501, "CONNECT", message("CONNECT", "test:443")
    yield 408, "GET that does not end", "GET /version HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\n"
    yield 408, "HEAD that does not end", f"HEAD {IMAGE} HTTP/1.1\r\n"


def start(program, folder):
    version = folder / "firmware" / VERSION
    version.mkdir(parents=True)
    for name in ("upd_app.bin", "upd_app_for_old_frs.bin"):
        # No two neighbouring bytes alike, as in an encrypted image.
        (version / name).write_bytes(bytes(range(256)) * 1920)
    (folder / "firmware" / "notes.txt").write_text("What is new?\n")
    (folder / "firmware" / "empty.bin").touch()
    (folder / "licenses").mkdir()
    (folder / "licenses" / "shop.slf").write_text("\t".join(["0000000000012345", "a" * 128, "b" * 128]) + "\n")
    (folder / "config.ini").write_text(f"address = 127.0.0.1\nport = 0\ncurrent_firmware_version = {VERSION}\n")
    server = subprocess.Popen([program, "-c", folder / "config.ini"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    for line in server.stdout:
        if "event=listening" in line:
            return server, int(line.split("address=")[1].split(",")[0].rsplit(":", 1)[1])
    raise SystemExit("the server does not start")


def exchange(port, request):
    """Everything that comes back, up to the end of the connection."""
    data = b""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(request.encode("latin-1"))
        wants_end = "does not end" not in request
        while True:
            head, separator, body = data.partition(b"\r\n\r\n")
            fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:]) if separator else {}
            if separator and (request.startswith("HEAD ") or len(body) >= int(fields.get(b"content-length", 0))) and wants_end:
                # All that was announced is there: whatever comes until the end is too much, and is judged too.
                connection.shutdown(socket.SHUT_WR)
                wants_end = False
            piece = connection.recv(65536)
            if not piece:
                return data
            data += piece


def lint(request, answer):
    """The summaries of httplint's complaints."""
    from httplint import HttpRequestLinter, HttpResponseLinter
    from httplint.note import levels

    def pairs(lines):
        return [tuple(part.strip() for part in line.split(b":", 1)) for line in lines]

    method, target = (request.split(" ", 2)[:2] + ["", ""])[:2] if request[0].isalpha() else ("GET", "/")
    asked = HttpRequestLinter()
    asked.process_request_topline(method.encode(), target.encode(), b"1.1")
    asked.process_headers(pairs(line for line in request.partition("\r\n\r\n")[0].encode("latin-1").split(b"\r\n")[1:] if line))
    asked.finish_content(True)

    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    version, status, phrase = lines[0].split(b" ", 2)
    response = HttpResponseLinter(start_time=time.time(), _related=asked)
    response.is_head_response = method == "HEAD"
    response.process_response_topline(version.removeprefix(b"HTTP/"), status, phrase)
    response.process_headers(pairs(lines[1:]))
    response.feed_content(body)
    response.finish_content(True)
    return {note.summary for note in response.notes if note.level in (levels.WARN, levels.BAD)}


def main():
    if len(sys.argv) != 2:
        print(REQUIREMENT)
        return 0
    failures, count, accepted = [], 0, set()
    with tempfile.TemporaryDirectory(prefix="susv-lint-") as name:
        server, port = start(sys.argv[1], pathlib.Path(name))
        try:
            etag, modified = {}, {}
            for target in (IMAGE, "/firmware/notes.txt"):
                head = exchange(port, message("HEAD", target)).decode()
                fields = dict(line.split(": ", 1) for line in head.strip().split("\r\n")[1:])
                etag[target], modified[target] = fields["ETag"], fields["Last-Modified"]
            for status, what, request in kinds((etag, modified)):
                answer = exchange(port, request)
                count += 1
                found = int(answer.split(b" ", 2)[1])
                if found != status:
                    failures.append(f"{what}: {found} instead of {status}")
                complaints = {text for text in lint(request, answer) if not text.startswith(OF_STATUS.get(status, "\0"))}
                accepted |= complaints & ACCEPTED
                failures += [f"{what} ({found}): {complaint}" for complaint in sorted(complaints - ACCEPTED)]
        finally:
            server.kill()
            server.wait()
    for failure in failures:
        print(failure)
    # Without it httplint has judged nothing.
    if accepted != ACCEPTED:
        failures.append(f"httplint did not say {ACCEPTED - accepted}")
        print(failures[-1])
    print(f"{count} answers, {len(failures)} complaints")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
