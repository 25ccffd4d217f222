"""End a process with all that was registered for that, and without the rest: it takes a second."""

from __future__ import annotations

import atexit
import os
import sys
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn


def end_by(call: Callable[[], object]) -> NoReturn:
    """End with `call` as a program does, and its exit code, but let go of no module one by one."""
    code = 0
    try:
        call()
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
        if code and not isinstance(error.code, int):
            print(error.code, file=sys.stderr)
    except BaseException as error:
        sys.excepthook(*sys.exc_info())
        code = 130 if isinstance(error, KeyboardInterrupt) else 1
    end_whole()
    try:
        sys.stdout.flush()
    except OSError:
        code = 120  # as Python has it
    with suppress(OSError, ValueError):  # ValueError: it was closed
        sys.stderr.flush()
    os._exit(code & 0xFF)


def end_whole() -> None:
    """End as an interpreter does; `multiprocessing` leaves out what was registered with `atexit`.

    Prefect closes its connections there. A request that is cut off by the end of a process can keep
    its server's SQLite locked for a minute.
    """
    threading._shutdown()  # type: ignore[attr-defined]  # first, as at a normal end: queues empty
    atexit._run_exitfuncs()


def leave_to_this_one() -> None:
    """Let no fork undo at its end what this process has set up by now: its end does so at once.

    Torch would take back the kernels of 134 libraries one by one, a fortieth of a second.
    """
    for each in weakref.finalize._registry:  # type: ignore[attr-defined]
        each.atexit = False
