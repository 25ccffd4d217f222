"""A real `refract serve` in a process of its own, and what to wait for."""

from __future__ import annotations

import base64
import json
import os
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from flows.state import staleness
from tasks.core.settings.params import load_params
from tasks.core.workspace.files import read_json
from tasks.core.workspace.paths import Paths
from tests.children import SECRET, Child, refract
from tests.programs import Program

LOCKED = 120.0  # seconds; a server on SQLite may wait 60 for a lock
NEEDED_BY_SERVE = ("SCHEDULER", "LATE_RUNS", "FOREMAN", "PAUSE_EXPIRATIONS", "TRIGGERS")
"""Services of a Prefect server that the tests' own does without."""
PATIENCE = 300.0  # seconds; on two busy cores Python and Prefect alone took 30 to start


def environment(**more: str) -> dict[str, str]:
    """Return this process's environment without its own Prefect."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")}
    return clean | {"PREFECT_LOGGING_LEVEL": "CRITICAL"} | more


def with_server(**more: str) -> dict[str, str]:
    """Return the environment of a command that uses the tests' Prefect server."""
    from prefect.settings import PREFECT_API_URL

    at = {"PREFECT_API_URL": PREFECT_API_URL.value() or "", SECRET: os.environ[SECRET]}
    return environment(**at) | more


def basic(secret: str) -> str:
    """Return the header by which Prefect is told its secret."""
    return "Basic " + base64.b64encode(secret.encode()).decode()


class Served(Program):
    """`refract serve` on `root`; its output goes to the file `log`.

    server: URL of the Prefect API that it uses; None: it starts one of its own.
    """

    def __init__(self, root: Path, log: Path, server: str | None = None) -> None:
        super().__init__(root, log)
        if server is None:
            self.begin(environment(), "serve")
        else:
            self.process = Child(server, root, log, refract, "serve")

    def wait_until(self, met: Callable[[], Any], what: str) -> None:
        """Wait until `met()`; AssertionError with the log if serve ends or it takes too long."""
        last = time.monotonic() + PATIENCE
        while True:
            begun = time.monotonic()
            if met():
                return
            took = time.monotonic() - begun
            assert self.process.poll() is None, f"serve ended before {what}:\n{self.said()}"
            assert time.monotonic() < last, f"no {what} within {PATIENCE:.0f} s:\n{self.said()}"
            time.sleep(max(0.1, 3 * took))  # to look must not keep from work what is waited for

    def ready(self) -> Served:
        self.wait_until(lambda: "serving" in self.said(), "announcement")
        return self

    def forks(self) -> list[psutil.Process]:
        """Return the flow runs at work: what the fork server that it started has forked."""
        started = psutil.Process(self.process.pid).children()
        servers = [each for each in started if "forkserver" in " ".join(each.cmdline())]
        return [fork for server in servers for fork in server.children()]

    def note(self) -> dict[str, str]:
        """Return where its own Prefect server answers, and the secret."""
        return read_json(Paths(self.root).server_note) or {}

    def api(self, path: str, question: dict[str, Any]) -> Any:
        """Ask its own Prefect server."""
        note = self.note()
        request = urllib.request.Request(  # noqa: S310  # our own, on loopback
            f"{note['url']}/{path}",
            json.dumps(question).encode(),
            {"Content-Type": "application/json", "Authorization": basic(note["secret"])},
        )
        with urllib.request.urlopen(request, timeout=LOCKED) as reply:  # noqa: S310
            return json.load(reply)


def up_to_date(root: Path) -> bool:
    """Tell whether nothing is left to make or to record."""
    paths = Paths(root)
    return nothing_left(root) and not staleness.corpus_is_stale(paths, load_params(paths.params))


def nothing_left(root: Path) -> bool:
    """Tell the same, but for documents that no run has taken in yet."""
    paths = Paths(root)
    if not (paths.stamp("ingest").is_file() and paths.stamp("embed").is_file()):
        return False
    return not staleness.anything_left(paths, load_params(paths.params))


def fitted_from(root: Path, name: str) -> str | None:
    """Return the hash of the label file that the live view of `name` was made from."""
    paths = Paths(root)
    card = read_json(paths.transform(name) / "transform.json") or {}
    view = read_json(paths.view_stamp(name)) or {}
    if not card or view.get("transform") != card.get("fingerprint"):
        return None
    return str(card["made_from"]["labels"])
