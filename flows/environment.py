"""What libraries read from the environment when they are loaded, unless the user has decided."""

from __future__ import annotations

import os

_DEFAULTS = {
    # A Python that is started as `python -m …` looks for modules in the current folder first, and
    # this may be a workspace that came from elsewhere.
    "PYTHONSAFEPATH": "refract",
    "LANCE_LOG": "error",  # their warnings are for those who write to tables
    "LANCEDB_LOG": "error",
    # OpenMP's threads spin while they wait, and so hold the cores that other programs need: beside
    # one of these, encoding ran at a quarter of its rate, and on idle cores at the same.
    "OMP_WAIT_POLICY": "PASSIVE",
}


def settle_environment() -> None:
    """Set what nobody has set; to be called before torch or lancedb is imported."""
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
