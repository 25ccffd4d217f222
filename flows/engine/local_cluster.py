"""A Dask cluster on this machine, for one command: processes of this user, closed to all others.

Scheduler and workers speak TLS, on loopback, with a key that is made for this cluster: to Dask, who
can connect may run code. It lives in memory, but for the moment in which Python's `ssl` reads it
from a folder that this user alone may open.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import forkserver
from tempfile import TemporaryDirectory
from typing import Any

import dask
from distributed import Nanny, Scheduler, SpecCluster
from distributed.security import Security

from flows.engine import worker_setup
from flows.serving.fork_server import IMPORTED

HOST = "127.0.0.1"
_CONFIGURATION = {
    "distributed.scheduler.worker-saturation": 1.0,  # a worker that dies takes one piece with it
    "distributed.deploy.lost-worker-timeout": "1 day",  # its nanny starts it again, however late
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.worker.profile.enabled": False,  # it looks at all threads a hundred times a second
}
_DEATH = 60.0  # seconds after which a worker ends that finds no scheduler


@contextmanager
def local_cluster(workers: int) -> Iterator[Any]:
    """Yield a cluster of `workers` processes of one task each; they end with this process."""
    configuration: dict[str, object] = dict(_CONFIGURATION)
    if sys.platform == "linux":  # elsewhere a fork is not safe, and a worker imports all anew
        configuration["distributed.worker.multiprocessing-method"] = "forkserver"
        forkserver.set_forkserver_preload([*IMPORTED, "sentence_transformers", "prefect_dask"])
        forkserver.ensure_running()
    with (
        TemporaryDirectory(prefix="refract-dask-") as folder,
        dask.config.set(configuration),
        _cluster(workers, folder) as cluster,
    ):
        yield cluster


def _cluster(workers: int, folder: str) -> Any:
    shared = {
        "host": HOST,
        "protocol": "tls://",
        "security": Security.temporary(),
        "dashboard": False,
    }
    scheduler = {**shared, "dashboard_address": f"{HOST}:0", "allowed_failures": 0}
    worker = {
        **shared,
        "nthreads": 1,
        "memory_limit": 0,  # pieces are as large as the settings make them, not what Dask expects
        "local_directory": folder,
        "death_timeout": _DEATH,
        "preload": [worker_setup.__name__],
        "silence_logs": logging.CRITICAL,
    }
    return SpecCluster(
        scheduler={"cls": Scheduler, "options": scheduler},
        workers={
            n: {"cls": Nanny, "options": {**worker, "env": environment(n, workers)}}
            for n in range(workers)
        },
        security=shared["security"],
        silence_logs=logging.CRITICAL,
    )


def environment(n: int, workers: int) -> dict[str, str]:
    """Return what worker `n` finds in its environment: this one's, its share of cores, its GPU.

    A fork has that of the process it is of, which may have been started before the keys of a store.
    """
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    threads = os.environ.get("OMP_NUM_THREADS") or str(max(1, cores // workers))
    found = {**os.environ, worker_setup.THREADS: threads, "OMP_NUM_THREADS": threads}
    devices = _devices()
    return found | {"CUDA_VISIBLE_DEVICES": devices[n % len(devices)]} if devices else found


def _devices() -> list[str]:
    import torch

    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        return [name for name in named.split(",") if name]
    return [str(n) for n in range(torch.cuda.device_count())]
