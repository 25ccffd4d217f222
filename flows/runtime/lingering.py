"""How long what a command has started stays for the next one."""

from __future__ import annotations

import os

from tasks.core.workspace.errors import InputError
from tasks.core.workspace.paths import Paths

MINUTES = "REFRACT_LINGER"  # environment variable: minutes, before what params.yaml says
_CI = "CI"  # set where nobody comes back: by GitHub, GitLab and most others
_NO = ("", "0", "false")


def seconds_to_linger(paths: Paths) -> float:
    """Return the seconds that servers stay after the last command: 0 where nobody comes back.

    InputError where the environment names no number of minutes.
    """
    from tasks.core.settings.params import load_params
    from tasks.core.settings.running_sections import LONGEST_LINGER

    named = os.environ.get(MINUTES)
    if named is None:
        if none_lingers():
            return 0.0
        return 60 * load_params(paths.params).engine.linger
    try:
        minutes = float(named)
    except ValueError:
        minutes = -1.0
    if not 0 <= minutes <= LONGEST_LINGER:
        raise InputError(
            f"environment variable {MINUTES}: found {named[:80]!r}; expected minutes from 0 to"
            f" {LONGEST_LINGER}; correct it, or unset it"
        )
    return 60 * minutes


def none_lingers() -> bool:
    """Tell whether the environment alone says that nothing stays."""
    named = os.environ.get(MINUTES)
    if named is not None:
        try:
            return float(named) <= 0
        except ValueError:
            return True  # no number: the command itself says so
    return os.environ.get(_CI, "").lower() not in _NO
