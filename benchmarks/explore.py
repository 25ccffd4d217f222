"""Searches of a running service: how long they take with several clients, and during a refit.

    python -m benchmarks.explore [--rows 50000] [--folder FOLDER] [--json FILE]

Synthetic texts with two views, a static encoder of 384 dimensions, the real command line. Clients
are threads of this process, each with a connection of its own. During the refit every answer is
held against those of the old and the new version when nobody writes: it has to be one of them.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import polars as pl
import psutil

from benchmarks import synthetic
from benchmarks.machine import one_line
from benchmarks.measure import say
from flows.init import make_workspace
from tests.exploring import Explored
from tests.world import set_params

CLIENTS = (1, 8, 32)
QUESTIONS = 300  # of all clients together
VIEW = "topic"
QUERIES = 40  # different texts
AT_REFIT = 8  # clients


@dataclass
class Asked:
    """What clients have got: seconds of each answer, and the answers by their text."""

    seconds: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    answers: Counter[tuple[str, str]] = field(default_factory=Counter)  # query, and the answer


class Client(threading.Thread):
    """Asks one question after another, until `questions` are used up or `stop` is set."""

    def __init__(self, served: Explored, asked: Asked, turns: Any, stop: threading.Event) -> None:
        super().__init__()
        self._served, self._asked, self._turns, self._stopped = served, asked, turns, stop

    def run(self) -> None:
        connection = http.client.HTTPConnection(self._served.host, timeout=120)
        headers = {"Authorization": f"Bearer {self._served.token}"}
        for text in self._turns:
            if self._stopped.is_set():
                break
            begun = time.perf_counter()
            try:
                connection.request("GET", f"/views/{VIEW}/search?q={quote(text)}", headers=headers)
                reply = connection.getresponse()
                body = reply.read()
            except (OSError, http.client.HTTPException) as error:
                self._asked.failures.append(repr(error))
                connection.close()
                continue
            self._asked.seconds.append(time.perf_counter() - begun)
            if reply.status != 200:
                self._asked.failures.append(f"{reply.status} {body[:200]!r}")
            self._asked.answers[text, body.decode()] += 1
        connection.close()


class Turns:
    """Queries in turns, `many` in all, or without an end; threads share it."""

    def __init__(self, texts: list[str], many: int | None) -> None:
        self._texts, self._many, self._at, self._lock = texts, many, 0, threading.Lock()

    def __iter__(self) -> Turns:
        return self

    def __next__(self) -> str:
        with self._lock:
            if self._at == self._many:
                raise StopIteration
            self._at += 1
            return self._texts[self._at % len(self._texts)]


def world(folder: Path, rows: int) -> Path:
    """Make a workspace of `rows` texts with two views by the command line."""
    root = folder / "world"
    if (root / "data" / "views" / f"{VIEW}.json").exists():
        return root
    make_workspace(root, git=False)
    set_params(root, embed={"model": str(synthetic.write_model(folder / "model"))})
    synthetic.write_raw(root, rows)
    synthetic.write_labels(root, 2)
    refract(root, "run")
    return root


def refract(root: Path, *words: str) -> None:
    command = [sys.executable, "-m", "flows", *words]
    environment = os.environ | {"REFRACT_LINGER": "0", "PREFECT_LOGGING_LEVEL": "CRITICAL"}
    done = subprocess.run(
        command, cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"refract {words[0]}: {done.stderr[-2_000:]}")


def measured(served: Explored, texts: list[str], clients: int) -> dict[str, object]:
    """Return percentiles in milliseconds, answers a second, and processor time of the service."""
    process, asked = psutil.Process(served.process.pid), Asked()
    stop, turns = threading.Event(), Turns(texts, QUESTIONS)
    before, begun = sum(process.cpu_times()[:2]), time.perf_counter()
    threads = [Client(served, asked, turns, stop) for _ in range(clients)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    took = time.perf_counter() - begun
    spent = sum(process.cpu_times()[:2]) - before
    p50, p95 = 1_000 * np.percentile(asked.seconds, [50, 95])
    return {
        "clients": clients,
        "p50_ms": round(p50, 1),
        "p95_ms": round(p95, 1),
        "answers_a_second": round(len(asked.seconds) / took, 1),
        "processor_ms": round(1_000 * spent / len(asked.seconds), 1),
        "failures": asked.failures,
    }


def refitted(served: Explored, texts: list[str]) -> dict[str, object]:
    """Refit a view by other labels while clients ask; tell what they got."""
    old = answers(served, texts)
    labels = served.root / "data" / "labels" / f"{VIEW}.csv"
    pl.read_csv(labels).head(-200).write_csv(labels)
    asked, stop = Asked(), threading.Event()
    threads = [Client(served, asked, Turns(texts, None), stop) for _ in range(AT_REFIT)]
    for each in threads:
        each.start()
    try:
        refract(served.root, "run")
    finally:
        stop.set()
        for each in threads:
            each.join()
    new = answers(served, texts)
    by_old = sum(many for (text, body), many in asked.answers.items() if body == old[text])
    by_new = sum(many for (text, body), many in asked.answers.items() if body == new[text])
    return {
        "answers": len(asked.seconds),
        "by_the_old_version": by_old,
        "by_the_new_version": by_new,
        "mixtures": len(asked.seconds) - by_old - by_new,
        "failures": asked.failures,
        "p50_ms": round(1_000 * float(np.median(asked.seconds)), 1),
        "p95_ms": round(1_000 * float(np.percentile(asked.seconds, 95)), 1),
    }


def answers(served: Explored, texts: list[str]) -> dict[str, str]:
    return {text: served.get(f"/views/{VIEW}/search", q=text).body.decode() for text in texts}


def main() -> None:
    """Measure, and print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--folder", type=Path, help="kept where it is named")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = chosen.folder or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        say(f"{chosen.rows:,} texts")
        root, texts = world(folder, chosen.rows), synthetic.queries(QUERIES)
        say("service")
        served = Explored(root, folder / "log")
        try:
            answers(served, texts)  # opens what is opened once
            rounds = [measured(served, texts, clients) for clients in CLIENTS]
            say("refit")
            found = {"searches": rounds, "refit": refitted(served, texts)}
        finally:
            served.end()
    found |= {"rows": chosen.rows, "machine": one_line()}
    told = json.dumps(found, indent=2)
    print(told)
    if chosen.json:
        chosen.json.write_text(told, "utf-8")


if __name__ == "__main__":
    main()
