#!/usr/bin/env python3
"""Shows the status page to headless Chromium, and checks what people would see.

usage: tests/page.py SUSV [FOLDER]     SUSV: the program; screenshots go to FOLDER (default target/screenshots)

Needs Debian's chromium, chromium-driver and python3-selenium, cargo, and npm, which brings axe-core into target/axe. The scenes are
those of tests/operator/page.rs, so that tills can have been silent for days. In both languages, at the widths of a phone and a desktop, in
light and dark: the worst stands first and on the first screen, nothing overflows, nothing runs, axe-core finds nothing.
"""
import base64
import contextlib
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.request

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

ROOT = pathlib.Path(__file__).resolve().parent.parent
SIZES = {"phone": (360, 640), "desktop": (1280, 800)}
HOST = "gateway7"
# Headline and what else is shown.
EXPECTED = {
    "en": {
        "empty": ("In order; no till has asked yet", []),
        "three": ("In order", ["Offered 20260301", "1\nunder way", "2\nup to date"]),
        "silent": ("3 silent", ["192.168.1.61 2 d", "restart its POS program"]),
        "refused": ("20260501 is refused · 1 problem", ["newer 20260501 refused: IMAGE-MISSING", "the image is missing"]),
        "stuck": ("2 tills need hands", ["192.168.1.44", "look at its network link", "close the shift"]),
        "mislabelled": ("1 till needs hands", ["rename the folder to 20260227"]),
        "pilot": ("In order", ["Offered 20260501 to 2, 20260301 to 4"]),
        "nothing": ("Nothing can be offered · 1 problem", ["copy it, or move the folder away"]),
        "hostile": ("2 problems", ["<script>document.title='broken'<_script>\"'&\\u{202e}\\u{2066}end.slf"]),
        "many": ("2 tills need hands · 20260501 is refused · 3 silent · 1 problem", ["53\nunder way", "242\nup to date"]),
    },
    "ru": {
        "empty": ("Всё в порядке; кассы ещё не обращались", []),
        "three": ("Всё в порядке", ["Предлагается 20260301", "1\nв пути", "2\nв норме"]),
        "silent": ("3 молчат", ["192.168.1.61 2 дн", "перезапустите кассовую программу"]),
        "refused": ("20260501 не принята · 1 проблема", ["более новая 20260501 не принята: IMAGE-MISSING", "образа нет"]),
        "stuck": ("2 кассы требуют вмешательства", ["192.168.1.44", "проверьте её сетевое подключение", "закройте смену"]),
        "mislabelled": ("1 касса требует вмешательства", ["переименуйте папку в 20260227"]),
        "pilot": ("Всё в порядке", ["Предлагается 20260501 для 2, 20260301 для 4"]),
        "nothing": ("Предложить нечего · 1 проблема", ["скопируйте его или уберите папку"]),
        "hostile": ("2 проблемы", ["<script>document.title='broken'<_script>\"'&\\u{202e}\\u{2066}end.slf"]),
        "many": ("2 кассы требуют вмешательства · 20260501 не принята · 3 молчат · 1 проблема", ["53\nв пути"]),
    },
}
LABELS = {"en": ["Built: ", "Seen: ", "Offered: ", "Taken: ", "Last download: "], "ru": ["Сборка: ", "На связи: ", "Предложено: ", "Загружено: ", "Последняя загрузка: "]}


@contextlib.contextmanager
def scenes():
    """Serves the scenes; yields the port of each, and the requests so far."""
    command = ["cargo", "test", "--quiet", "--test", "operator", "serve_scenes", "--", "--ignored", "--nocapture"]
    if os.geteuid() == 0:
        # A machine's name of its own for the page: that of the test's machine says nothing.
        command = ["unshare", "--uts", "sh", "-c", f"echo {HOST} > /proc/sys/kernel/hostname && exec \"$@\"", "sh", *command]
    with tempfile.TemporaryFile("w+") as output:
        server = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=output, text=True)

        def lines(kind):
            output.seek(0)
            return [line.split()[1:] for line in output.read().splitlines() if line.startswith(kind)]

        try:
            while not lines("scenes end"):
                assert server.poll() is None, "no scenes"
                time.sleep(0.1)
            yield {name: int(port) for name, port in lines("scene ")}, lambda: lines("request ")
        finally:
            server.stdin.close()
            server.wait()


