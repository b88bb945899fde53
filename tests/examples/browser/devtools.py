"""A headless Chromium, driven through its DevTools protocol (chromedevtools.github.io/devtools-protocol)."""

from __future__ import annotations

import base64
import itertools
import json
import os
import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import websocket

from tests.conftest import ROOT

SCREENSHOTS = ROOT / ".ci" / "reports" / "screenshots"
PATIENCE = 60
"""Seconds after which a test gives up; nothing is measured with it."""
OPTIONS = [
    *("--headless=new", "--disable-gpu", "--no-first-run", "--hide-scrollbars", "--window-size=1500,1000"),
    *("--remote-debugging-port=0", "--remote-allow-origins=*"),
]
ENTER = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"}
SHIFT = 8


class Page:
    """One tab."""

    def __init__(self, port: int) -> None:
        new = urllib.request.Request(f"http://127.0.0.1:{port}/json/new?about:blank", method="PUT")
        with urllib.request.urlopen(new, timeout=PATIENCE) as answer:
            told = json.load(answer)
        self.socket = websocket.create_connection(told["webSocketDebuggerUrl"], timeout=PATIENCE)
        self.numbers = itertools.count(1)
        self.answers: dict[str, int] = {}
        """URL → the status that it was answered with last."""
        self.call("Page.enable")
        self.call("Network.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command of the protocol, and its result."""
        number = next(self.numbers)
        self.socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            told = json.loads(self.socket.recv())
            if told.get("method") == "Network.responseReceived":
                response = told["params"]["response"]
                self.answers[response["url"]] = response["status"]
            if told.get("id") == number:
                assert "error" not in told, f"{method}: {told['error']}"
                result: dict[str, Any] = told["result"]
                return result

    def go(self, url: str) -> None:
        self.call("Page.navigate", url=url)

    def value(self, script: str) -> Any:
        """What an expression of JavaScript is in this page; a promise is awaited."""
        told = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in told, f"{script}: {told['exceptionDetails']}"
        return told["result"].get("value")

    def until(self, script: str, enough: Callable[[Any], Any] = bool) -> Any:
        """Wait until an expression is as wanted; while the page is being loaded it may fail."""
        give_up, said = time.monotonic() + PATIENCE, None
        while time.monotonic() < give_up:
            try:
                if enough(said := self.value(script)):
                    return said
            except AssertionError as fault:
                said = fault
            time.sleep(0.2)
        self.screenshot(SCREENSHOTS / "in-vain.png")
        raise AssertionError(f"{script} in vain, at last {said!r}:\n{self.text()[-2000:]}")

    def text(self) -> str:
        """What can be read."""
        return str(self.value("document.body ? document.body.innerText : ''"))

    def click(self, selector: str, words: str = "") -> None:
        """Click with the mouse on what is seen of this, and holds these words."""
        all_of_them = f"[...document.querySelectorAll({json.dumps(selector)})]"
        one = f"{all_of_them}.find(e => e.offsetWidth && e.textContent.includes({json.dumps(words)}))"
        self.until(f"(e => e && (e.scrollIntoView({{block: 'nearest'}}), true))({one})")
        box = self.until(f"(b => [b.x + b.width / 2, b.y + b.height / 2])({one}.getBoundingClientRect())")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=1)

    def press_shift_enter(self) -> None:
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, modifiers=SHIFT, **ENTER)

    def screenshot(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))


@contextmanager
def chromium() -> Iterator[Callable[[], Page]]:
    """A browser that nobody has used yet; what it gives opens a tab."""
    program = shutil.which("chromium")
    assert program, "there is no chromium: on Debian, apt-get install chromium"
    with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as home:
        alone = ["--no-sandbox"] if os.geteuid() == 0 else []
        command = [program, *OPTIONS, *alone, f"--user-data-dir={home}", "about:blank"]
        with (Path(home) / "log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, "HOME": home})
        pages: list[Page] = []

        def new() -> Page:
            pages.append(Page(port))
            return pages[-1]

        try:
            port = _port(Path(home), process)
            yield new
        finally:
            for page in pages:
                page.socket.close()
            process.terminate()
            process.wait(PATIENCE)


def _port(home: Path, process: subprocess.Popen[bytes]) -> int:
    give_up = time.monotonic() + PATIENCE
    while time.monotonic() < give_up and process.poll() is None:
        told = home / "DevToolsActivePort"
        if told.exists() and (lines := told.read_text().splitlines()):
            return int(lines[0])
        time.sleep(0.1)
    raise AssertionError(f"chromium does not start:\n{(home / 'log').read_text(errors='replace')[-2000:]}")
