"""Flow runs as forks of one process that has imported everything once.

A fresh Python spends some seven seconds of a core on these imports before it runs anything. Here
that is paid once, by the fork server of Python's `multiprocessing`. A fork is safe only where one
thread runs, so that server imports what starts none: Polars, Arrow and LanceDB wait for the run.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import signal
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from multiprocessing import forkserver
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import flows
import tasks
from flows.runtime.child_process import PARENT
from flows.state.libraries import LEARNS
from flows.warm.ending import end_whole

IMPORTED = [
    "prefect.flow_engine",
    "prefect.deployments.runner",
    "fastapi.encoders",  # Prefect's, when a flow starts
    "pydantic.v1",  # Prefect's, when it looks at a flow's parameters
    *LEARNS,
    f"{tasks.__name__}.core.transforms.default_auto",
    f"{tasks.__name__}.core.settings.params",
    __name__,
    f"{flows.__name__}.cli.verbs",
]
_STARTER = "prefect.runner._starter_engine"  # its `run_process` starts `python -m prefect.engine`


def open_fork_server() -> None:
    """Start the process that flow runs are forked from; it imports while others start.

    It ends with this one, and where it died the next flow run starts it anew.
    """
    if sys.platform == "linux":
        forkserver.set_forkserver_preload(IMPORTED)
        forkserver.ensure_running()


def fork_flow_runs() -> str | None:
    """Let Prefect fork its flow runs from here on.

    Returns why not, where each goes on as a fresh Python: slower, and otherwise the same.
    """
    if sys.platform != "linux":
        return "only Linux forks safely"
    if find_spec(_STARTER) is None:
        return f"this Prefect has no {_STARTER}"
    trial = _process(_check_alone)
    trial.start()
    trial.join()
    if trial.exitcode != 0:
        return "a library has started threads in the process to fork from"
    import_module(_STARTER).run_process = _run_process  # type: ignore[attr-defined]
    return None


async def _run_process(
    command: list[str],
    *,
    env: dict[str, str],
    task_status: Any,
    task_status_handler: Callable[[Any], Any],
    **_: Any,
) -> ForkServerProcess:
    """Fork where Prefect's `run_process` runs `command`; its output goes where this one's does."""
    import anyio.to_thread

    process = _process(_engine, env)
    await anyio.to_thread.run_sync(process.start)
    task_status.started(task_status_handler(process))
    try:
        await anyio.wait_readable(process.sentinel)
    except BaseException:
        process.terminate()
        raise
    process.join()
    _tell(process.exitcode)
    return process


def _tell(code: int | None) -> None:
    """Say what a flow run could not say itself: that it was killed."""
    if code is not None and code < 0 and code != -signal.SIGTERM:
        print(
            f"a flow run was killed (signal {-code}); 'reconcile' does what it left",
            file=sys.stderr,
            flush=True,
        )


def _process(call: Callable[..., None], *arguments: Any) -> ForkServerProcess:
    return multiprocessing.get_context("forkserver").Process(target=call, args=arguments)


def _check_alone() -> None:
    """Exit with 0 if the fork server has one thread; OpenBLAS ends its own before each fork."""
    threads = list(Path(f"/proc/{os.getppid()}/task").iterdir())
    sys.exit(len(threads) - 1)


def _engine(env: dict[str, str]) -> None:
    """Be `python -m prefect.engine` in the environment `env`."""
    import prefect.engine
    from prefect.context import refresh_global_settings_context
    from prefect.logging.configuration import setup_logging

    os.environ.clear()
    os.environ.update(env, **{PARENT: str(os.getppid())})
    refresh_global_settings_context()
    setup_logging()
    sys.argv[1:] = []
    try:
        runpy.run_path(prefect.engine.__file__, run_name="__main__")
    finally:
        end_whole()
