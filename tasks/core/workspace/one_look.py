"""One look at a workspace: each note is read once in it, and hashes are written down at its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from tasks.core.workspace import manifest
from tasks.core.workspace.files import Hashes

_Kind = TypeVar("_Kind", bound=manifest.Manifest)
_Found = TypeVar("_Found")


class _Held(Hashes):
    """Hashes that are written down when the look ends, and not a thousand times before."""

    def save(self) -> None:
        """Wait for the end."""

    def end(self) -> None:
        """Write down what has been held."""
        super().save()


@dataclass(frozen=True)
class _Look:
    notes: dict[tuple[str, type], manifest.Manifest | None] = field(default_factory=dict)
    hashes: dict[str, _Held] = field(default_factory=dict)
    found: dict[str, Any] = field(default_factory=dict)


_look: ContextVar[_Look | None] = ContextVar("_look", default=None)


@contextmanager
def one_look() -> Iterator[None]:
    """Take every note as it was when it was first read, until the block ends.

    For code that decides and writes nothing: a thousand instructions share most of their notes, and
    one's own are asked for several times. A look within a look is part of it.
    """
    if _look.get() is not None:
        yield
        return
    now = _Look()
    token = _look.set(now)
    try:
        yield
    finally:
        _look.reset(token)
        for held in now.hashes.values():
            held.end()


def read_manifest(path: Path, kind: type[_Kind]) -> _Kind | None:
    """Return what `manifest.read_manifest` does, in one look once."""
    now = _look.get()
    if now is None:
        return manifest.read_manifest(path, kind)
    key = (str(path), kind)
    if key not in now.notes:
        now.notes[key] = manifest.read_manifest(path, kind)
    found = now.notes[key]
    return found if isinstance(found, kind) else None


def once(what: str, find: Callable[[], _Found]) -> _Found:
    """Return what `find` does, in one look once."""
    now = _look.get()
    if now is None:
        return find()
    if what not in now.found:
        now.found[what] = find()
    found: _Found = now.found[what]
    return found


def hashes_in(memory: Path) -> Hashes:
    """Return the hashes remembered at `memory`, in one look the same ones each time."""
    now = _look.get()
    if now is None:
        return Hashes(memory)
    key = str(memory)
    if key not in now.hashes:
        now.hashes[key] = _Held(memory)
    return now.hashes[key]
