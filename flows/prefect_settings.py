"""How Prefect is set up for a command, before it is imported."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.server import known_server
from tasks.core.errors import InputError
from tasks.core.exhaustion import unwritable
from tasks.core.paths import Paths

_OWN_SERVER = {
    "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "true",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",  # 6 to 20 s seen on two busy cores
}
_ROOM = 8 << 20  # bytes: a new database took 1 MB, its journal 4 at most
_QUIET = {
    # An expected error is one line on stderr; the run's page in the Prefect UI keeps its traceback.
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
}


def settle(paths: Paths) -> None:
    """Use the server the user has chosen, else that of a running `refract serve`, else an
    ephemeral one that keeps to the workspace."""
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    if _user_chose_a_server():
        return
    served = known_server(paths)
    if served is not None:
        os.environ["PREFECT_API_URL"] = served
    paths.prefect_home.mkdir(parents=True, exist_ok=True)
    full = unwritable(paths.prefect_home, _ROOM)
    if full is not None:  # or the server would be waited for in vain, for minutes
        raise InputError(full)
    os.environ["PREFECT_HOME"] = str(paths.prefect_home.resolve())
    for name, value in _OWN_SERVER.items():
        os.environ.setdefault(name, value)


@contextmanager
def one_heartbeat() -> Iterator[None]:
    """Let the flow at work send heartbeats for its subflows: each of theirs costs a second."""
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    with temporary_settings(updates={PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        yield


def _user_chose_a_server() -> bool:
    if any(os.environ.get(name) for name in ("PREFECT_API_URL", "PREFECT_HOME", "PREFECT_PROFILE")):
        return True
    profiles = Path.home() / ".prefect" / "profiles.toml"
    try:
        known = tomllib.loads(profiles.read_text("utf-8"))
    except (OSError, ValueError):
        return False
    active = known.get("profiles", {}).get(known.get("active", ""), {})
    return bool(active.get("PREFECT_API_URL"))
