#!/usr/bin/env python3
"""Shows the status page of a running susv to headless Chromium, and checks what people would see.

usage: tests/page.py SUSV [FOLDER]     SUSV: the program; screenshots go to FOLDER (default target/screenshots)

Needs Debian's chromium, chromium-driver and python3-selenium. In both languages, at the widths of a phone and a desktop, in
light and dark: the texts are there, nothing overflows, nothing runs.
"""
import base64
import contextlib
import json
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

WIDTHS = {"phone": 360, "desktop": 1280}
HOSTILE = "<script>document.title='broken'</script>\"'&\u202e\u2066end"
TEXTS = {
    "en": ["Offered: 20260301", "Registrars: 12", "critical: 2, update offered: 6, up to date: 4", "20260301 complete", "20260301 cut at "],
    "ru": ["Предлагается 20260301", "Кассы: 12", "критично: 2, предложено: 6, актуальны: 4", "20260301 полностью", "20260301 обрыв на "],
}
NO_OFFER = {"en": "Nothing is offered: ", "ru": "Ничего не предлагается: "}


@contextlib.contextmanager
def running(program, config, prepare):
    """A server on a free port in a folder of its own; yields the folder and the port."""
    with tempfile.TemporaryDirectory(prefix="susv-page-") as name:
        folder = pathlib.Path(name)
        prepare(folder)
        (folder / "config.ini").write_text(f"address = 127.0.0.1\nport = 0\n{config}", encoding="utf-8")
        server = subprocess.Popen([program, "-c", folder / "config.ini"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            line = server.stdout.readline()
            yield folder, int(line.rsplit(":", 1)[1])
        finally:
            server.kill()
            server.wait()


def publish(folder, names=("upd_app.bin", "upd_app_for_old_frs.bin"), size=3_000_000):
    version = folder / "firmware" / "20260301"
    version.mkdir(parents=True)
    for name in names:
        (version / name).write_bytes(bytes(size))
    (folder / "licenses").mkdir()
    line = "\t".join(["0000000000012345", "a" * 128, "b" * 128])
    (folder / "licenses" / "shop.slf").write_text(line + "\n")


def ask(port, number, request):
    """Sends a request from the address 127.0.1.NUMBER."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=20, source_address=(f"127.0.1.{number}", 0))
    connection.sendall(request.encode())
    return connection


def check(port, number, build_date):
    body = json.dumps({"build_date": build_date})
    head = f"POST /check_firmware HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    with ask(port, number, head + body) as connection:
        answer = read_all(connection)
        assert answer.startswith(b"HTTP/1.1 200") or build_date == HOSTILE, answer


def read_all(connection, limit=None):
    data = b""
    while limit is None or len(data) < limit:
        piece = connection.recv(65536)
        if not piece:
            break
        data += piece
    return data


def populate(port):
    for number in range(12):
        # 10, 11: critical; 4 to 9: an update is offered; 0 to 3: up to date.
        build_date = "19.12.2017" if number >= 10 else "15.05.2024" if number >= 4 else "02.03.2026"
        check(port, 11 + number, build_date)
    image = "GET /firmware/20260301/upd_app.bin HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"
    for number in (12, 13, 16):
        with ask(port, number, image) as connection:
            read_all(connection)
    with ask(port, 17, image) as connection:
        read_all(connection, 200_000)
    check(port, 40, HOSTILE)
    end = time.monotonic() + 20
    while not all(text in status(port) for text in ('"downloads_complete": 3', '"downloads_cut": 1')):
        assert time.monotonic() < end, status(port)
        time.sleep(0.05)


def status(port):
    with ask(port, 1, "GET /status HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n") as connection:
        return read_all(connection).decode()


@contextlib.contextmanager
def browser(language):
    options = Options()
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", f"--accept-lang={language}"):
        options.add_argument(argument)
    options.binary_location = "/usr/bin/chromium"
    driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
    try:
        yield driver
    finally:
        driver.quit()


# What reaches beyond the window, or beyond its own box.
OVERFLOW = """
const width = document.documentElement.clientWidth;
return [document.documentElement.scrollWidth - width].concat([...document.body.querySelectorAll('*')]
    .filter(e => e.getBoundingClientRect().right > width + 1 || e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0)
    .map(e => e.tagName + ': ' + e.textContent.slice(0, 60)));
"""


def look(driver, port, name, texts, folder):
    """Loads the page at all widths and in both schemes, checks it, leaves screenshots."""
    for device, width in WIDTHS.items():
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": device == "phone"})
        colors = []
        for scheme in ("light", "dark"):
            driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
            driver.get(f"http://127.0.0.1:{port}/")
            shown = driver.execute_script("return document.body.innerText")
            for text in texts:
                assert text in shown, f"{name}, {device}: {text!r} is missing in {shown}"
            overflow = driver.execute_script(OVERFLOW)
            assert overflow == [0], f"{name}, {device}: overflow {overflow}"
            assert driver.title == "susv" and not driver.execute_script("return document.scripts.length"), name
            assert "\u202e" not in shown and "\u2066" not in shown, name
            colors.append(driver.execute_script("const s = getComputedStyle(document.querySelector('h1')); return s.color + getComputedStyle(document.documentElement).colorScheme"))
            height = driver.execute_script("return document.documentElement.scrollHeight")
            shot = driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png", "captureBeyondViewport": True, "clip": {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}})
            (folder / f"{name}-{device}-{scheme}.png").write_bytes(base64.b64decode(shot["data"]))
        assert colors[0] != colors[1], f"light and dark look alike: {colors}"


def main():
    program = pathlib.Path(sys.argv[1]).resolve()
    folder = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else "target/screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    settings = "current_firmware_version = 20260301\ncritical_version = 20180101\n"

    def prepare_hostile(root):
        publish(root, names=("upd_app.bin",))
        name = HOSTILE.replace("/", "_")
        (root / "licenses" / f"{name}.slf").write_text("no licence\n")
        (root / "licenses" / f"{'long-name-without-a-space' * 8}.slf").write_text("no licence\n")

    for language, texts in TEXTS.items():
        with browser(language) as driver:
            described = settings + "current_firmware_description = Spring update / Весеннее обновление\n"
            with running(program, described, publish) as (_, port):
                populate(port)
                look(driver, port, f"page-{language}", texts, folder)
            with running(program, settings, prepare_hostile) as (_, port):
                check(port, 11, "19.12.2017")
                hostile = ["<script>document.title='broken'<_script>\"'&\\u{202e}\\u{2066}end.slf", NO_OFFER[language]]
                look(driver, port, f"problems-{language}", hostile, folder)
    print(f"{len(list(folder.glob('*.png')))} screenshots in {folder}")


main()
