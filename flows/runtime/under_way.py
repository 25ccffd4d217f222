"""What is made anew just now, for those who look on: noted while it is, and told from a kill."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from flows.runtime.lock import is_held
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
    note = UnderWayNote(names=list(names), began=time.time())
    paths.under_way(verb).parent.mkdir(parents=True, exist_ok=True)
    with FileLock(_lock(paths, verb)):  # the system frees it, however this ends
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
    notes = {verb: begun(paths, verb) for verb in VERBS}
    at_work = [n for verb, n in notes.items() if not n.ended and is_held(_lock(paths, verb))]
    return {name for note in at_work for name in note.names}


def _lock(paths: Paths, verb: str) -> Path:
    return paths.under_way(verb).with_suffix(".lock")
