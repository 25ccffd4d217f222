"""Be, in a fork, the command that somebody else has typed."""

from __future__ import annotations

import ctypes
import os
import random
import resource
import signal
import sys
from typing import Any, NoReturn, TextIO

from flows.warm.client import FORWARDED, WITH_PREFECT, verb_of
from flows.warm.ending import end_by
from flows.warm.messages import Request

_DEATH = 1  # prctl's PR_SET_PDEATHSIG


def become(request: Request, handles: list[int], parent: int) -> None:
    """Take over words, environment, folder, streams, limits and signals of a command.

    handles: its three standard streams and its folder. Ends with `parent`. ValueError or OSError
    where this process may not be what the other is, such as beyond a limit of its own.
    """
    os.setsid()  # signals of a terminal come through the other; the group is for its children
    ctypes.CDLL(None).prctl(_DEATH, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    for number, soft, hard in request.limits:
        resource.setrlimit(number, (soft, hard))
    os.umask(request.umask)
    os.fchdir(handles[3])
    for number in range(3):
        os.dup2(handles[number], number)
    for handle in handles:
        os.close(handle)
    for signum in FORWARDED:
        signal.signal(signum, signal.SIG_IGN if signum in request.ignored else signal.SIG_DFL)
    if signal.SIGINT not in request.ignored:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(request.environment)
    sys.argv[:] = ["refract", *request.words]
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        stream = _stream(number, getattr(sys, name))
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    random.seed()


def run_and_end() -> NoReturn:
    """Run the command line and end."""
    end_by(_run)


def _run() -> None:
    from flows.cli.verbs import run_here

    if verb_of(sys.argv[1:]) in WITH_PREFECT:
        settle_prefect()
    run_here()


def settle_prefect() -> None:
    """Let Prefect read its settings anew, as if it were imported now."""
    from prefect.context import refresh_global_settings_context
    from prefect.logging.configuration import setup_logging

    refresh_global_settings_context()
    setup_logging()


def _stream(number: int, like: TextIO) -> Any:
    return open(
        number,
        "w" if number else "r",
        encoding=like.encoding,
        errors=like.errors,
        buffering=1 if number == 2 or os.isatty(number) else -1,
        closefd=False,
    )
