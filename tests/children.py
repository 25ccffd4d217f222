"""Children of a process that has imported everything once: each costs no start of Python.

The imports (Prefect, torch) take seconds of a core, and tests that kill need dozens of processes.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from multiprocessing import forkserver
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from flows.runtime.prefect_settings import no_heartbeats
from flows.serving.fork_server import IMPORTED as FORKED_WITH

SECRET = "PREFECT_API_AUTH_STRING"
IMPORTED = [*FORKED_WITH, "sentence_transformers"]


class Child:
    """`call(*arguments)` in a process of its own, which reports to the Prefect API at `url`.

    It has this process's environment as it is now, not as it was when the first child was made.
    Its output goes to the file `log`; what it offers is as of `subprocess.Popen`.
    """

    def __init__(
        self, url: str, folder: Path, log: Path | None, call: Callable[..., Any], *arguments: Any
    ) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(IMPORTED)
        self._process: ForkServerProcess = context.Process(
            target=_work,
            args=(url, dict(os.environ), folder, log or os.devnull, call, arguments),
        )
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit status; TimeoutError if it does not end in `timeout` seconds."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise TimeoutError(f"process {self.pid} goes on after {timeout} s")
        return self._process.exitcode

    def send_signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)


def refract(*words: str) -> None:
    """Be the command line with these words."""
    from flows.cli import main

    sys.argv = ["refract", *words]
    main()


def _work(
    url: str,
    environ: dict[str, str],
    folder: Path,
    log: str,
    call: Callable[..., Any],
    arguments: Any,
) -> None:
    os.setsid()
    os.chdir(folder)
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    for stream in (1, 2):
        os.dup2(file, stream)
    # The fork server of the tests forks for `refract serve`, too: multiprocessing says that a child
    # uses that of its parent, but (3.11) starts another.
    forkserver.ensure_running = forkserver._forkserver.ensure_running = lambda: None
    from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

    os.environ.update(environ | {"PREFECT_API_URL": url})
    at = {PREFECT_API_URL: url, PREFECT_API_AUTH_STRING: environ.get(SECRET)}  # read long ago
    with temporary_settings(at), no_heartbeats():
        call(*arguments)
