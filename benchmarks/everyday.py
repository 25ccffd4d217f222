"""What a user waits for every day, on the sample: a new label file, a search, a sign of life.

`python -m benchmarks.everyday` prints a table of medians. With `--code FOLDER` it measures another
checkout by the same steps; `--made FOLDER` takes a workspace that an earlier one has left there.
Processor seconds are those of all processes: of the command up to its end, and of what it has left
behind from then on until that rests.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import pty
import resource
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from subprocess import DEVNULL

import psutil

from benchmarks.machine import one_line
from benchmarks.measure import say

HOME = Path(__file__).resolve().parents[1]
LATE = "urgency.csv"  # the label file that arrives when all others have a view
QUERY = ("search", "where is my parcel", "--view", "emotion", "-k", "5")
RESTING = 0.05  # processor seconds in one second: nothing works any more
SUBREAPER = 36  # prctl: what is left behind becomes this process's child, and can be counted


@dataclass(frozen=True)
class Taken:
    """Seconds of one command: on the clock, of processors, and of processors afterwards."""

    wall: float
    used: float
    after: float


class Bench:
    """Commands of the code at `code`, in an environment of their own below `folder`."""

    def __init__(self, code: Path, folder: Path) -> None:
        self.code = code
        ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
        self._env = {k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")}
        for name in ("CI", "XDG_RUNTIME_DIR", "REFRACT_LINGER"):
            self._env.pop(name, None)
        self._env |= {"PYTHONPATH": str(code), "REFRACT_TRUST": "*", "TERM": "xterm"}
        self._env |= {"XDG_STATE_HOME": str(folder / "state")}
        self._env |= {"XDG_CACHE_HOME": str(folder / "cache")}

    def refract(self, root: Path, *words: str) -> Taken:
        """Run a command to its end, and wait until what it has left behind rests."""
        begun, before = time.perf_counter(), _used()
        subprocess.run(_command(*words), cwd=root, env=self._env, stdout=DEVNULL, check=True)
        wall, used = time.perf_counter() - begun, _used()
        return Taken(wall, used - before, _rested() - used)

    def stop(self, root: Path) -> None:
        """End what lingers, where this code knows of such."""
        subprocess.run(
            _command("stop"), cwd=root, env=self._env, stdout=DEVNULL, stderr=DEVNULL, check=False
        )
        _rested()

    def sign(self, root: Path, *words: str) -> float:
        """Return the seconds until the first byte on a terminal; the command is then ended."""
        ours, theirs = pty.openpty()
        begun = time.perf_counter()
        process = subprocess.Popen(
            _command(*words), cwd=root, env=self._env, stdin=theirs, stdout=theirs, stderr=theirs
        )
        os.close(theirs)
        select.select([ours], [], [], 300)
        taken = time.perf_counter() - begun
        process.kill()
        process.wait()
        os.close(ours)
        _rested()
        return taken


def _command(*words: str) -> list[str]:
    return [sys.executable, "-P", "-m", "flows", *words]


def _used() -> float:
    """Return the processor seconds of all that was started here, ended or not."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    total = ended.ru_utime + ended.ru_stime
    for process in psutil.Process().children(recursive=True):
        try:
            if process.status() == psutil.STATUS_ZOMBIE and process.ppid() == os.getpid():
                process.wait()
                return _used()
            total += sum(process.cpu_times()[:4])
        except psutil.NoSuchProcess:
            return _used()
    return total


def _rested() -> float:
    while True:
        before = _used()
        time.sleep(1)
        now = _used()
        if now - before < RESTING:
            return now


def _sample(root: Path, bench: Bench) -> None:
    bench.refract(root.parent, "init", root.name, "--git")
    shutil.copyfile(bench.code / "params.yaml", root / "params.yaml")
    for part in ("raw", "labels"):
        shutil.copytree(HOME / "data" / part, root / "data" / part, dirs_exist_ok=True)
    (root / "data" / "labels" / LATE).unlink()


def _arrive(root: Path, name: str) -> None:
    shutil.copyfile(HOME / "data" / "labels" / LATE, root / "data" / "labels" / f"{name}.csv")


def measure(bench: Bench, folder: Path, made: Path, times: int) -> dict[str, list[Taken]]:
    """Return what each command took, `times` over."""
    found: dict[str, list[Taken]] = {}

    def note(name: str, take: Callable[[], Taken]) -> None:
        found.setdefault(name, []).append(take())
        say(f"{name}: {found[name][-1]}")

    if not made.exists():
        _sample(made, bench)
        note("run of the whole sample, first", lambda: bench.refract(made, "run"))
    for trial in range(times):
        root = folder / f"trial{trial}"
        shutil.copytree(made, root)
        shutil.rmtree(root / ".refract" / "prefect", ignore_errors=True)
        bench.stop(root)
        _arrive(root, "late")
        note("fit of a new label file, first", lambda r=root: bench.refract(r, "fit", "late"))
        _arrive(root, "later")
        note("fit of a new label file, again", lambda r=root: bench.refract(r, "fit", "later"))
        bench.stop(root)
        note("search, first", lambda r=root: bench.refract(r, *QUERY))
        note("search, again", lambda r=root: bench.refract(r, *QUERY))
        note("run, two views to write", lambda r=root: bench.refract(r, "run"))
        note("report of one view", lambda r=root: bench.refract(r, "report", "emotion"))
        bench.stop(root)
    return found


def signs(bench: Bench, root: Path) -> dict[str, float]:
    """Return the seconds to the first sign of life of some verbs, with nothing up."""
    verbs = (("status",), ("fit", "--force"), QUERY, ("run",), ("rollback", "emotion", "v9"))
    found = {}
    for words in verbs:
        bench.stop(root)
        found[words[0]] = median(bench.sign(root, *words) for _ in range(3))
    bench.stop(root)
    return found


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--code", type=Path, default=HOME, help="the checkout that is measured")
    parser.add_argument("--made", type=Path, help="the sample after its run, to be kept")
    parser.add_argument("-n", "--times", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="everyday-") as name:
        folder = Path(name)
        bench = Bench(options.code.resolve(), folder)
        made = options.made.resolve() if options.made else folder / "made"
        found = measure(bench, folder, made, options.times)
        first = signs(bench, folder / "trial0")
    print(one_line())
    print(f"\n| median of {options.times} | wall s | CPU s | CPU s afterwards |\n|---|--:|--:|--:|")
    for what, all_taken in found.items():
        clocks = ("wall", "used", "after")
        row = (f"{median(getattr(each, clock) for each in all_taken):.2f}" for clock in clocks)
        print(f"| {what} | {' | '.join(row)} |")
    for verb, taken in first.items():
        print(f"| first sign of life of `{verb}` | {taken:.2f} | | |")


if __name__ == "__main__":
    main()
