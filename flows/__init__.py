"""Refract: embed once, see it by any instruction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flows.queries.workspace import View as View
    from flows.queries.workspace import Workspace as Workspace

__all__ = ["View", "Workspace"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from flows.queries import workspace

    return getattr(workspace, name)
