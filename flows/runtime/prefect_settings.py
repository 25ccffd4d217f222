"""How Prefect is set up for a command, before it is imported."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from importlib import import_module

from flows.runtime.environment import settle_home, settle_network
from flows.runtime.importing import without_collecting
from flows.runtime.lingering import seconds_to_linger
from flows.runtime.server.chosen_server import user_chose_a_server
from flows.runtime.server.private_server import private_server
from flows.runtime.server.server_note import Note, known
from flows.state.trust import ask, keeping
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.exhaustion import unwritable
from tasks.core.workspace.paths import Paths
from tasks.signs import sign

_ROOM = 8 << 20  # bytes: a new database took 1 MB, its journal 4 at most
_QUIET = {
    # An expected error is one line on stderr; the run's page in the Prefect UI keeps its traceback.
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
}
_for_the_command = ExitStack()  # ends with the process
_MEANWHILE = ("prefect.flow_engine", "prefect.task_runners")  # what every flow needs


def settle(paths: Paths, needed: Callable[[], Sequence[str]] = tuple) -> None:
    """Use the server the user has chosen, else that of a running `refract serve`, else the private
    one of this workspace's commands.

    needed: returns modules that the command needs in any case. It is asked only where a private
    server starts, and they are imported meanwhile.
    """
    ask(paths, "links", "prefect")
    settle_home()
    settle_network()
    be_quiet()
    if user_chose_a_server():
        return
    keep_to(paths)
    served = known(paths, paths.server_note)
    if served is not None:
        use(served)
        return
    with private_server(paths, seconds_to_linger(paths)) as own:
        use(own)
        wanted = needed()
        with without_collecting():
            for module in (*_MEANWHILE, *wanted):
                import_module(module)
                sign("loading libraries")  # Prefect, being set up, has erased the sign before
    _for_the_command.enter_context(no_heartbeats())  # whose server nobody else looks at


def be_quiet() -> None:
    """Keep Prefect's log from the terminal, and what it does on this machine."""
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)


def keep_to(paths: Paths) -> None:
    """Let Prefect keep what it remembers in the workspace, unless the user has named a place.

    Of a workspace from elsewhere, outside of it: what lies in Prefect's folder is obeyed.
    """
    place = keeping(paths)
    if place is None:
        if os.environ.get("PREFECT_HOME"):
            return
        raise InputError(
            "prefect: found no home folder to keep its database in; expected one, since this"
            " workspace came from elsewhere; set XDG_STATE_HOME, or PREFECT_HOME"
        )
    home = place / paths.prefect_home.relative_to(paths.state)
    home.mkdir(parents=True, exist_ok=True)
    full = unwritable(home, _ROOM)
    if full is not None:  # or the server would be waited for in vain, for minutes
        raise InputError(full)
    os.environ.setdefault("PREFECT_HOME", str(home.resolve()))


def use(server: Note) -> None:
    """Let this process and those that it starts use `server`, and tell nobody else its secret."""
    os.environ["PREFECT_API_URL"] = server.url
    os.environ["PREFECT_API_AUTH_STRING"] = server.secret
    for name in ("NO_PROXY", "no_proxy"):
        # The first keeps a proxy from being sent the secret; both are read, by different libraries.
        direct = [*filter(None, os.environ.get(name, "").split(",")), "127.0.0.1"]
        os.environ[name] = ",".join(dict.fromkeys(direct))
    if "prefect" in sys.modules:
        from prefect.context import refresh_global_settings_context

        refresh_global_settings_context()


def no_heartbeats() -> AbstractContextManager[object]:
    """Let flow runs end at once: for its last heartbeat each waits for up to a second.

    What they are for, to find runs that died, is asked of the flow around subflows, and of flow
    runs on a server that others look at.
    """
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    if PREFECT_FLOWS_HEARTBEAT_FREQUENCY.value() is None:
        return nullcontext()  # to validate all settings anew takes 0.07 s
    return temporary_settings(updates={PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None})
