"""What a command costs: processor seconds and peak memory of it and of all that it starts."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.measure import MIB, status_kib

SUBREAPER = 36  # prctl: what a command leaves behind becomes a child of this process
_EVERY = 0.05  # seconds between two looks at the processes that are there


@dataclass(frozen=True)
class Cost:
    """wall, cpu: seconds; peak: MiB of the largest process; peaks: of the largest by its name.

    spent: processor's seconds by name, without those of processes that they have started.
    """

    wall: float
    cpu: float
    peak: float
    peaks: dict[str, float] = field(default_factory=dict)
    spent: dict[str, float] = field(default_factory=dict)


def refract(root: Path, *words: str) -> Cost:
    """Run a command in `root` to the end of every process that it has started.

    Nothing is handed to a process that stays, nor left to one; RuntimeError where it fails. Call it
    from a small process: what a child had before it was another program counts as its memory.
    """
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    alone = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    alone |= {"REFRACT_LINGER": "0", "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(_code())}
    log, begun = root.with_suffix(".log"), time.perf_counter()
    with log.open("wb") as out, _watched() as (peaks, spent):
        command = [sys.executable, "-P", "-m", "flows", *words]
        first = subprocess.Popen(command, cwd=root, env=alone, stdout=out, stderr=out)
        code, cpu, peak = 1, 0.0, 0.0
        while True:
            try:
                process, status, used = os.wait4(-1, 0)
            except ChildProcessError:
                break
            cpu += used.ru_utime + used.ru_stime
            peak = max(peak, used.ru_maxrss * 1024 / MIB)
            if process == first.pid:
                first.returncode = code = os.waitstatus_to_exitcode(status)
    if code:
        raise RuntimeError(f"refract {' '.join(words)}: exit code {code}\n{log.read_text('utf-8')}")
    return Cost(time.perf_counter() - begun, cpu, peak, peaks, spent)


@contextmanager
def _watched() -> Iterator[tuple[dict[str, float], dict[str, float]]]:
    """Note peaks (MiB) and seconds of all processes below this one by name, while it goes on."""
    peaks: dict[str, float] = {}
    spent: dict[str, float] = {}
    known: dict[int, float] = {}
    over = threading.Event()

    def watch() -> None:
        while not over.wait(_EVERY):
            for process in _below(os.getpid()):
                name, peak = _name(process), status_kib("VmHWM", process)
                if name and peak is not None:
                    peaks[name] = max(peaks.get(name, 0), round(peak / 1024, 1))
                    more = (now := _seconds(process)) - known.get(process, 0.0)
                    known[process], spent[name] = now, spent.get(name, 0.0) + max(more, 0.0)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield peaks, spent
    finally:
        over.set()
        watcher.join()


def _seconds(process: int) -> float:
    """Return the processor's seconds of a process so far; 0 where it has ended."""
    try:
        told = Path(f"/proc/{process}/stat").read_text("ascii", "replace").rpartition(")")[2]
    except OSError:
        return 0.0
    user, system = told.split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _below(process: int) -> Iterator[int]:
    try:
        tasks = list(Path(f"/proc/{process}/task").iterdir())
        children = [child for task in tasks for child in (task / "children").read_text().split()]
    except OSError:  # it has ended, or a thread of it: there is a next look
        return
    for child in map(int, children):
        yield child
        yield from _below(child)


def _name(process: int) -> str:
    """Return the module or program that a process runs; empty where it has ended."""
    try:
        words = Path(f"/proc/{process}/cmdline").read_bytes().decode("utf-8", "replace").split("\0")
    except OSError:
        return ""
    if "-m" in words[:-1]:
        return words[words.index("-m") + 1]
    return Path(words[0]).name


def _code() -> Path:
    return Path(__file__).resolve().parents[1]
