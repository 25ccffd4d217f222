"""What is made anew just now, for those who look on: noted while it is, and told from a kill."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tasks.core.workspace.manifest import read_manifest, write_manifest
from tasks.core.workspace.paths import Paths
from tasks.core.workspace.state_manifests import UnderWayNote

VERBS = ("fit", "materialise")


@contextmanager
def under_way(paths: Paths, verb: str, names: Sequence[str]) -> Iterator[None]:
    """Note that `verb` makes `names` anew until the block ends; the caller is the one writer.

    The note stays then, as ended: who looks on now and then misses none.
    """
    if not names:
        yield
        return
    note = UnderWayNote(names=list(names), process=os.getpid(), began=time.time())
    write_manifest(paths.under_way(verb), note)
    try:
        yield
    finally:
        write_manifest(paths.under_way(verb), note.changed(ended=True))


def begun(paths: Paths, verb: str) -> UnderWayNote:
    """Return what `verb` has made anew last, or makes just now; an empty note before the first."""
    return read_manifest(paths.under_way(verb), UnderWayNote) or UnderWayNote()


def now_under_way(paths: Paths) -> set[str]:
    """Return the instructions that are made anew just now, by a process that is still there."""
    notes = [begun(paths, verb) for verb in VERBS]
    at_work = [note for note in notes if not note.ended and _lives(note.process)]
    return {name for note in at_work for name in note.names}


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
