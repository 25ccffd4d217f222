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
    pyproject = _table(Path("pyproject.toml")).get("tool", {}).get("prefect", {})
    return any(each.get("api", {}).get("url") for each in (_table(Path("prefect.toml")), pyproject))


def _profile() -> Any:
    known = _table(_profiles())
    spec = find_spec("prefect")
    folder = Path(spec.origin).parent if spec and spec.origin else Path()
    built_in = _table(folder / "settings" / "profiles.toml")
    name = os.environ.get("PREFECT_PROFILE") or known.get("active", "")
    profiles = built_in.get("profiles", {}) | known.get("profiles", {})
    return profiles.get(name, {}).get(URL)


def _profiles() -> Path:
    named, home = os.environ.get("PREFECT_PROFILES_PATH"), os.environ.get("PREFECT_HOME")
    return Path(named) if named else Path(home or "~/.prefect") / "profiles.toml"


def _table(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.expanduser().read_text("utf-8"))
    except (OSError, ValueError, RuntimeError):  # RuntimeError: nobody knows where ~ is
        return {}