def find_axe():
    axe = ROOT / "target/axe/node_modules/axe-core/axe.min.js"
    if not axe.exists():
        (ROOT / "target/axe").mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", "axe-core"], cwd=ROOT / "target/axe", check=True)
    return axe.read_text(encoding="utf-8")


def address(number):
    return f"10.1.2.{number}:8888"


@contextlib.contextmanager
def browser(language, ports):
    options = Options()
    rules = ", ".join(f"MAP {address(number)} 127.0.0.1:{port}" for number, port in enumerate(ports.values(), 1))
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-proxy-server", "--hide-scrollbars", f"--accept-lang={language}", f"--host-resolver-rules={rules}"):
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
    .filter(e => e.tagName != 'INPUT' && getComputedStyle(e).display != 'inline')
    .filter(e => e.getBoundingClientRect().right > width + 1 || e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0)
    .map(e => e.tagName + ': ' + e.textContent.slice(0, 60)));
"""
BOTTOM = "return Math.max(...['h1', '.counts', 'form'].map(s => document.querySelector(s).getBoundingClientRect().bottom))"
PHONE_LABELS = "return [...document.querySelectorAll('.tills tbody td')].filter(e => e.textContent && e.offsetParent).map(e => getComputedStyle(e, '::before').content)"


def set_window(driver, device, scheme):
    width, height = SIZES[device]
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": device == "phone"})
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})


def take_screenshot(driver, path):
    size = driver.execute_script("return [document.documentElement.clientWidth, document.documentElement.scrollHeight]")
    clip = {"x": 0, "y": 0, "width": size[0], "height": size[1], "scale": 1}
    shot = driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png", "captureBeyondViewport": True, "clip": clip})
    path.write_bytes(base64.b64decode(shot["data"]))


def check_with_axe(driver, axe, what):
    driver.execute_script(axe)
    found = driver.execute_async_script("const done = arguments[0]; axe.run().then(r => done(r.violations.map(v => v.id + ': ' + v.nodes.map(n => n.html).slice(0, 3).join(' '))), e => done([String(e)]))")
    assert found == [], f"{what}: {found}"


def check_page(driver, what, texts):
    shown = driver.execute_script("return document.body.innerText")
    for text in texts:
        assert text in shown, f"{what}: {text!r} is missing in {shown}"
    assert "\u202e" not in shown and "\u2066" not in shown, what
    assert not driver.execute_script("return document.scripts.length"), what
    overflow = driver.execute_script(OVERFLOW)
    assert overflow == [0], f"{what}: overflow {overflow}"
    return shown


def look(driver, language, name, number, axe, folder):
    """Loads a scene's page at all widths and in both schemes, checks it, leaves screenshots."""
    headline, texts = EXPECTED[language][name]
    for device, (_, height) in SIZES.items():
        for scheme in ("light", "dark"):
            what = f"{name}-{language}-{device}-{scheme}"
            set_window(driver, device, scheme)
            driver.get(f"http://{address(number)}/")
            check_page(driver, what, texts)
            assert driver.find_element(By.TAG_NAME, "h1").text == headline, what
            state, where = headline.split(" · ")[0], address(number)
            assert driver.title.startswith(f"{state} · ") and driver.title.endswith(f" ({where})"), driver.title
            assert os.geteuid() or HOST in driver.title, driver.title
            bottom = driver.execute_script(BOTTOM)
            assert bottom <= height, f"{what}: the first screen ends at {height}, its contents at {bottom}"
            assert not driver.find_elements(By.CSS_SELECTOR, "details[open], meta[http-equiv]"), what
            total = driver.execute_script("return document.documentElement.scrollHeight")
            assert total < 2500, f"{what}: {total} px"
            take_screenshot(driver, folder / f"{what}.png")
            check_with_axe(driver, axe, what)
            # Unfolded it does not overflow either, and each value on a phone has its label.
            driver.execute_script("document.querySelectorAll('details').forEach(e => e.open = true)")
            check_page(driver, f"{what}, unfolded", [])
            labels = driver.execute_script(PHONE_LABELS)
            if device == "phone":
                unlabelled = {f'"{label}"' for label in LABELS[language]} | {"none", '""'}
                assert set(labels) <= unlabelled and (not labels or f'"{LABELS[language][0]}"' in labels), f"{what}: {set(labels)}"
            else:
                assert set(labels) <= {"none"}, what
            check_with_axe(driver, axe, f"{what}, unfolded")


