"""What is made anew just now, for those who look on: noted while it is, and told from a kill."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tasks.core.workspace.manifest import read_manifest, write_manifest
from tasks.core.workspace.paths import Paths
from tasks.core.workspace.state_manifests import UnderWayNote


@contextmanager
def under_way(paths: Paths, verb: str, names: Sequence[str]) -> Iterator[None]:
    """Note that `verb` makes `names` anew until the block ends; the caller is the one writer."""
    if not names:
        yield
        return
    note = UnderWayNote(verb=verb, names=list(names), process=os.getpid(), began=time.time())
    write_manifest(paths.under_way, note)
    try:
        yield
    finally:
        paths.under_way.unlink(missing_ok=True)


def now_under_way(paths: Paths) -> UnderWayNote:
    """Return what is made anew just now; an empty note where nothing is, or who did it is gone."""
    note = read_manifest(paths.under_way, UnderWayNote)
    return note if note is not None and _lives(note.process) else UnderWayNote()


def _lives(process: int) -> bool:
    if process <= 0:
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    return True
