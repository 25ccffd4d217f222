"""DVC's notes of a version: the outputs they name, and what of them is never handed to DVC.

A note is a file that DVC obeys: `dvc.yaml`, `dvc.lock`, `NAME.dvc`. In a clone they were written by
others, so what they name is taken for a wish until it is known to lie in the workspace.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from tasks.core.settings.merge_conflicts import refuse_conflict
from tasks.core.settings.yaml_file import parse_note
from tasks.core.text.discretion import cut
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.paths import Paths

STAGES = ("ingest", "embed", "fit", "materialise")
_INSIDE = Paths(Path())
_PARAMS, _PIPELINE, _LOCK, _RAW_NOTE = (
    path.as_posix() for path in (_INSIDE.params, _INSIDE.pipeline, _INSIDE.lock, _INSIDE.raw_note)
)
RAW = _INSIDE.raw.as_posix()
# What DVC keeps of a workspace, and what git keeps of it although a stage makes it.
KEPT = tuple(
    path.as_posix()
    for path in (
        *(_INSIDE.corpus, _INSIDE.vectors, _INSIDE.transforms, _INSIDE.views),
        *(_INSIDE.rejected_documents.parent, _INSIDE.rejection("x").parent),
    )
)
FIGURES = tuple(
    path.as_posix()
    for path in (
        *(_INSIDE.corpus_figures, _INSIDE.metric_folder),
        *(_INSIDE.score_table, _INSIDE.shift_table),
    )
)
_HOLDERS = tuple(  # below which nothing may be a link
    path.as_posix() for path in (_INSIDE.state, _INSIDE.dvc, _INSIDE.metrics, _INSIDE.quarantine)
)
_ENTRY = {"path", "hash", "md5", "size", "nfiles", "isexec"}  # what DVC notes of an output
_DIGEST = re.compile(r"[0-9a-f]{32}(\.dir)?")

Note = Mapping[str, object]
"""A mapping of one of DVC's notes: nothing of it is known until it is looked at."""


class Tree(Protocol):
    """The files of one version: as git holds them, or as they lie there."""

    name: str

    def notes(self) -> list[str]:
        """Return the paths of DVC's notes."""
        ...

    def contents(self, paths: Sequence[str]) -> list[bytes | None]:
        """Return what the files at `paths` hold; None where there is none."""
        ...

    def links(self) -> set[str]:
        """Return the paths that are links or submodules."""
        ...


@dataclass(frozen=True)
class Wanted:
    """What DVC may be asked for: its targets, the content of each, and what is left to the user."""

    targets: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    left: tuple[str, ...] = ()

    def only(self, places: tuple[str, ...]) -> Wanted:
        """Return these without the targets outside of `places`; all where none is given."""
        if not places:
            return self
        pairs = [
            (one, digest)
            for one, digest in zip(self.targets, self.digests, strict=True)
            if one in places
        ]
        return Wanted(tuple(one for one, _ in pairs), tuple(digest for _, digest in pairs))


@dataclass
class _Found:
    digests: dict[str, str] = field(default_factory=dict)
    declared: set[str] = field(default_factory=set)
    left: set[str] = field(default_factory=set)


_note = lru_cache(maxsize=8)(parse_note)  # asked before each post of labels, and only read


def wanted(tree: Tree) -> Wanted:
    """Return what of `tree` is Refract's own; InputError where a note names anything dangerous.

    Refused: an output outside of the workspace, or behind a link, in whichever note; and in the
    notes of Refract's own stages anything that these do not make.
    """
    links = {link.casefold() for link in tree.links()}
    _refuse_linked_places(tree, links)
    names, found = [_PARAMS, *tree.notes()], _Found()
    for name, content in zip(names, tree.contents(names), strict=True):
        if content is not None and name == _PARAMS:  # which DVC reads as well
            refuse_conflict(f"{tree.name}{name}", content)
        elif content is not None:
            note = _note(f"{tree.name}{name}", content)
            _Reader(tree.name, name, links, found).take(note)
    own = [place for place in (*KEPT, RAW) if place in found.declared and place in found.digests]
    return Wanted(
        tuple(own), tuple(found.digests[place] for place in own), tuple(sorted(found.left))
    )