def click_through(driver, selector):
    """Clicks what leads to a page with a filter, and waits for that."""
    driver.find_element(By.CSS_SELECTOR, selector).click()
    WebDriverWait(driver, 20).until(lambda driver: "?q=" in driver.current_url and driver.find_elements(By.TAG_NAME, "footer"))


def find(driver, language, number, axe, folder):
    """The form finds by address and state, on the page with 300 tills."""
    cases = {"en": [("192.168.1.44", 1), ("stuck", 2), ("under way", 53)], "ru": [("192.168.1.44", 1), ("застряла", 2), ("в пути", 53)]}
    for device in SIZES:
        set_window(driver, device, "light")
        for text, count in cases[language]:
            driver.get(f"http://{address(number)}/?refresh")
            assert len(driver.find_elements(By.CSS_SELECTOR, "meta[http-equiv=refresh]")) == 1
            field = driver.find_element(By.ID, "q")
            field.send_keys(text)
            click_through(driver, "button")
            what = f"found-{language}-{device}, {text}"
            assert len(driver.find_elements(By.CSS_SELECTOR, ".tills th[scope=row]")) == count, what
            assert not driver.find_elements(By.CSS_SELECTOR, "meta[http-equiv]"), what
            assert driver.find_element(By.ID, "q").get_attribute("value") == text, what
            check_page(driver, what, [f"{count} of 300" if language == "en" else f"{count} из 300"])
            check_with_axe(driver, axe, what)
        take_screenshot(driver, folder / f"found-{language}-{device}.png")
        # A number leads to its group.
        driver.get(f"http://{address(number)}/")
        click_through(driver, ".counts li:nth-child(2) a")
        assert len(driver.find_elements(By.CSS_SELECTOR, ".tills th[scope=row]")) == 3


def look_at_a_real_one(program, language, axe):
    """A page of the program itself: looking at it leaves no refusal in the log."""
    with tempfile.TemporaryDirectory(prefix="susv-page-") as name:
        folder = pathlib.Path(name)
        (folder / "config.ini").write_text("address = 127.0.0.1\nport = 0\ncurrent_firmware_version = latest\n", encoding="utf-8")
        with open(folder / "log", "w+", encoding="utf-8") as log:
            server = subprocess.Popen([program, "-c", folder / "config.ini"], stdout=log, stderr=log)
            try:
                read = lambda: (folder / "log").read_text(encoding="utf-8")
                while "event=listening" not in read():
                    time.sleep(0.05)
                line = next(line for line in read().splitlines() if "event=listening" in line)
                port = int(line.split("address=127.0.0.1:")[1].split()[0].split(",")[0])
                with browser(language, {}) as driver:
                    driver.get(f"http://127.0.0.1:{port}/")
                    assert driver.find_element(By.CSS_SELECTOR, "h1.bad")
                    check_with_axe(driver, axe, "the program's page")
                    click_through(driver, "button")
                urllib.request.urlopen(f"http://127.0.0.1:{port}/version").read()
                time.sleep(0.5)
                assert "favicon" not in read() and "event=refused" not in read(), read()
            finally:
                server.kill()
                server.wait()


def main():
    program = pathlib.Path(sys.argv[1]).resolve()
    folder = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else ROOT / "target/screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    axe = find_axe()
    with scenes() as (ports, requests):
        assert set(ports) == set(EXPECTED["en"]), ports
        for language in EXPECTED:
            with browser(language, ports) as driver:
                for number, name in enumerate(ports, 1):
                    look(driver, language, name, number, axe, folder)
                find(driver, language, list(ports).index("many") + 1, axe, folder)
        assert all(status == "200" and "favicon" not in path for status, _, path, _ in requests()), requests()
    look_at_a_real_one(program, "en", axe)
    print(f"{len(list(folder.glob('*.png')))} screenshots in {folder}")


main()
