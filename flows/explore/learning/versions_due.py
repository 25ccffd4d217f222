"""Views that were fitted and are to be recorded as a version once their labels have rested longer.

Who labels a text a second has a view fitted with each pause; a version of each would be a history
that nobody reads. A note on disk remembers what is due, whatever becomes of the service.
"""

from __future__ import annotations

import time

from tasks.core.workspace.manifest import read_manifest, write_manifest
from tasks.core.workspace.paths import Paths
from tasks.core.workspace.state_manifests import VersionsDueNote


class VersionsDue:
    """What is due, and since when it rests."""

    def __init__(self, paths: Paths) -> None:
        """Take up what an earlier start has left."""
        self._note = paths.versions_due
        left = read_manifest(self._note, VersionsDueNote) or VersionsDueNote()
        self._since = dict.fromkeys(left.views, time.monotonic())

    def __bool__(self) -> bool:
        """Tell whether anything is due."""
        return bool(self._since)

    def owe(self, name: str) -> None:
        """Note, before a view is fitted, that a version of it will be due; its rest begins anew."""
        known = name in self._since
        self._since[name] = time.monotonic()
        if not known:
            write_manifest(self._note, VersionsDueNote(views=sorted(self._since)))

    def settle(self) -> None:
        """Forget all: one commit holds what there is."""
        self._since.clear()
        self._note.unlink(missing_ok=True)

    def rested(self, rest: float) -> str | None:
        """Return a view that has rested so many seconds; None where none has."""
        now = time.monotonic()
        if all(now - at >= rest for at in self._since.values()):
            return next(iter(self._since), None)
        return None
