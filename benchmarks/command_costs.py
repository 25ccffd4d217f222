"""What a command costs: processor seconds and peak memory of it and of all that it starts."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import MIB

SUBREAPER = 36  # prctl: what a command leaves behind becomes a child of this process


@dataclass(frozen=True)
class Cost:
    """wall, cpu: seconds; peak: MiB of the largest process."""

    wall: float
    cpu: float
    peak: float


def refract(root: Path, *words: str) -> Cost:
    """Run a command in `root` to the end of every process that it has started.

    Nothing is handed to a process that stays, nor left to one; RuntimeError where it fails. Call it
    from a small process: what a child had before it was another program counts as its memory.
    """
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    alone = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    alone |= {"REFRACT_LINGER": "0", "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(_code())}
    log, begun = root.with_suffix(".log"), time.perf_counter()
    with log.open("wb") as out:
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
    return Cost(time.perf_counter() - begun, cpu, peak)


def _code() -> Path:
    return Path(__file__).resolve().parents[1]
