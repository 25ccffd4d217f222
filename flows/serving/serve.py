"""A workspace that is kept up to date by the clock and by its label files, until it is stopped."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.runtime.child_process import PARENT
from flows.runtime.lock import serving
from flows.runtime.server.prefect_server import Server, own_server
from flows.runtime.server.report_pages import REPORTS
from flows.serving.explore_beside import explore_beside
from flows.serving.fork_server import fork_flow_runs, open_fork_server
from flows.state.trust import ask, ask_recording
from tasks.core.settings.params import Params, load_params
from tasks.core.workspace.paths import Paths

if TYPE_CHECKING:
    from flows.serving.backlog import Backlog

_POLL = 1.0  # seconds between two looks for flow runs that are due
_LOOK = 1.0  # seconds between two looks at the server's process


def serve(root: Path, server: str | None) -> None:
    """Serve the deployments and the label watcher of the workspace until a signal ends it.

    server: URL of a Prefect API; None: the one the user has chosen, else one of its own.
    Raises InputError where another `refract serve` runs in the workspace.
    """
    from flows.runtime.prefect_settings import be_quiet, keep_to, use
    from flows.runtime.server.chosen_server import user_chose_a_server

    paths, params = Paths(root), load_params(Paths(root).params)
    ask(paths, "links", "sources", "model", "prefect")
    ask_recording(paths, params)
    another = (
        f"{paths.root.resolve()}: another 'refract serve' runs here; expected none; it does the"
        " work already, stop it to start another"
    )
    with serving(paths, another):
        be_quiet()
        os.environ[PARENT] = str(os.getpid())
        if server is not None:
            os.environ["PREFECT_API_URL"] = server
        chosen = server is not None or user_chose_a_server()
        if not chosen:
            keep_to(paths)
            _end_private(paths)
        open_fork_server()
        if not chosen:
            os.environ[REPORTS] = str(paths.root.resolve())
        context: Any = nullcontext() if chosen else own_server(paths, params.serve.port)
        with explore_beside(paths, params), context as own:
            if own is not None:
                use(own.note)
            from flows.serving.deployments import deployments

            made = deployments(paths, params)  # outside of the loop: Prefect's call is both kinds
            hindrance = fork_flow_runs()
            if hindrance is not None:
                print(f"each flow run starts a Python of its own ({hindrance})", file=sys.stderr)
            asyncio.run(_serve(paths, params, made, own))


async def _serve(paths: Paths, params: Params, made: list[Any], own: Server | None) -> None:
    from prefect.client.orchestration import get_client

    from flows.serving.backlog import Backlog
    from flows.serving.deployments import name_of

    name = name_of(paths, params)
    runners = {flow: _runner(name) for flow in ("labels", "corpus")}
    runners |= {"reconcile": runners["labels"], "maintain": runners["corpus"]}
    ids = {}
    for deployment in made:
        flow = str(deployment.flow_name)
        ids[flow] = await runners[flow].aadd_deployment(deployment)
    stop = threading.Event()
    async with get_client() as client:
        backlog = Backlog(client, ids, partial(_emit, name))
        watcher = threading.Thread(target=_watch, args=(paths, params, backlog, stop), daemon=True)
        watcher.start()
        try:
            kept, gone = await backlog.merge()
            await client.create_flow_run_from_deployment(ids["reconcile"])
            _announce(name, params, paths.server_note.resolve() if own else None)
            if gone:
                print(f"  {gone} runs that waited repeat another: merged; {len(kept)} wait")
            await _until_stopped([runners["labels"], runners["corpus"]], own, watcher, backlog)
        finally:
            stop.set()
            watcher.join(timeout=10)


def _end_private(paths: Paths) -> None:
    """End a server that lingers, once no command needs it: SQLite has one writer."""
    from flows.runtime.server.private_server import stop_private

    told = False
    while stop_private(paths) is None:
        if not told:
            print("serve: waits for a command that is at work", file=sys.stderr, flush=True)
        told = True
        time.sleep(_POLL)


def _runner(name: str) -> Any:
    """Return a runner of one run at a time: there is one writer a workspace.

    What the clock asks for has a runner of its own: its run waits for the write lock, and has it
    when the run at work ends, however many wait because of label files.
    """
    from prefect.runner import Runner

    return Runner(
        name=name, limit=1, query_seconds=_POLL, prefetch_seconds=0, pause_on_shutdown=False
    )


async def _until_stopped(
    runners: list[Any], own: Server | None, watcher: threading.Thread, backlog: Backlog
) -> None:
    """Run until SIGINT or SIGTERM; the flow run at work is stopped, and the next start goes on."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    work = [asyncio.create_task(runner.start()) for runner in runners]
    while not all(each.started for each in runners) and not any(each.done() for each in work):
        await asyncio.sleep(0.05)
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    while not stopped.is_set() and not any(each.done() for each in work):
        if own is not None:
            own.check()
        if not watcher.is_alive():
            raise RuntimeError("the label watcher ended; start 'refract serve' again")
        await backlog.turn()
        try:
            await asyncio.wait_for(stopped.wait(), _LOOK)
        except TimeoutError:
            continue
    for each in work:
        if each.done():
            each.result()
    print("stopping", file=sys.stderr, flush=True)
    for runner in runners:
        await runner.astop()
    await asyncio.gather(*work)


def _watch(paths: Paths, params: Params, backlog: Backlog, stop: threading.Event) -> None:
    """Note the instruction of every label file that appears, changes or vanishes."""
    from flows.queries.labelled import still_few
    from flows.serving.watch_labels import settled
    from tasks.core.labels.files import instruction_of

    folder = paths.labels.absolute()
    for files in settled(folder, params.serve.settle, stop):
        named = {instruction_of(path, folder) for path in files}
        backlog.note(name for name in named if name is not None and not still_few(paths, name))


def _emit(name: str, instruction: str) -> None:
    """Tell Prefect that the labels of an instruction have changed."""
    from prefect.events import emit_event

    from flows.serving.deployments import LABELS_CHANGED, resource_of

    emit_event(
        event=LABELS_CHANGED,
        resource={"prefect.resource.id": resource_of(name), "prefect.resource.name": name},
        payload={"instruction": instruction},
    )


def _announce(name: str, params: Params, note: Path | None) -> None:
    url = os.environ.get("PREFECT_API_URL", "the profile's server").removesuffix("/api")
    at = params.serve.explore_port
    beside = "in a browser: 'refract explore' tells the link"
    lines = (
        f"serving {name}; its runs are at {url}",
        *([f"  sign in there with the secret in {note}"] if note else []),
        f"  corpus/{name}     {params.serve.corpus or 'by hand'} ({params.serve.timezone})",
        f"  labels/{name}     a label file in data/labels appears, changes or vanishes",
        f"  reconcile/{name}  every {params.serve.reconcile} s, and now",
        f"  maintain/{name}   {params.serve.maintain or 'by hand'} ({params.serve.timezone})",
        *([] if at is None else [f"  {beside} ({params.serve.host}, port {at or 'any'})"]),
    )
    print("\n".join(lines), flush=True)
