"""Documents and label files that keep arriving while `refract serve` is killed again and again."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random

from flows import Workspace
from flows.run import run
from tasks.core.workspace.errors import InputError
from tests.same import assert_same
from tests.serving import Served, nothing_left
from tests.world import documents, make_world, set_params, write_documents, write_labels

LONGEST = 6.0  # seconds it serves until its kill: some fall before, in and after each step
PAUSE = 1.5  # seconds between two changes, at most


@dataclass(frozen=True)
class Ordeal:
    """What a workspace went through: seconds between start and kill, and what a reader met."""

    lives: list[float]
    searches: int
    errors: list[Exception]


def survive(folder: Path, model: Path, kills: int, seed: int, server: str) -> Ordeal:
    """Kill serve `kills` times; AssertionError if it ends other than a run that was never killed.

    folder: for the workspaces; model: an encoder; server: URL of a Prefect API.
    """
    root = make_world(folder / "desk", str(model))
    run(root)
    reader = Reader(root, "mood")
    reader.start()
    lives = torment(root, folder / "log", kills, seed, server)
    last = Served(root, folder / "log", server).ready()
    try:
        last.wait_until(lambda: nothing_left(root), "rest after the kills")
        assert last.stop(signal.SIGTERM) == 0, last.said()
    finally:
        last.end()
        reader.end()
    run(root)  # documents that changed wait for the next cron, or for this
    calm = folder / "calm"
    for part in ("data/raw", "data/labels"):
        shutil.copytree(root / part, calm / part)
    for file in ("params.yaml", "dvc.yaml"):
        shutil.copy(root / file, calm / file)
    run(calm)
    assert_same(root, calm)
    return Ordeal(lives, reader.searches, reader.errors)


def torment(root: Path, log: Path, kills: int, seed: int, server: str) -> list[float]:
    """Start and SIGKILL serve `kills` times while its inputs change; return seconds lived."""
    random, lives = Random(seed), []
    set_params(root, serve={"settle": 0.1, "corpus": "* * * * *", "reconcile": 60})
    for n in range(kills):
        served = Served(root, log, server)
        early = n % 2 == 0  # most of these come before it serves
        if not early:
            served.ready()
        begun, life = time.monotonic(), random.uniform(0.2, LONGEST / 2 if early else LONGEST)
        while time.monotonic() - begun < life:
            change(root, random)
            time.sleep(min(random.uniform(0, PAUSE), max(0, begun + life - time.monotonic())))
        assert served.process.poll() is None, served.said()
        os.kill(served.process.pid, signal.SIGKILL)
        served.process.wait()
        lives.append(life)
    return lives


def change(root: Path, random: Random) -> None:
    """Write one label file or the documents anew, with a random part of the rows."""
    rows = documents()
    if random.random() < 0.3:
        write_documents(root, random.sample(rows, random.randint(60, 72)))
    else:
        aspect = random.choice(["topic", "mood"])
        write_labels(root, aspect, random.sample(rows, random.randint(50, 72)))


class Reader(threading.Thread):
    """Searches a view again and again, and keeps the errors that it met."""

    def __init__(self, root: Path, view: str) -> None:
        super().__init__(daemon=True)
        self.errors: list[Exception] = []
        self.searches = 0
        self._view = Workspace(root).view(view)  # before anybody writes the settings anew
        self._end = threading.Event()

    def run(self) -> None:
        while not self._end.wait(0.1):
            try:
                hits = self._view.hits("thank you so much", k=100)
            except (InputError, OSError, ValueError, RuntimeError) as error:
                self.errors.append(error)
            else:
                self.searches += 1
                if len({hit["id"] for hit in hits}) != len(hits):
                    self.errors.append(AssertionError("an id twice"))

    def end(self) -> None:
        self._end.set()
        self.join(60)
