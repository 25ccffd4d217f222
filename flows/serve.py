"""A workspace that is kept up to date by the clock and by its label files, until it is stopped."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from flows.forks import fork_flow_runs, open_fork_server
from flows.lifeline import PARENT
from flows.lock import serving
from flows.server import Server, own_server
from flows.trust import ask, ask_recording
from tasks.core.params import Params, load_params
from tasks.core.paths import Paths

_POLL = 1.0  # seconds between two looks for flow runs that are due
_LOOK = 1.0  # seconds between two looks at the server's process


def serve(root: Path, server: str | None) -> None:
    """Serve the deployments and the label watcher of the workspace until a signal ends it.

    server: URL of a Prefect API; None: the one the user has chosen, else one of its own.
    Raises InputError where another `refract serve` runs in the workspace.
    """
    from flows.prefect_settings import settle

    paths, params = Paths(root), load_params(Paths(root).params)
    ask(paths, "links", "sources", "model", "prefect")
    ask_recording(paths, params)
    another = (
        f"{paths.root.resolve()}: another 'refract serve' runs here; expected none; it does the"
        " work already, stop it to start another"
    )
    with serving(paths, another):
        settle(paths)
        os.environ[PARENT] = str(os.getpid())
        if server is not None:
            os.environ["PREFECT_API_URL"] = server
        open_fork_server()
        chosen = os.environ.get("PREFECT_API_URL") or os.environ.get("PREFECT_PROFILE")
        context: Any = nullcontext() if chosen else own_server(paths, params.serve.port)
        with context as own:
            if own is not None:
                os.environ["PREFECT_API_URL"] = own.url
            from flows.deployments import deployments

            made = deployments(paths, params)  # outside of the loop: Prefect's call is both kinds
            hindrance = fork_flow_runs()
            if hindrance is not None:
                print(f"each flow run starts a Python of its own ({hindrance})", file=sys.stderr)
            asyncio.run(_serve(paths, params, made, own))


async def _serve(paths: Paths, params: Params, made: list[Any], own: Server | None) -> None:
    from prefect.runner import Runner

    from flows.deployments import name_of

    name = name_of(paths, params)
    # One run at a time: there is one writer a workspace, and waiting here costs no process.
    runner = Runner(
        name=name, limit=1, query_seconds=_POLL, prefetch_seconds=0, pause_on_shutdown=False
    )
    ids = {}
    for deployment in made:
        ids[deployment.flow_name] = await runner.aadd_deployment(deployment)
    stop = threading.Event()
    watcher = threading.Thread(target=_watch, args=(paths, params, name, stop), daemon=True)
    watcher.start()
    try:
        await _start_run(ids["reconcile"])
        _announce(name, params)
        await _until_stopped(runner, own, watcher)
    finally:
        stop.set()
        watcher.join(timeout=10)


async def _start_run(deployment: Any) -> None:
    from prefect.client.orchestration import get_client

    async with get_client() as client:
        await client.create_flow_run_from_deployment(deployment)


async def _until_stopped(runner: Any, own: Server | None, watcher: threading.Thread) -> None:
    """Run until SIGINT or SIGTERM; the flow run at work is stopped, and the next start goes on."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    work = asyncio.create_task(runner.start())
    while not runner.started and not work.done():
        await asyncio.sleep(0.05)
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    while not stopped.is_set() and not work.done():
        if own is not None:
            own.check()
        if not watcher.is_alive():
            raise RuntimeError("the label watcher ended; start 'refract serve' again")
        try:
            await asyncio.wait_for(stopped.wait(), _LOOK)
        except TimeoutError:
            continue
    if work.done():
        work.result()
    print("stopping", file=sys.stderr, flush=True)
    await runner.astop()
    await work


def _watch(paths: Paths, params: Params, name: str, stop: threading.Event) -> None:
    """Tell Prefect of every label file that appears, changes or vanishes."""
    from prefect.events import emit_event

    from flows.deployments import LABELS_CHANGED, resource_of
    from flows.watch import settled
    from tasks.core.label_files import instruction_of

    folder = paths.labels.resolve()  # changes are told by whole paths
    folder.mkdir(parents=True, exist_ok=True)
    for files in settled(folder, params.serve.settle, stop):
        named = {instruction_of(path, folder) for path in files}
        for instruction in sorted(name for name in named if name is not None):
            emit_event(
                event=LABELS_CHANGED,
                resource={"prefect.resource.id": resource_of(name), "prefect.resource.name": name},
                payload={"instruction": instruction},
            )


def _announce(name: str, params: Params) -> None:
    url = os.environ.get("PREFECT_API_URL", "the profile's server").removesuffix("/api")
    lines = (
        f"serving {name}; its runs are at {url}",
        f"  corpus/{name}     {params.serve.corpus or 'by hand'} ({params.serve.timezone})",
        f"  labels/{name}     a label file in data/labels appears, changes or vanishes",
        f"  reconcile/{name}  every {params.serve.reconcile} s, and now",
        f"  maintain/{name}   {params.serve.maintain or 'by hand'} ({params.serve.timezone})",
    )
    print("\n".join(lines), flush=True)
