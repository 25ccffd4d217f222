"""Whether the user has named a Prefect server, told before Prefect is imported."""

from __future__ import annotations

import os
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

URL = "PREFECT_API_URL"


def user_chose_a_server() -> bool:
    """Tell whether Prefect, left to itself, would use a server that the user has named.

    The places are Prefect's own, in its order: the environment, `.env`, `prefect.toml` and
    `pyproject.toml` where the command runs, and the active profile.
    """
    if "prefect" in sys.modules:  # Python that has used Prefect before: as it is set up there
        from prefect.settings import PREFECT_API_URL

        return bool(PREFECT_API_URL.value())
    return bool(os.environ.get(URL) or _dotenv() or _project() or _profile())


def _dotenv() -> str | None:
    if not Path(".env").is_file():
        return None
    from dotenv import dotenv_values

    return dotenv_values(".env").get(URL)


def _project() -> Any:
    own = _at(_table(Path("prefect.toml")), "api", "url")
    return own or _at(_table(Path("pyproject.toml")), "tool", "prefect", "api", "url")


def _profile() -> Any:
    known = _table(_profiles())
    spec = find_spec("prefect")
    folder = Path(spec.origin).parent if spec and spec.origin else Path()
    built_in = _table(folder / "settings" / "profiles.toml")
    name = os.environ.get("PREFECT_PROFILE") or str(known.get("active"))
    return any(_at(profiles, "profiles", name, URL) for profiles in (known, built_in))


def _profiles() -> Path:
    named, home = os.environ.get("PREFECT_PROFILES_PATH"), os.environ.get("PREFECT_HOME")
    return Path(named) if named else Path(home or "~/.prefect") / "profiles.toml"


def _at(table: Any, *keys: str) -> Any:
    for key in keys:
        table = table.get(key) if isinstance(table, dict) else None
    return table


def _table(file: Path) -> dict[str, object]:
    try:
        return tomllib.loads(file.expanduser().read_text("utf-8"))
    except (OSError, ValueError, RuntimeError):  # RuntimeError: nobody knows where ~ is
        return {}
