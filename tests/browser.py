"""A headless Chromium that opens pages and runs scripts in them, by its debugging protocol."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
in_browser = pytest.mark.skipif(BROWSER is None, reason="no Chromium or Chrome on this machine")
PATIENCE = 60.0  # seconds; a busy machine took 8 to open a page


class Browser:
    """A browser with a profile of its own in `folder`; use it as a context."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        command = [str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"]
        command += [f"--user-data-dir={folder}", "--remote-debugging-port=0", *arguments]
        self._process = subprocess.Popen(
            [*command, "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        note, last = folder / "DevToolsActivePort", time.monotonic() + PATIENCE
        while not (note.is_file() and "\n" in note.read_text()):
            assert self._process.poll() is None, "the browser ended"
            assert time.monotonic() < last, "the browser did not start"
            time.sleep(0.05)
        self._port = int(note.read_text().split("\n", 1)[0])

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(PATIENCE)

    def open(self, url: str, width: int | None = None) -> Page:
        """Open `url` in a page of its own, so many pixels wide, and wait until it is loaded."""
        listing = f"http://127.0.0.1:{self._port}/json/new?about:blank"
        with urllib.request.urlopen(urllib.request.Request(listing, method="PUT")) as reply:
            page = Page(json.load(reply)["webSocketDebuggerUrl"])
        if width:
            page.resize(width)
        page.go(url)
        return page


class Page:
    """One open page."""

    def __init__(self, address: str) -> None:
        self._socket: ClientConnection = connect(address, max_size=None, proxy=None)
        self._last = 0
        self._ask("Page.enable")

    def go(self, url: str) -> None:
        """Open `url` here."""
        self._ask("Page.navigate", url=url)
        self.until("document.readyState === 'complete' && location.href !== 'about:blank'")

    def resize(self, width: int) -> None:
        """Give the page a width in pixels: a window is never narrower than 500."""
        shape = {"width": width, "height": 2400, "deviceScaleFactor": 1, "mobile": False}
        self._ask("Emulation.setDeviceMetricsOverride", **shape)

    def run(self, script: str) -> Any:
        """Return the value of an expression; a promise is waited for."""
        told = self._ask(
            "Runtime.evaluate",
            expression=script,
            awaitPromise=True,
            returnByValue=True,
            userGesture=True,
        )
        assert "exceptionDetails" not in told, told["exceptionDetails"]
        return told["result"].get("value")

    def type(self, text: str) -> None:
        """Type into what has the focus."""
        self._ask("Input.insertText", text=text)

    def until(self, script: str) -> Any:
        """Wait until an expression is true, and return it; AssertionError with the page's text."""
        last = time.monotonic() + PATIENCE
        while not (value := self.run(script)):
            assert time.monotonic() < last, self.run("document.body.innerText")
            time.sleep(0.1)
        return value

    def frames(self) -> list[dict[str, Any]]:
        """Return the frames in it."""
        return list(self._ask("Page.getFrameTree")["frameTree"].get("childFrames", []))

    def _ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._last += 1
        self._socket.send(json.dumps({"id": self._last, "method": method, "params": parameters}))
        while True:
            told = json.loads(self._socket.recv(PATIENCE))
            if told.get("id") == self._last:
                assert "error" not in told, told["error"]
                return dict(told["result"])
