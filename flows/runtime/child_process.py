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
    """Send `by` to this process once nobody holds the lock of the file that `LEASE` names.

    From then on this process holds it alone, so that nobody comes to rely on it any more. Does
    nothing where no file is named.
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
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(_LOOK)
            else:
                break
        _end(by)


def _end(by: signal.Signals) -> None:
    os.kill(os.getpid(), by)
    time.sleep(_GRACE)
    os.kill(os.getpid(), signal.SIGKILL)
