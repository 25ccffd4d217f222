"""Let a process end when the one that started it is gone, however that ended."""

from __future__ import annotations

import os
import signal
import threading
import time

PARENT = "REFRACT_PARENT"  # environment variable: process id of the `refract serve` above
_LOOK = 0.5  # seconds between two looks


def end_with_parent(by: signal.Signals) -> None:
    """Send `by` to this process once its parent is no longer the one that `PARENT` names.

    Does nothing where no parent is named: a flow run of a Prefect worker, or by hand.
    """
    parent = os.environ.get(PARENT)
    if parent is not None:
        threading.Thread(target=_follow, args=(int(parent), by), daemon=True).start()


def _follow(parent: int, by: signal.Signals) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK)
    os.kill(os.getpid(), by)
