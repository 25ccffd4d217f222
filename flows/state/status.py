"""What is there, and what is stale and why; read from small notes alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace

from flows.migration.upcoming import how_far
from flows.state import staleness
from flows.state.label_sources import label_sources
from flows.state.sources import documents
from flows.state.staleness import FRESH, Verdict
from flows.state.trust import ask
from flows.state.wholeness import unfinished
from tasks.core.labels.files import LabelFile
from tasks.core.settings.params import Params
from tasks.core.transforms.card import CARD
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.manifest import object_of
from tasks.core.workspace.manifests import (
    FULL,
    ByMeasure,
    Card,
    Counts,
    EmbedStamp,
    Gate,
    IndexNote,
    IngestStamp,
    Scores,
    ViewStamp,
)
from tasks.core.workspace.one_look import one_look, read_manifest
from tasks.core.workspace.paths import Paths


@dataclass(frozen=True, kw_only=True)
class CorpusState:
    """The corpus, what became of the rows of its documents, and whether it is to be made anew."""

    texts: int = 0
    sources: int = 0
    rejected: Counts = field(default_factory=dict)
    notes: Counts = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    columns: dict[str, str] = field(default_factory=dict)
    verdict: Verdict

    def to_json(self) -> dict[str, object]:
        """Return this as a JSON object, the verdict in keys of its own."""
        return _flat(self)


@dataclass(frozen=True, kw_only=True)
class VectorsState:
    """The base vectors, by which encoder, and whether they are to be made anew.

    rows: None before there are any; features: whether there are any beside the vectors; long:
    how texts were read that are longer than the encoder reads at once; truncated: those of which
    an end was left out; windowed: those that were read by several windows, None where nobody
    knows; index: see `IndexNote`, empty where there is none.
    """

    rows: int | None = None
    dimensions: int | None = None
    model: str | None = None
    precision: str | None = None
    storage: str | None = None
    features: bool = False
    long: str | None = None
    truncated: int | None = None
    windowed: int | None = None
    index: dict[str, object] = field(default_factory=dict)
    verdict: Verdict

    def to_json(self) -> dict[str, object]:
        """Return this as a JSON object, the verdict in keys of its own."""
        return _flat(self)


@dataclass(frozen=True)
class NextState:
    """The encoder that is to follow: what it has other than `embed`, and how far it has come.

    encoded: texts that it has encoded, of texts; both None before it was begun.
    """

    settings: dict[str, object] | None
    encoded: int | None
    texts: int | None


@dataclass(frozen=True, kw_only=True)
class InstructionState:
    """One instruction: what its transform and view are, how good, and whether they are stale.

    labels: texts by label; texts: how many were labelled; accuracy, right, intervals,
    held_out_labels, knn_ceiling: see `Scores`; rows, dimensions, index: of the view, see
    `IndexNote`; mode: full, or lazy, which has no index; without: the aspects that are erased
    from it.
    """

    wording: str = ""
    labels: Counts = field(default_factory=dict)
    notes: Counts = field(default_factory=dict)
    read_as: list[str] = field(default_factory=list)
    gate: Gate | None = None
    method: str | None = None
    before: ByMeasure = field(default_factory=dict)
    after: ByMeasure = field(default_factory=dict)
    texts: int | None = None
    held_out: int | None = None
    held_out_labels: int | None = None
    accuracy: float | None = None
    right: float | None = None
    intervals: dict[str, ByMeasure] = field(default_factory=dict)
    knn_ceiling: float | None = None
    rows: int = 0
    dimensions: int | None = None
    index: dict[str, object] = field(default_factory=dict)
    mode: str = FULL
    without: list[str] = field(default_factory=list)
    transform: Verdict
    view: Verdict = FRESH

    @property
    def rejected(self) -> bool:
        """Whether the label file was not used."""
        return self.transform.reason.startswith(staleness.REJECTED)

    def to_json(self) -> dict[str, object]:
        """Return this as a JSON object; the gate is an empty one where it was not asked."""
        return {**asdict(self), "gate": self.gate.told() if self.gate else {}}


@dataclass(frozen=True)
class WorkspaceState:
    """A workspace; unfinished: what a kill has left halfway, in a line each; next: if any is."""

    root: str
    unfinished: list[str]
    corpus: CorpusState
    vectors: VectorsState
    next: NextState | None
    instructions: dict[str, InstructionState]

    def to_json(self) -> dict[str, object]:
        """Return what `refract status --json` prints."""
        return {
            "root": self.root,
            "unfinished": self.unfinished,
            "corpus": self.corpus.to_json(),
            "vectors": self.vectors.to_json(),
            "next": self.next and asdict(self.next),
            "instructions": {name: one.to_json() for name, one in self.instructions.items()},
        }


@one_look()
def read_status(paths: Paths, params: Params) -> WorkspaceState:
    """Return the state of the workspace; InputError where a newer Refract has written its notes."""
    ask(paths, "links")  # what it remembers of files is written down
    return WorkspaceState(
        root=str(paths.root.resolve()),
        unfinished=unfinished(paths),
        corpus=_corpus(paths, params),
        vectors=_vectors(paths, params),
        next=_next(paths, params),
        instructions=_instructions(paths, params),
    )


def _corpus(paths: Paths, params: Params) -> CorpusState:
    stamp = read_manifest(paths.stamp("ingest"), IngestStamp) or IngestStamp()
    try:
        sources = documents(paths, params).files
        verdict = staleness.ingest_verdict(
            paths, staleness.sources_fingerprint(paths, params, sources)
        )
    except InputError as error:
        verdict = Verdict(True, str(error))
    return CorpusState(
        texts=stamp.kept,
        sources=stamp.sources,
        rejected=stamp.rejected,
        notes=stamp.notes,
        remarks=stamp.remarks,
        columns=stamp.columns,
        verdict=verdict,
    )


def _vectors(paths: Paths, params: Params) -> VectorsState:
    known = read_manifest(paths.stamp("embed"), EmbedStamp)
    stamp = known or EmbedStamp()
    return VectorsState(
        rows=None if known is None else stamp.rows,
        dimensions=stamp.dimensions,
        model=stamp.model,
        precision=stamp.precision,
        storage=stamp.storage,
        features=stamp.features,
        long=stamp.long,
        truncated=stamp.truncated,
        windowed=stamp.windowed,
        index=_index(stamp.index),
        verdict=staleness.embed_verdict(paths, params),
    )


def _next(paths: Paths, params: Params) -> NextState | None:
    come, settings = how_far(paths), params.embed.next
    if come is None:
        return None if settings is None else NextState(settings, None, None)
    return NextState(settings, come.encoded, come.texts)


def _instructions(paths: Paths, params: Params) -> dict[str, InstructionState]:
    files = label_sources(paths)
    names = sorted({*files, *staleness.fitted(paths)})
    known = {name: _instruction(paths, params, name, files) for name in names}
    for name, error in files.errors.items():
        rejected = Verdict(False, staleness.REJECTED + str(error))
        there = known.get(name)
        known[name] = (
            InstructionState(transform=rejected)
            if there is None
            else replace(there, transform=rejected)
        )
    return known


def _instruction(
    paths: Paths, params: Params, name: str, files: Mapping[str, LabelFile]
) -> InstructionState:
    card = read_manifest(paths.transform(name) / CARD, Card) or Card()
    view = read_manifest(paths.view_stamp(name), ViewStamp) or ViewStamp()
    scores = read_manifest(paths.metric(name), Scores) or Scores()
    if name in files:
        made_from = staleness.fit_fingerprints(paths, params, name, files[name])
        fit = staleness.fit_verdict(paths, name, made_from)
    else:
        fit = Verdict(False, "its label file is gone; transform and view are kept")
    return InstructionState(
        wording=staleness.wording(paths, params, name),
        labels=card.counts,
        notes=card.notes,
        read_as=card.read_as,
        gate=card.gate if card.gate and card.gate.state else None,
        method=card.method or None,
        before=_defined(scores.before),
        after=_defined(scores.after),
        texts=scores.texts,
        held_out=scores.held_out,
        held_out_labels=scores.held_out_labels,
        accuracy=scores.accuracy,
        right=scores.share_right,
        intervals=scores.intervals,
        knn_ceiling=scores.knn_ceiling,
        rows=rows_of(paths) if view.lazy else view.rows,
        dimensions=view.size,
        index=_index(view.index),
        mode=view.mode,
        without=list(card.aspects),
        transform=fit,
        view=staleness.view_verdict(paths, params, name),
    )


def rows_of(paths: Paths) -> int:
    """Return how many rows a lazy view has: those of the base table."""
    return (read_manifest(paths.stamp("embed"), EmbedStamp) or EmbedStamp()).rows


def _index(note: IndexNote | None) -> dict[str, object]:
    return {} if note is None else object_of(note)


def _defined(figures: ByMeasure) -> ByMeasure:
    return {measure: figure for measure, figure in figures.items() if figure is not None}


def _flat(state: CorpusState | VectorsState) -> dict[str, object]:
    """Return a JSON object of `state`, with the keys of its verdict in the place of it."""
    found = asdict(state)
    del found["verdict"]
    return {**found, **asdict(state.verdict)}
