"""Where a user keeps what belongs to no workspace."""

from __future__ import annotations

import os
from pathlib import Path

from tasks.core.workspace.errors import InputError

SCHEME = "s3://"  # how a root begins that is no folder, but a workspace in a store
HOMELESS = "REFRACT_HOMELESS"  # set where the home folder is but one for the time of a command


def lasting_state() -> Path | None:
    """Return the user's folder for what is kept outside of workspaces; None where none lasts."""
    base = user_state()
    if base is None or (HOMELESS in os.environ and base.is_relative_to(Path.home())):
        return None
    return base


def user_state() -> Path | None:
    """Return the user's folder of states; None where there is no home."""
    state = os.environ.get("XDG_STATE_HOME", "")
    if Path(state).is_absolute():
        return Path(state)
    try:
        return Path.home() / ".local" / "state"
    except RuntimeError:  # neither HOME nor an entry in passwd
        return None


def user_cache() -> Path:
    """Return the user's folder of what may be lost: small files of workspaces in stores."""
    cache = os.environ.get("XDG_CACHE_HOME", "")
    try:
        base = Path(cache) if Path(cache).is_absolute() else Path.home() / ".cache"
    except RuntimeError as error:  # as above
        raise InputError(
            "XDG_CACHE_HOME: found no home folder; expected a place for files of workspaces in"
            " stores; set it to a folder"
        ) from error
    return base / "refract" / "stores"
