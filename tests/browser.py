"""A headless Chromium that opens pages and runs scripts in them, by its debugging protocol."""

from __future__ import annotations

import base64
import json
import shutil
import signal
import subprocess
import time
import urllib.request
from collections.abc import Sequence
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

    def open(self, url: str, width: int | None = None, height: int = 2400) -> Page:
        """Open `url` in a page of its own, so many pixels wide, and wait until it is loaded."""
        listing = f"http://127.0.0.1:{self._port}/json/new?about:blank"
        with urllib.request.urlopen(urllib.request.Request(listing, method="PUT")) as reply:
            page = Page(json.load(reply)["webSocketDebuggerUrl"])
        if width:
            page.resize(width, height)
        page.go(url)
        return page


class Page:
    """One open page. asked: the addresses that it asked for; faults: what its console has."""

    def __init__(self, address: str) -> None:
        self._socket: ClientConnection = connect(address, max_size=None, proxy=None)
        self._last = 0
        self.asked: list[str] = []
        self.faults: list[str] = []
        for domain in ("Page", "Network", "Runtime", "Log"):
            self._ask(f"{domain}.enable")

    def go(self, url: str) -> None:
        """Open `url` here."""
        self._ask("Page.navigate", url=url)
        self.until("document.readyState === 'complete' && location.href !== 'about:blank'")

    def resize(self, width: int, height: int = 2400) -> None:
        """Give the page a width in pixels: a window is never narrower than 500."""
        shape = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._ask("Emulation.setDeviceMetricsOverride", **shape)

    def prefer(self, feature: str, value: str) -> None:
        """Have the reader prefer something: `prefers-color-scheme`, `dark`."""
        self._ask("Emulation.setEmulatedMedia", features=[{"name": feature, "value": value}])

    def press(self, *keys: str) -> None:
        """Press keys one after the other, as they are named: `a`, `Enter`, `ArrowDown`, `Tab`."""
        for key in keys:
            named = {"Enter": ("\r", 13), "Tab": ("", 9), "Escape": ("", 27), " ": (" ", 32)}
            text, number = named.get(key, (key if len(key) == 1 else "", 0))
            code = f"Digit{key}" if key.isdigit() else ""
            down = {"key": key, "code": code, "windowsVirtualKeyCode": number}
            kind = "keyDown" if text else "rawKeyDown"
            self._ask(
                "Input.dispatchKeyEvent", type=kind, **down, **({"text": text} if text else {})
            )
            self._ask("Input.dispatchKeyEvent", type="keyUp", **down)

    def click(self, selector: str) -> None:
        """Click in the middle of an element, which is scrolled into sight."""
        self.drag([self._middle(selector)])

    def point(self, x: float, y: float) -> None:
        """Move the pointer to a pixel."""
        self._mouse("mouseMoved", (x, y), buttons=0)

    def drag(self, way: Sequence[tuple[float, float]], *, shift: bool = False) -> None:
        """Press at the first pixel of `way`, move along it, and let go at the last."""
        held = 8 if shift else 0
        self._mouse("mouseMoved", way[0], buttons=0, modifiers=held)
        self._mouse("mousePressed", way[0], modifiers=held)
        for place in way[1:]:
            self._mouse("mouseMoved", place, modifiers=held)
        self._mouse("mouseReleased", way[-1], modifiers=held)

    def be_a_phone(self) -> None:
        """Be 390 pixels wide, with a screen that is touched; the page is loaded anew."""
        shape = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
        self._ask("Emulation.setDeviceMetricsOverride", **shape)
        self._ask("Emulation.setTouchEmulationEnabled", enabled=True, maxTouchPoints=2)
        self.go(self.run("location.href"))

    def touch(self, *ways: Sequence[tuple[float, float]]) -> None:
        """Put a finger on the first pixel of each way, move all of them along, and lift them."""
        kind = "touchStart"
        for places in zip(*ways, strict=True):
            fingers = [{"x": x, "y": y, "id": n} for n, (x, y) in enumerate(places)]
            self._ask("Input.dispatchTouchEvent", type=kind, touchPoints=fingers)
            kind = "touchMove"
        self._ask("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    def tap(self, selector: str) -> None:
        """Tap in the middle of an element, which is scrolled into sight."""
        self.touch([self._middle(selector)])

    def picture(self) -> bytes:
        """Return what is in sight, as a PNG."""
        return base64.b64decode(self._ask("Page.captureScreenshot", format="png")["data"])

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

    def until(self, script: str, patience: float = PATIENCE) -> Any:
        """Wait until an expression is true, and return it; AssertionError with the page's text."""
        last = time.monotonic() + patience
        while not (value := self._unless_it_leaves(script)):
            assert time.monotonic() < last, self.run("document.body.innerText")
            time.sleep(0.1)
        return value

    def _unless_it_leaves(self, script: str) -> Any:
        """Return the value of an expression; None while the page is being loaded anew."""
        try:
            return self.run(script)
        except AssertionError as fault:
            if "navigated or closed" not in str(fault):
                raise
            return None

    def frames(self) -> list[dict[str, Any]]:
        """Return the frames in it."""
        return list(self._ask("Page.getFrameTree")["frameTree"].get("childFrames", []))

    def _middle(self, selector: str) -> tuple[float, float]:
        found = self.run(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)});"
            " e.scrollIntoView({ block: 'nearest' }); const b = e.getBoundingClientRect();"
            " return [b.x + b.width / 2, b.y + b.height / 2]; })()"
        )
        return found[0], found[1]

    def _mouse(self, kind: str, place: tuple[float, float], **more: Any) -> None:
        button = {"button": "left", "buttons": 1, "clickCount": 1} | more
        self._ask("Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], **button)

    def _ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._last += 1
        self._socket.send(json.dumps({"id": self._last, "method": method, "params": parameters}))
        while True:
            told = json.loads(self._socket.recv(PATIENCE))
            if told.get("id") == self._last:
                assert "error" not in told, told["error"]
                return dict(told["result"])
            self._heard(told.get("method"), told.get("params", {}))

    def _heard(self, event: str | None, about: dict[str, Any]) -> None:
        if event == "Network.requestWillBeSent":
            self.asked.append(about["request"]["url"])
        elif event == "Runtime.exceptionThrown":
            self.faults.append(str(about["exceptionDetails"]))
        elif event == "Log.entryAdded" and about["entry"]["level"] == "error":
            self.faults.append(str(about["entry"]))
        elif event == "Runtime.consoleAPICalled" and about["type"] in ("error", "assert"):
            self.faults.append(str(about["args"]))
