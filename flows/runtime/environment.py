"""What libraries read from the environment when they are loaded, unless the user has decided."""

from __future__ import annotations

import atexit
import getpass
import os
import shutil
import tempfile
from pathlib import Path

from tasks.core.workspace.network import check_network, spare_loopback
from tasks.core.workspace.user_state import HOMELESS

_DEFAULTS = {
    # A Python that is started as `python -m …` looks for modules in the current folder first, and
    # this may be a workspace that came from elsewhere.
    "PYTHONSAFEPATH": "refract",
    "LANCE_LOG": "error",  # their warnings are for those who write to tables
    "LANCEDB_LOG": "error",
    # OpenMP's threads spin while they wait, and so hold the cores that other programs need: beside
    # one of these, encoding ran at a quarter of its rate, and on idle cores at the same.
    "OMP_WAIT_POLICY": "PASSIVE",
    # OpenBLAS's as well: for 2^16 cycles, not 2^28. They took 0.12 s of the 0.27 of a search.
    "OPENBLAS_THREAD_TIMEOUT": "16",
}


def settle_environment() -> None:
    """Set what nobody has set; to be called before torch or lancedb is imported."""
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
    spare_loopback()


def settle_home() -> None:
    """Give a user without a home, as in a container with any user id, one until this process ends.

    Prefect does not import without it, Hugging Face writes into a folder named '~', and DVC ends
    where such a user has no name either. It is not in the workspace: what stands in a home is
    trusted, and a workspace may come from elsewhere.
    """
    try:
        Path.home()
    except RuntimeError:
        home = tempfile.mkdtemp(prefix="refract-home-")
        atexit.register(shutil.rmtree, home, ignore_errors=True)
        os.environ |= {"HOME": home, HOMELESS: "true"}
    try:
        getpass.getuser()
    except (KeyError, OSError):  # OSError from Python 3.13 on
        os.environ["USER"] = f"uid-{os.getuid()}"


def settle_network() -> None:
    """Refuse what Prefect's client would fail at; InputError names the variable."""
    spare_loopback()
    check_network()
