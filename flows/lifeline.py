"""Let a process end when the one that started it is gone, however that ended."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time

PARENT = "REFRACT_PARENT"  # environment variable: process id of what started this one
_LOOK = 0.5  # seconds between two looks


def end_with_parent(by: signal.Signals) -> None:
    """Send `by` to this process once its parent is no longer the one that `PARENT` names.

    A fork of a fork server ends with it, and with the process that asked for the fork. Does nothing
    where no parent is named: a flow run of a Prefect worker, or by hand.
    """
    parent = os.environ.get(PARENT)
    if parent is not None:
        threading.Thread(target=_follow, args=(int(parent), by), daemon=True).start()


def _follow(parent: int, by: signal.Signals) -> None:
    asked = multiprocessing.parent_process()
    while os.getppid() == parent and (asked is None or asked.is_alive()):
        time.sleep(_LOOK)
    os.kill(os.getpid(), by)
