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

FORKS = sys.platform == "linux"  # elsewhere no fork is safe, and a fit is a Python of its own


class Fitting:
    """A process for one fit: it makes itself ready at once, and fits when it is told what."""

    def __init__(self, root: Path) -> None:
        """Start it."""
        self._process, self._pipe = _start(_fit, root)

    def fit(self, name: str, *, commit: bool) -> str:
        """Have instruction `name` fitted; return why it failed, in a line, or ''.

        commit: record in git as well.
        """
        why = ""
        with self._pipe, suppress(EOFError, OSError):
            self._pipe.send((name, commit))
            why = str(self._pipe.recv())
        self._process.join()
        code = self._process.exitcode
        if code and not why:
            ended = f"signal {-code}" if code < 0 else f"exit code {code}"
            why = f"the fit ended with {ended}; 'refract run' goes on where it was"
        return why

    def stop(self) -> None:
        """End it; what it has left halfway, the next run finishes."""
        self._process.kill()


def prepare(root: Path) -> None:
    """Start what a fit needs before there is one to do: libraries, and Prefect's server."""
    open_fork_server()
    process, pipe = _start(_settle, root)
    with pipe:
        process.join()


def _start(call: Callable[..., None], root: Path) -> tuple[BaseProcess, Connection]:
    context: Any = multiprocessing.get_context("forkserver" if FORKS else "spawn")
    ours, pipe = context.Pipe()
    work = (dict(os.environ), pipe, call, root)
    process: BaseProcess = context.Process(target=_work, args=work)
    process.start()
    pipe.close()
    return process, ours


def _work(
    environment: dict[str, str], pipe: Connection, call: Callable[..., None], root: Path
) -> None:
    """Be a command in `environment`, and tell at the end what went wrong, if anything did."""
    from tasks.versioning.run_git_and_dvc import RepositoryError

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal: the service ends this process
    os.environ.clear()
    os.environ.update(environment, **{PARENT: str(os.getppid())})
    end_with_parent(signal.SIGKILL)
    with pipe:
        try:
            call(root, pipe)
            pipe.send("")
        except InputError as error:
            pipe.send(str(error))
        except RepositoryError as error:
            pipe.send(f"not recorded: {error}; what was made is whole")
        except EOFError:  # nobody wants a fit any more
            return
        except Exception as error:
            traceback.print_exc()
            pipe.send(f"{type(error).__name__}: {error}")
        finally:
            end_whole()


def _settle(root: Path, _: Connection) -> None:
    from flows.runtime.prefect_settings import settle
    from flows.warm.fork import settle_prefect

    settle(Paths(root))
    settle_prefect()


def _fit(root: Path, pipe: Connection) -> None:
    _settle(root, pipe)
    from flows.serving.label_runs import labels

    name, commit = pipe.recv()
    labels(root, name, commit)
