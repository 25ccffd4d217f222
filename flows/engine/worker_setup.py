"""What a worker of a cluster on this machine does when it starts: it takes its share of the cores.

A Ctrl-C, which a terminal sends to all processes, it leaves to the driver, which ends the workers.
Dask calls `dask_setup` by that name.
"""

from __future__ import annotations

import os
import signal
from typing import Any

from tasks.core.numerics.threads import controller

THREADS = "REFRACT_THREADS"  # environment variable: how many threads a worker computes with


def dask_setup(worker: Any) -> None:
    """Limit the threads of this process: a fork has read its parent's environment."""
    import torch

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threads = int(os.environ[THREADS])
    torch.set_num_threads(threads)
    worker.refract_threads = controller().limit(limits=threads)  # undone where it is forgotten
