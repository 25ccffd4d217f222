"""Refract: embed once, see it by any instruction."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import flows
import tasks

if TYPE_CHECKING:
    from flows.queries.workspace import View as View
    from flows.queries.workspace import Workspace as Workspace
    from tasks.core.workspace.errors import InputError as InputError

_PLACES = {
    "InputError": f"{tasks.__name__}.core.workspace.errors",
    "View": f"{flows.__name__}.queries.workspace",
    "Workspace": f"{flows.__name__}.queries.workspace",
}
__all__ = ["InputError", "View", "Workspace"]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_PLACES[name]), name)


def _check_own(*packages: Any) -> None:
    """Refuse packages of the same names from elsewhere; only a checkout can meet them.

    A wheel has them below this package.
    """
    here = Path(__file__).resolve().parent
    for package in packages:
        found = Path(package.__file__ or ".").resolve()
        if found.parent.parent not in (here, here.parent):
            name = package.__name__
            raise ImportError(
                f"refract: found a module {name!r} at {found}; expected its own in {here.parent},"
                " where it is installed editable; rename yours, start Python with -P, or install"
                f" Refract as a wheel: pip install {here.parent}"
            )


_check_own(flows, tasks)
