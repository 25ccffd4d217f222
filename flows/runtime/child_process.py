"""Let a process end when the ones it works for are gone, however they ended."""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import signal
import threading
import time
from pathlib import Path

PARENT = "REFRACT_PARENT"  # environment variable: process id of what started this one
LEASE = "REFRACT_LEASE"  # the file that everyone holds a shared lock on who still needs this one
LONGEST = 86_400.0  # seconds that anything stays without being used
_LOOK = 0.5  # seconds between two looks
_GRACE = 10.0  # seconds to end by itself; a server may wait for connections that stay


def end_with_parent(by: signal.Signals) -> None:
    """Send `by` to this process once its parent is no longer the one that `PARENT` names.

    A fork of a fork server ends with it, and with the process that asked for the fork. Does nothing
    where no parent is named: a flow run of a Prefect worker, or by hand.
    """
    parent = os.environ.get(PARENT)
    if parent is not None:
        threading.Thread(target=_follow, args=(int(parent), by), daemon=True).start()


def end_when_free(by: signal.Signals) -> None:
    """Send `by` to this process once nobody has held the lock of the file `LEASE` for long enough.

    The file says how many seconds that is. From then on this process holds the lock alone, so that
    nobody comes to rely on it any more. Ends at once where the file is gone. Does nothing where no
    file is named.
    """
    lease = os.environ.get(LEASE)
    if lease is not None:
        threading.Thread(target=_outlast, args=(Path(lease), by), daemon=True).start()


def _follow(parent: int, by: signal.Signals) -> None:
    asked = multiprocessing.parent_process()
    while os.getppid() == parent and (asked is None or asked.is_alive()):
        time.sleep(_LOOK)
    _end(by)


def _outlast(lease: Path, by: signal.Signals) -> None:
    with lease.open("rb") as file:
        used, mark = time.monotonic(), 0
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                used = time.monotonic()
            else:
                about = os.fstat(file.fileno())
                if about.st_mtime_ns != mark:  # somebody came and went between two looks
                    used, mark = time.monotonic(), about.st_mtime_ns
                if about.st_nlink == 0 or time.monotonic() >= used + lingering(file.fileno()):
                    break
                fcntl.flock(file, fcntl.LOCK_UN)
            time.sleep(_LOOK)
        _end(by)


def lingering(lease: int) -> float:
    """Return the seconds that the open lease `lease` grants after the last command; 0: none."""
    try:
        seconds = float(os.pread(lease, 20, 0))
    except ValueError:  # empty, as a command leaves it that is killed here, or edited
        return 0.0
    return min(seconds, LONGEST) if seconds > 0 else 0.0


def let_linger(lease: int, seconds: float) -> None:
    """Grant `seconds` after the last command; to be called by one that holds the lock."""
    os.ftruncate(lease, 0)
    os.pwrite(lease, f"{seconds:.3f}".encode(), 0)


def _end(by: signal.Signals) -> None:
    os.kill(os.getpid(), by)
    time.sleep(_GRACE)
    os.kill(os.getpid(), signal.SIGKILL)
