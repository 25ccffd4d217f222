"""How a figure is taken: one clock, medians, and the peak memory of a process of its own."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

MIB = 2**20


@dataclass(frozen=True)
class Figure:
    """One line of the table; `detail` holds everything measured on the way."""

    name: str
    target: str
    measured: str
    met: bool | None
    detail: dict[str, Any] = field(default_factory=dict)


def say(text: str) -> None:
    """Report progress on stderr, so that stdout holds the table alone."""
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


def seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def both_clocks(work: Callable[[], object]) -> tuple[float, float]:
    """Return wall and processor seconds: where others use the cores, too, trust the second."""
    begun, used = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - begun, time.process_time() - used


def middle(work: Callable[[], object], times: int) -> float:
    """Return the median of `times` runs, in seconds."""
    return median(seconds(work) for _ in range(times))


def peak_mib() -> float:
    """Return the largest resident memory of this process since its start.

    VmHWM, since ru_maxrss of a child may hold what its parent had at the fork.
    """
    kib = status_kib("VmHWM", "self")
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss if kib is None else kib) * 1024 / MIB


def status_kib(name: str, process: int | str) -> int | None:
    """Return what the system says of a process's memory; None where it has ended, or says none."""
    try:
        lines = Path(f"/proc/{process}/status").read_text("ascii", "replace").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{name}:")), None)


def in_child(module: str, work: str, limit: float | None = None, **arguments: Any) -> Any:
    """Run function `work` of `module` in a process of its own and return the JSON it makes.

    After `limit` seconds the process is ended, and subprocess.TimeoutExpired raised.
    """
    call = (
        "import json, sys, importlib;"
        "module, work, arguments = json.loads(sys.argv[1]);"
        "print(json.dumps(getattr(importlib.import_module(module), work)(**arguments)))"
    )
    payload = json.dumps([module, work, arguments], default=str)
    done = subprocess.run(
        [sys.executable, "-c", call, payload],
        env={"LANCE_LOG": "error", **os.environ},  # k-means warns of each empty cluster
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=limit,
    )
    return json.loads(done.stdout.splitlines()[-1])


def no_progress(_: int) -> None:
    """Count nothing."""


def size_of(folder: Path) -> int:
    """Return the bytes of all files below `folder`."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