class _Reader:
    """Collects the outputs that one of DVC's notes names, or refuses it."""

    def __init__(self, where: str, name: str, links: set[str], found: _Found) -> None:
        self._where, self._name, self._links, self._found = where, name, links, found
        self._folder = posixpath.dirname(name)

    def take(self, note: Note) -> None:
        """Collect the outputs of `note`; InputError where it names anything dangerous."""
        if self._name.endswith(".dvc"):
            self._stage(None, note)
            return
        stages = note.get("stages")
        for name, stage in (stages if isinstance(stages, dict) else {}).items():
            if isinstance(stage, dict):
                self._stage(str(name), stage)

    def _stage(self, name: str | None, stage: Note) -> None:
        own = self._name == _RAW_NOTE or (
            self._name in (_PIPELINE, _LOCK) and name is not None and name in STAGES
        )
        if own:
            self._check_own(name, stage)
        inner = stage.get("do") if isinstance(stage.get("do"), dict) else stage
        folder = self._in(self._folder, inner.get("wdir", ".")) if isinstance(inner, dict) else None
        for path, entry in _outputs(inner):
            if not own and (folder is None or "${" in path):
                continue  # DVC fills these in; its lock holds them as they became
            place = self._place(name, folder or "", path)
            if own:
                self._take_own(name, place, entry)
            elif place not in (*KEPT, RAW):
                self._found.left.add(place)

    def _in(self, folder: str, wdir: object) -> str | None:
        text = str(wdir)
        return None if "${" in text else posixpath.join(folder, text)

    def _check_own(self, name: str | None, stage: Note) -> None:
        where = self._called(name)
        for key in ("foreach", "matrix", "wdir"):
            if stage.get(key) not in (None, "."):
                raise InputError(
                    f"{where}: found {key!r}; expected the stage that 'refract init' writes;"
                    " restore it"
                )
        if self._name == _RAW_NOTE and stage.get("deps"):
            raise InputError(
                f"{where}: imports the documents from elsewhere; expected the note of"
                " 'dvc add data/raw'; remove it, then 'refract run'"
            )
        for path in _inputs(stage):
            _refuse_outside(where, self._folder, path, "reads")

    def _place(self, name: str | None, folder: str, path: str) -> str:
        """Return where an output lies below the workspace; InputError where that is not so."""
        where = self._called(name)
        place = _refuse_outside(where, folder, path, "writes")
        for part in _prefixes(place):
            if part.casefold() in self._links:
                raise InputError(
                    f"{where}: writes {cut(path)}, and {part} is a link; expected outputs in"
                    " folders of the workspace's own; nothing was written; remove the link or the"
                    " output"
                )
        return place

    def _take_own(self, name: str | None, place: str, entry: Note) -> None:
        where = self._called(name)
        known = (RAW,) if self._name == _RAW_NOTE else (*KEPT, *FIGURES)
        if place not in known:
            raise InputError(
                f"{where}: writes {cut(place)}, which is none of Refract's outputs; expected"
                " those that 'refract init' writes; give yours a stage of its own"
            )
        if self._name == _PIPELINE:
            self._found.declared.add(place)
            return
        if self._name == _RAW_NOTE:
            self._found.declared.add(place)
        unknown = sorted(str(key) for key in set(entry) - _ENTRY)
        digest = entry.get("md5")
        if unknown or not (isinstance(digest, str) and _DIGEST.fullmatch(digest)):
            what = f"{unknown[0]!r}" if unknown else f"md5 {cut(str(digest))!r}"
            raise InputError(
                f"{where}: notes {place} with {what}; expected the MD5 that DVC writes; restore it"
                " ('git checkout -- FILE'), then 'refract run'"
            )
        self._found.digests[place] = digest

    def _called(self, name: str | None) -> str:
        return f"{self._where}{self._name}" + ("" if name is None else f": stage {cut(name)!r}")


def _outputs(stage: object) -> Iterator[tuple[str, Note]]:
    kinds = stage if isinstance(stage, dict) else {}
    for kind in ("outs", "metrics", "plots"):
        yield from _entries(kinds.get(kind))


def _inputs(stage: Note) -> Iterator[str]:
    yield from (path for path, _ in _entries(stage.get("deps")))
    params = stage.get("params")
    for item in params if isinstance(params, list) else []:
        if isinstance(item, dict):  # a file of its own, and the keys in it
            yield from (str(path) for path in item)
    yield from (str(path) for path in params) if isinstance(params, dict) else ()


def _entries(value: object) -> Iterator[tuple[str, Note]]:
    """Return path and settings of each, in any of the forms that DVC reads."""
    items = value if isinstance(value, list) else [value] if isinstance(value, str | dict) else []
    for item in items:
        if isinstance(item, dict) and "path" in item:
            yield str(item["path"]), item
        elif isinstance(item, dict):
            yield from (
                (str(path), about if isinstance(about, dict) else {})
                for path, about in item.items()
            )
        else:
            yield str(item), {}


def _refuse_outside(where: str, folder: str, path: str, verb: str) -> str:
    """Return `path` of a note in `folder`, from the workspace's root."""
    place = posixpath.normpath(posixpath.join(folder, path))
    foreign = "\\" in place or re.match(r"[A-Za-z]:", path) or "://" in path or "\0" in path
    if foreign or place.startswith(("/", "..")) or place in (".", ""):
        raise InputError(
            f"{where}: {verb} {cut(path)!r}, which lies outside of the workspace; expected paths"
            " below it; nothing was written; remove it from there"
        )
    return place


def _prefixes(place: str) -> Iterator[str]:
    parts = place.split("/")
    return ("/".join(parts[: n + 1]) for n in range(len(parts)))


def _refuse_linked_places(tree: Tree, links: set[str]) -> None:
    """Raise InputError where a folder or file that Refract writes is a link, or behind one."""
    own = [*KEPT, RAW, *FIGURES, *_HOLDERS, _PIPELINE, _LOCK, _RAW_NOTE]
    own += [_PARAMS, _INSIDE.labels.as_posix()]
    ways = {part for place in own for part in _prefixes(place)}
    below = tuple(f"{place}/" for place in (*KEPT, *_HOLDERS))
    bad = sorted(link for link in links if link in ways or link.startswith(below))
    if bad:
        raise InputError(
            f"{tree.name}{cut(bad[0])}: is a link (or a submodule); expected a file or folder of"
            " the workspace's own, since Refract writes there; nothing was written; remove the link"
        )
