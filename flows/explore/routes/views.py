"""What there is: the corpus, and each view with its labels, scores and version."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import cache, partial

from fastapi import APIRouter
from pydantic import BaseModel

from flows.explore import overview
from flows.explore.service import Served, Service
from flows.state import staleness
from flows.state.spoken_names import named_labels
from tasks.core.store import layout
from tasks.core.text.discretion import shown
from tasks.core.text.near_names import listed
from tasks.core.workspace.errors import InputError, MissingError
from tasks.core.workspace.instruction_name import BASE
from tasks.core.workspace.manifests import TOLD_FROM, Scores
from tasks.versioning.tag_files import TagFiles

router = APIRouter(tags=["views"])
Tags = Mapping[tuple[str, str], str]


class Column(BaseModel):
    """A column that came with the documents, and its type: string, integer, number, boolean."""

    name: str
    type: str


class Corpus(BaseModel):
    """How many texts there are, and the columns beside them."""

    texts: int
    columns: list[Column]


class Bounds(BaseModel):
    """What holds the true figure with a probability of 95 %."""

    low: float
    high: float


class Shift(BaseModel):
    """Scores × 100 on held-out texts, in the generic space and in the view, by measure.

    texts: how many labelled ones they are by; accuracy: the share of those held out that get their
    label; right: about which share of all texts. intervals: of `right` and of the figures after.
    """

    texts: int | None
    before: dict[str, float | None]
    after: dict[str, float | None]
    accuracy: float | None
    right: float | None
    intervals: dict[str, Bounds] = {}


class Ruling(BaseModel):
    """How the quality gate has ruled, and why.

    beyond: what is sure of all texts, though the labelled ones that were left out do not prove it.
    """

    state: str
    why: str
    beyond: str = ""


class LabelsNeeded(BaseModel):
    """How many labelled texts a first fit finds and expects, and of how many labels."""

    found: int
    expected: int
    classes: int
    why: str


class View(BaseModel):
    """A view, or an instruction that has labels and no view yet: then its rows are 0.

    labels: until there is a view those that were named; counts: rows by label; labelled: texts with
    a label; version: its git tag; labels_needed: until there is a view, and where there is one of
    the names of labels alone (by_names); without: the aspects that are erased from it.
    """

    name: str
    wording: str
    rows: int = 0
    labels: list[str] = []
    counts: dict[str, int] = {}
    scores: Shift | None = None
    gate: Ruling | None = None
    version: str | None = None
    transform: str | None = None
    labelled: int = 0
    fitting: bool = False
    labels_needed: LabelsNeeded | None = None
    by_names: bool = False
    without: list[str] = []


class Views(BaseModel):
    """The corpus, and all views: the generic space, which is named base, is the first.

    known_as: what no other workspace has, for what a browser keeps of this one; min_rows:
    labelled texts that a first fit expects; told_from: those from which `right` is told.
    """

    known_as: str
    min_rows: int
    told_from: int
    corpus: Corpus
    views: list[View]


class Detail(View):
    """A view, and the columns that it can be filtered by."""

    metadata: list[Column]


@router.get("/views")
def views(service: Served) -> Views:
    """List what there is."""
    names = overview.instructions(service.paths)
    tags = _tags(service, names)
    found = [_instruction(service, name, tags) for name in names]
    return Views(
        known_as=service.known_as,
        min_rows=service.params.fit.min_rows,
        told_from=TOLD_FROM,
        corpus=_corpus(service),
        views=[_base(service), *found],
    )


@router.get("/views/{name}")
def view(service: Served, name: str) -> Detail:
    """Tell of one view."""
    names = overview.instructions(service.paths)
    if name not in (BASE, *names):
        raise MissingError(
            f"view {shown(name)}: there is none; expected one of: {listed(name, [BASE, *names])}"
        )
    tags = _tags(service, [name] if name != BASE else [])
    found = _base(service) if name == BASE else _instruction(service, name, tags)
    return Detail(**found.model_dump(), metadata=_corpus(service).columns)


def _corpus(service: Service) -> Corpus:
    texts, columns = overview.corpus_columns(service.paths)
    kinds = [Column(name=name, type=kind) for name, kind in columns.items()]
    return Corpus(texts=texts, columns=kinds)


def _base(service: Service) -> View:
    texts, _ = overview.corpus_columns(service.paths)
    return View(name=BASE, wording="as the encoder has it", rows=texts)


def _instruction(service: Service, name: str, tags: Tags) -> View:
    paths, wording = service.paths, staleness.wording(service.paths, service.params, name)
    fitting, live = name in service.fitting, _live(service, name)
    needed = _needed(service, name) if live is None or live.card.by_names else None
    if live is None:
        return View(
            name=name,
            wording=wording,
            labels=_named(service, name),
            labelled=needed.found if needed else 0,
            fitting=fitting,
            labels_needed=needed,
        )
    scores = service.once(
        ("scores", name, live.transform),  # during a fit, those noted are of the next one
        lambda: overview.scores_of(paths, name, live.transform),
    )
    gate = live.card.gate
    return View(
        name=name,
        wording=wording,
        rows=live.rows,
        labels=live.card.labels,
        counts=live.counts,
        scores=None if scores is None else _shift(scores),
        gate=Ruling(**gate.told()) if gate and gate.state else None,
        version=tags.get((name, live.transform)),
        transform=live.transform,
        labelled=needed.found if needed else (scores.texts if scores else None) or 0,
        fitting=fitting,
        labels_needed=needed,
        by_names=live.card.by_names,
        without=list(live.card.aspects),
    )


def _named(service: Service, name: str) -> list[str]:
    """Return what people called the labels that there is no view of yet."""
    with suppress(InputError):  # of a file that cannot be read `labels_needed` says so
        return [label.name for label in named_labels(service.paths, name)]
    return []


def _live(service: Service, name: str) -> overview.LiveView | None:
    version = overview.live_version(service.paths, name)
    if version is None:
        return None
    state = layout.state(service.paths.view_table(name), version)
    key = ("view", name, state, overview.base_digest(service.paths))
    return service.once(key, lambda: overview.live_view(service.paths, name, version))


def _shift(scores: Scores) -> Shift:
    return Shift(
        texts=scores.texts,
        before=scores.before,
        after=scores.after,
        accuracy=scores.accuracy,
        right=scores.share_right,
        intervals={
            name: Bounds(low=low, high=high)
            for name, each in scores.intervals.items()
            if (low := each.get("low")) is not None and (high := each.get("high")) is not None
        },
    )


def _needed(service: Service, name: str) -> LabelsNeeded:
    file, params = overview.label_file(service.paths, name), service.params
    key = ("labels", name, overview.state_of(service.paths, file), params.fit)
    found = service.once(key, lambda: overview.labels_found(service.paths, params, file))
    return LabelsNeeded(
        found=found.texts, expected=params.fit.min_rows, classes=found.classes, why=found.why
    )


def _tags(service: Service, names: list[str]) -> Tags:
    """Return the tags of views; git is asked anew only where it may know others than before."""
    live = [(name, one.transform) for name in names if (one := _live(service, name)) is not None]
    files = TagFiles(service.paths.root)
    states = {pair: files.state(pair[0]) for pair in live}  # all of them before git is asked
    ask = cache(partial(overview.tags, service.paths))

    def tag_of(pair: tuple[str, str]) -> str | None:
        known = ask()
        return None if known is None else known.get(pair, "")

    found = {
        pair: service.once(("tag", *pair, state), partial(tag_of, pair))
        for pair, state in states.items()
    }
    return {pair: tag for pair, tag in found.items() if tag}
