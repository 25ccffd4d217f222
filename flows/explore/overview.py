"""What there is to look at: each view as readers see it, and instructions that have none yet."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from flows.state.label_sources import label_sources
from flows.state.staleness import fitted
from flows.state.trust import is_agreed
from tasks.core.encoding import base_table
from tasks.core.labels.files import LabelFile
from tasks.core.labels.reader import read_labels
from tasks.core.settings.params import Params
from tasks.core.store import tables
from tasks.core.store.layout import exists
from tasks.core.store.searcher import Searcher
from tasks.core.transforms.card import read_card
from tasks.core.views.lazy_search import LazySearcher
from tasks.core.views.transforming import reader_of
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import digest, write_bytes
from tasks.core.workspace.instruction_name import NAME
from tasks.core.workspace.manifest import manifest_of, read_manifest
from tasks.core.workspace.manifests import Card, EmbedStamp, IngestStamp, Scores, ViewNote
from tasks.core.workspace.one_look import one_look
from tasks.core.workspace.paths import Paths
from tasks.versioning import history
from tasks.versioning.messages import identity
from tasks.versioning.run_git_and_dvc import place_of


@dataclass(frozen=True)
class LiveView:
    """One version of a view: how many rows, the card of its transform, and rows by label."""

    rows: int
    card: Card
    transform: str
    counts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class LabelsFound:
    """The labelled texts of an instruction, and how many labels they have; why: none is of use."""

    texts: int
    classes: int
    why: str = ""


def known_as(paths: Paths) -> str:
    """Return what no other workspace has, also none at the same place at another time."""
    if not paths.own_name.is_file():
        write_bytes(paths.own_name, secrets.token_hex(16).encode())
    return digest(f"{paths.root.resolve()}\n{paths.own_name.read_text('ascii', 'replace')}")[:16]


def corpus_columns(paths: Paths) -> tuple[int, dict[str, str]]:
    """Return how many texts can be looked at, and name → type of the columns beside them."""
    corpus = read_manifest(paths.stamp("ingest"), IngestStamp) or IngestStamp()
    base = read_manifest(paths.stamp("embed"), EmbedStamp) or EmbedStamp()
    return base.rows, corpus.columns


def instructions(paths: Paths) -> list[str]:
    """Return the instructions that have labels or a transform."""
    files = label_sources(paths)
    errors = filter(NAME.fullmatch, files.errors)  # files without a name of use have theirs
    return sorted({*files, *errors, *fitted(paths)})


def live_version(paths: Paths, name: str) -> int | None:
    """Return the version of view `name` that readers see; None before the first."""
    table = paths.view_table(name)
    return tables.live_version(table) if paths.view_stamp(name).is_file() else None


def base_digest(paths: Paths) -> str:
    """Return a fingerprint of the base vectors, which lazy views are of."""
    return (read_manifest(paths.stamp("embed"), EmbedStamp) or EmbedStamp()).digest


def live_view(paths: Paths, name: str, version: int) -> LiveView:
    """Return what version `version` of view `name` is."""
    rows = Searcher(paths.view_table(name), live=True, version=version)
    note = manifest_of(rows.note, ViewNote, "the view's table") or ViewNote()
    kept = paths.kept_transform(name, note.transform)
    if note.lazy:
        texts, reader = Searcher(paths.base_table, live=False), reader_of(kept, light=True)
        rows = LazySearcher(rows, texts, reader, note)
    return LiveView(rows.count(), read_card(kept), note.transform, rows.counts("label"))


def scores_of(paths: Paths, name: str, transform: str) -> Scores | None:
    """Return the scores of a transform; None where those noted are of another."""
    noted = read_manifest(paths.metric(name), Scores)
    return noted if noted is not None and noted.fingerprint == transform else None


def tags(paths: Paths) -> Mapping[tuple[str, str], str] | None:
    """Return the newest git tag of each view and transform; None where git may not be asked."""
    if place_of(paths.root) is None:
        return {}
    if not is_agreed(paths, "git"):
        return None
    found = history.view_tags(paths.root)
    scores = history.scores_at(
        paths.root, [(tag.commit, history.score_file(tag.view)) for tag in found]
    )
    return {
        (tag.view, identity(figures)): tag.tag for tag, figures in zip(found, scores, strict=True)
    }


def label_file(paths: Paths, name: str) -> LabelFile | InputError | None:
    """Return the label files of an instruction, or why they cannot be read."""
    with one_look():
        files = label_sources(paths)
    return files.errors.get(name) or files.get(name)


def state_of(paths: Paths, file: LabelFile | InputError | None) -> object:
    """Return what is another whenever labels, or the texts that they are about, may be."""
    base = paths.stamp("embed")
    if not isinstance(file, LabelFile):
        return str(file)
    stats = {}
    for place in (*(part.changing for part in file.parts), base):
        with suppress(OSError):  # it is not there, or not any more
            stats[place] = place.stat()
    return tuple(
        (str(place), about.st_ino, about.st_size, about.st_mtime_ns)
        for place, about in stats.items()
    )


def labels_found(paths: Paths, params: Params, file: LabelFile | InputError | None) -> LabelsFound:
    """Return what a first fit would find in the label files of an instruction."""
    if not isinstance(file, LabelFile):
        return LabelsFound(0, 0, "its label files are gone" if file is None else str(file))
    if not exists(paths.base_table):
        return LabelsFound(0, 0, "no vectors yet; run 'refract run'")
    keys, texts = base_table.keys(paths.base_table), base_table.texts(paths.base_table)
    try:
        found = read_labels(file, keys, 1, 1, params.fit.separator, texts)
    except InputError as error:
        return LabelsFound(0, 0, str(error))
    return LabelsFound(len(found.ids), len(found.counts))
