"""One instruction fitted, materialised and recorded, in a process of its own.

It is a fork of one that has imported everything, where forks are safe, and a Python of its own
elsewhere; it ends with the process that asked for it.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from flows.runtime.child_process import PARENT, end_with_parent
from flows.serving.fork_server import open_fork_server
from flows.warm.ending import end_whole
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.paths import Paths


class Fitting:
    """The process of one fit; `wait` returns what it could not do, or ''."""

    def __init__(self, root: Path, name: str, *, commit: bool) -> None:
        """Start it. commit: record in git as well."""
        self._process, self._answer = _start(_fit, root, name, commit)

    def wait(self) -> str:
        """Wait for its end; return why it failed, in a line, or '' where it did not."""
        with self._answer:
            why = ""
            with suppress(EOFError, OSError):
                why = str(self._answer.recv())
        self._process.join()
        code = self._process.exitcode
        if code and not why:
            why = f"the fit ended with {f'signal {-code}' if code < 0 else f'exit code {code}'};"
            why += " run 'refract run' to see why, which goes on where it was"
        return why

    def stop(self) -> None:
        """End it; what it has left halfway, the next run finishes."""
        with suppress(ValueError):
            self._process.kill()


def prepare(root: Path) -> None:
    """Start what a fit needs before there is one to do: libraries, and Prefect's server."""
    open_fork_server()
    process, answer = _start(_settle, root)
    answer.close()
    process.join()


def _start(call: Callable[..., None], *arguments: Any) -> tuple[BaseProcess, Connection]:
    forks = sys.platform == "linux"
    context: Any = multiprocessing.get_context("forkserver" if forks else "spawn")
    answer, told = context.Pipe(duplex=False)
    process: BaseProcess = context.Process(
        target=_work, args=(dict(os.environ), told, call, arguments)
    )
    process.start()
    told.close()
    return process, answer


def _work(
    environment: dict[str, str], told: Connection, call: Callable[..., None], arguments: Any
) -> None:
    """Be a command in `environment`, and tell at the end what went wrong, if anything did."""
    from tasks.versioning.run_git_and_dvc import RepositoryError

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal: the service ends this process
    os.environ.clear()
    os.environ.update(environment, **{PARENT: str(os.getppid())})
    end_with_parent(signal.SIGKILL)
    with told:
        try:
            call(*arguments)
        except InputError as error:
            told.send(str(error))
        except RepositoryError as error:
            told.send(f"not recorded: {error}; what was made is whole")
        except Exception as error:
            traceback.print_exc()
            told.send(f"{type(error).__name__}: {error}")
        finally:
            end_whole()


def _settle(root: Path) -> None:
    from flows.runtime.prefect_settings import settle
    from flows.warm.fork import settle_prefect

    settle(Paths(root))
    settle_prefect()


def _fit(root: Path, name: str, commit: bool) -> None:
    _settle(root)
    from flows.serving.label_runs import labels

    labels(root, name, commit)
