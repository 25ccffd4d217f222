"""Which engine runs the pieces of a flow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import replace

from flows.engine.here import Here
from flows.engine.piece import Engine
from flows.state.trust import ask
from tasks.core.settings.running_sections import EngineSettings
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.paths import Paths

_current: ContextVar[Engine | None] = ContextVar("engine", default=None)


@contextmanager
def engine(paths: Paths, settings: EngineSettings) -> Iterator[Engine]:
    """Yield what runs pieces by `settings`; within a flow, the engine of the flow around it.

    Workers start with the first piece, and end with the outermost block.
    """
    around = _current.get()
    if around is not None:
        yield around
        return
    with _made(paths, settings) as made:
        token = _current.set(made)
        try:
            yield made
        finally:
            _current.reset(token)


def everywhere(paths: Paths, settings: EngineSettings) -> Paths:
    """Return `paths` as workers can follow them, who may have another current folder."""
    return paths if settings.runner == "local" else replace(paths, root=paths.root.absolute())


def _made(paths: Paths, settings: EngineSettings) -> AbstractContextManager[Engine]:
    if settings.runner == "local":
        return nullcontext(Here())
    ask(paths, "engine")
    try:
        from flows.engine.on_dask import OnDask
    except ModuleNotFoundError as error:
        if error.name not in ("prefect_dask", "distributed", "dask"):
            raise
        raise InputError(
            "params.yaml: engine.runner: dask needs packages that are not installed; expected"
            " Refract's extra 'dask'; run pip install -c constraints.txt '.[dask]' in its clone,"
            " or set engine.runner: local"
        ) from error
    return OnDask(paths, settings)
