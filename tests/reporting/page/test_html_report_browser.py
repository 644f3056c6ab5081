"""The report in Chromium: no errors, no network requests, and the ROC plot and sliders work.

Debian: `apt-get install chromium chromium-driver`. The tests use the W3C WebDriver protocol: JSON over HTTP.
"""

import json
import shutil
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest

from mds_lightning import load_study
from mds_lightning.reporting.page.html_report import write_report
from mds_lightning.statistics.estimates import Settings

DRIVER, CHROMIUM = shutil.which("chromedriver"), shutil.which("chromium")
pytestmark = pytest.mark.skipif(
    DRIVER is None or CHROMIUM is None,
    reason="no chromium with its driver: apt-get install chromium chromium-driver",
)
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
KEYS = {"ArrowLeft": "\ue012", "ArrowRight": "\ue014", "Home": "\ue011", "End": "\ue010"}


class Browser:
    """A window of headless Chromium."""

    def __init__(self, profile: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.process = subprocess.Popen(
            [DRIVER, f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.base = f"http://127.0.0.1:{port}"
        options = {
            "binary": CHROMIUM,
            "args": [*FLAGS, f"--user-data-dir={profile}", "--window-size=1300,1000"],
            "perfLoggingPrefs": {"enableNetwork": True},
        }
        wanted = {
            "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }
        for _ in range(200):
            try:
                made = self._send("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
                break
            except (ConnectionError, urllib.error.URLError):
                time.sleep(0.05)
        else:
            raise AssertionError("chromedriver did not start")
        self.base += f"/session/{made['sessionId']}"

    def open(self, path: Path) -> None:
        self._send("POST", "/url", {"url": path.as_uri()})

    def run(self, script: str):
        return self._send("POST", "/execute/sync", {"script": script, "args": []})

    def log(self, kind: str):
        return self._send("POST", "/se/log", {"type": kind})

    def press(self, selector: str, *keys: str) -> None:
        found = self._send("POST", "/element", {"using": "css selector", "value": selector})
        text = "".join(KEYS[key] for key in keys)
        self._send("POST", f"/element/{found[ELEMENT]}/value", {"text": text})

    def point(self, x: float, y: float) -> None:
        action = {"type": "pointerMove", "duration": 0, "x": round(x), "y": round(y), "origin": "viewport"}
        pointer = {
            "type": "pointer",
            "id": "mouse",
            "parameters": {"pointerType": "mouse"},
            "actions": [action],
        }
        self._send("POST", "/actions", {"actions": [pointer]})

    def print(self) -> str:
        return self._send("POST", "/print", {})

    def close(self) -> None:
        self._send("DELETE", "")
        self.process.terminate()
        self.process.wait()

    def _send(self, method: str, path: str, body=None):
        request = urllib.request.Request(
            self.base + path,
            None if body is None else json.dumps(body).encode(),
            {"Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["value"]


@pytest.fixture(scope="module")
def browser(made_study, tmp_path_factory):
    """A browser with the report of a study."""
    folder = tmp_path_factory.mktemp("browser")
    report = folder / "report.html"
    write_report(load_study(made_study), Settings(n_resamples=100), report)
    assert report.stat().st_size < 15e6
    window = Browser(folder / "profile")
    try:
        window.open(report)
        yield window
    finally:
        window.close()


def test_the_page_logs_no_errors_and_makes_no_requests(browser):
    assert browser.log("browser") == []
    events = [json.loads(entry["message"])["message"] for entry in browser.log("performance")]
    # Chromium opens a page of its own before the report.
    asked = [
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
        and not event["params"]["documentURL"].startswith("chrome:")
    ]
    assert asked, "the report itself was requested"
    assert {url.split(":")[0] for url in asked} <= {"file", "data"}
    assert sum(url.startswith("file:") for url in asked) == 1


def test_all_images_and_drawings_are_visible(browser):
    sizes = browser.run("return [...document.images].map(i => [i.complete, i.naturalWidth])")
    assert len(sizes) >= 8
    assert all(complete and width > 0 for complete, width in sizes)
    drawings = browser.run(
        "return [...document.querySelectorAll('svg[role=img]')].filter(s => s.checkVisibility())"
        ".map(s => [s.getBoundingClientRect().height, s.querySelectorAll('path[d^=M]').length"
        " + s.querySelectorAll('circle').length])"
    )
    assert len(drawings) >= 7
    assert all(height > 20 and marks > 0 for height, marks in drawings)
    assert browser.run("return document.documentElement.scrollWidth <= window.innerWidth")


def test_the_slider_works_with_keyboard_and_pointer(browser):
    clip = "return getComputedStyle(document.querySelector('.overlay')).clipPath"
    before = browser.run(clip)
    browser.press(".compare input", "ArrowRight", "ArrowRight")
    after = browser.run(clip)
    assert before != after
    assert "52%" in after
    assert browser.run("return document.querySelector('.compare input').ariaValueText") != ""
    browser.run(
        "const s = document.querySelector('.stack'), b = s.getBoundingClientRect();"
        "s.dispatchEvent(new PointerEvent('pointerdown', {clientX: b.left + b.width / 4, buttons: 1}))"
    )
    assert "25%" in browser.run(clip)


def test_the_roc_plot_shows_threshold_and_counts_for_pointer_and_keys(browser):
    cells = "[...document.querySelectorAll('#roc-out [data-out]')]"
    read = f"return {cells}.map(c => [c.dataset.out, c.textContent])"
    browser.press("#roc-point", "Home")
    start = dict(browser.run(read))
    assert (start["tp"], start["fp"], start["sensitivity"]) == ("0", "0", "0.000")
    browser.press("#roc-point", "End")
    end = dict(browser.run(read))
    assert (end["fn"], end["tn"], end["sensitivity"]) == ("0", "0", "1.000")
    x, y, width, height = browser.run(
        "const s = document.querySelector('.family svg');"
        "s.scrollIntoView({behavior: 'instant', block: 'center'});"
        "const b = s.getBoundingClientRect(); return [b.left, b.top, b.width, b.height]"
    )
    browser.point(x + 0.15 * width, y + 0.3 * height)
    under = dict(browser.run(read))
    assert under["threshold"].startswith("probability")
    assert int(under["tp"]) > 0
    assert int(under["tn"]) > 0
    assert browser.run("return document.querySelectorAll('.family .active').length") == 1
    assert int(under["tp"]) + int(under["fn"]) in (8, 24)


def test_the_page_can_be_printed(browser):
    assert len(browser.print()) > 50_000
    assert browser.log("browser") == []
