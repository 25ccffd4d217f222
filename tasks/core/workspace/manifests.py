"""What each stage notes about itself in `data/`: one record a kind of JSON file.

A field is a key of the file; `manifest` reads and writes them. What a thing was made from is named
by fingerprints, hex digits of a hash.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from tasks.core.workspace.manifest import Manifest, Part

Fingerprint = Annotated[str, Field(pattern=r"^[0-9A-Za-z_-]{1,64}$")]
"""Names a file or folder too, so nothing that leads elsewhere passes for one."""

Sum = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
"""Of hashes of rows and columns, modulo 2¹²⁸; empty where it is not known."""

ERASES = 2  # format of the card of a transform that erases: an earlier Refract would not

NO_TRANSFORM = "none"  # of a view that notes none: no kept transform has this name

FULL, LAZY = "full", "lazy"  # modes of a view

TOLD_FROM = 20  # labelled texts; of 17 and 18 it was 28 points too high, beyond its interval

Counts = dict[str, int]
ByMeasure = dict[str, int | float | None]
"""Scores × 100 by measure, None where one is not defined, and `n`, the number of texts."""


class IngestStamp(Manifest):
    """The corpus: from which documents and settings, and what became of their rows.

    fingerprint: of documents and settings; digest: of the rows. Of what an ingest of changes
    alone builds on, content: of the table; known: of what is known of each source; quarantine: of
    the rejected rows; read_by: of how documents are read.
    """

    fingerprint: str = ""
    content: str = ""
    known: str = ""
    quarantine: str = ""
    read_by: str = ""
    digest: Sum = ""
    sources: int = 0
    read: int = 0
    kept: int = 0
    rejected: Counts = Field(default_factory=dict)
    notes: Counts = Field(default_factory=dict)
    columns: dict[str, str] = Field(default_factory=dict)
    renamed: dict[str, str] = Field(default_factory=dict)
    remarks: list[str] = Field(default_factory=list)


class CorpusFigures(Manifest):
    """How many texts the corpus has, of how many files, and how many were rejected why."""

    texts: int | None = None
    sources: int | None = None
    rejected: Counts = Field(default_factory=dict)


class IndexNote(Manifest):
    """What was measured of an index of vectors; it lies in the table's configuration, too.

    index: Lance's name of its oldest segment, of which it is true; nprobes: partitions that a
    search looks at, alone and behind a filter; recall: of ten neighbours, None where none was
    measured.
    """

    index: str = ""
    partitions: int = 0
    nprobes: int = 0
    recall: int | float | None = None
    nprobes_filtered: int = 0
    recall_filtered: int | float | None = None
    queries: int = 0


class EmbedStamp(Manifest):
    """The base table: of which corpus, by which encoder, and how it is stored.

    corpus: None while an embedding is under way; corpus_version, corpus_content: of its table, by
    which what changed since is told. space: of vectors and features; missing where an earlier
    version knew vectors alone. truncated, windowed: texts that were cut, or read by several
    windows; None where nobody knows. index: None where the table has none.
    """

    corpus: str | None = None
    corpus_version: int | None = None
    corpus_content: str = ""
    encoder: str = ""
    space: str | None = None
    digest: str = ""
    model: str | None = None
    rows: int = 0
    dimensions: int | None = None
    precision: str | None = None
    storage: str | None = None
    long: str | None = None
    truncated: int | None = None
    windowed: int | None = None
    index: IndexNote | None = None

    @property
    def read_by_transforms(self) -> str:
        """The fingerprint of the space that transforms are fitted on."""
        return self.encoder if self.space is None else self.space

    @property
    def features(self) -> bool:
        """Whether the vectors have features beside them: then both make another space."""
        return self.read_by_transforms != self.encoder


class EncoderNote(Part):
    """The encoder of a base table, as the section `embed` named it, and its precision."""

    model: str | None = None
    revision: str | None = None
    prompt: str | None = None
    max_length: int | None = None
    precision: str = "float32"


class FeaturesNote(Part):
    """The map that the features of a base table were made by."""

    dimensions: int = 0
    fingerprint: Fingerprint = ""


class BaseNote(Manifest):
    """What lies inside a base table: the fingerprint of its vector space, how it was made."""

    fingerprint: str = ""
    settings: EncoderNote = EncoderNote()
    dimensions: int = 0
    features: FeaturesNote | None = None


class Gate(Part):
    """How the quality gate ruled on a transform, and the figures that the ruling rests on.

    largest_class: share of the texts left out that have the commonest of their labels, in percent;
    beyond: what is sure of all texts, though those left out do not prove it.
    """

    state: str = ""
    why: str = ""
    largest_class: int | float | None = None
    beyond: str = ""

    def told(self) -> dict[str, str]:
        """Return it without figures, as a card has it, and programs."""
        beyond = {"beyond": self.beyond} if self.beyond else {}
        return {"state": self.state, "why": self.why} | beyond


class Scores(Manifest):
    """The scores of a transform on held-out texts, in the generic space and in its view.

    labels: how many different ones; texts: how many were labelled; accuracy: share of held-out
    texts whose likeliest label is theirs, in percent; right: about which share it is of texts that
    nobody has labelled; held_out_labels: how many different ones the scores are by, of which
    earlier versions noted nothing; knn_ceiling: what kNN@10 can reach on these texts, where it is
    less than 100; intervals: `low` and `high` of `right` and of the figures after; erased: the
    aspects that the view is without.
    """

    fingerprint: Fingerprint | None = None
    method: str | None = None
    labels: int | None = None
    texts: int | None = None
    held_out: int | None = None
    held_out_labels: int | None = None
    accuracy: int | float | None = None
    right: int | float | None = None
    knn_ceiling: int | float | None = None
    before: ByMeasure = Field(default_factory=dict)
    after: ByMeasure = Field(default_factory=dict)
    intervals: dict[str, ByMeasure] = Field(default_factory=dict)
    gate: Gate | None = None
    erased: list[str] = Field(default_factory=list)

    @property
    def share_right(self) -> float | None:
        """`right`, or of earlier versions `accuracy`; None where the labels are too few to say."""
        told = self.right is not None or (self.texts or 0) < TOLD_FROM
        return self.right if told else self.accuracy


class Erased(Part):
    """What a view is without: aspects, and how many dimensions of its vectors went with them.

    dimensions: erased of the last `of` numbers, which begin at `start`.
    """

    aspects: list[str] = Field(default_factory=list)
    start: int = 0
    dimensions: int = 0
    of: int = 0


class Card(Manifest):
    """The card of a transform: what made it, and what its tensors are. Of format 2 if `erased`.

    made_from: a fingerprint each of labels, settings, encoder and base vectors; matched: of the
    labelled texts; scores: of the scores; sha256: of the tensors, in hex.
    """

    instruction: str = ""
    wording: str | None = None
    encoder: str | None = None
    made_from: dict[str, str] = Field(default_factory=dict)
    matched: str | None = None
    fingerprint: Fingerprint | None = None
    scores: str | None = None
    counts: Counts = Field(default_factory=dict)
    reasons: Counts = Field(default_factory=dict)
    notes: Counts = Field(default_factory=dict)
    read_as: list[str] = Field(default_factory=list)
    gate: Gate | None = None
    seed: int | None = None
    method: str = ""
    labels: list[str] = Field(default_factory=list)
    dimensions: int = 0
    features: int = 0
    size: int = 0
    settings: dict[str, object] = Field(default_factory=dict)
    erased: Erased | None = None
    sha256: str = ""

    NEWEST: ClassVar[int] = ERASES

    @property
    def aspects(self) -> tuple[str, ...]:
        """What the view is without."""
        return () if self.erased is None else tuple(self.erased.aspects)

    @property
    def by_names(self) -> bool:
        """Whether it is made of what its labels are called, and of no labelled text."""
        return bool(self.counts) and not any(self.counts.values())


class Hold(Manifest):
    """A rollback that holds: which version came back, and what must stay for it to hold."""

    version: str = ""
    transform: str = ""
    made_from: dict[str, str] = Field(default_factory=dict)


class Rejection(Manifest):
    """Why a whole label file was not used, and what it was to be fitted from."""

    reason: str = ""
    made_from: dict[str, str] | None = None


class ViewNote(Manifest):
    """What lies inside a view's table: the transform that made it, its encoder, how it is stored.

    dimensions: of the base vectors; size: of the view's; text: whether the texts are there, too.
    mode: LAZY of a view whose table holds no row, FULL of any other, as of those that earlier
    versions made.
    """

    transform: Fingerprint = NO_TRANSFORM
    encoder: str | None = None
    method: str = ""
    dimensions: int = 0
    size: int | None = None
    storage: str = ""
    text: bool = False
    mode: str = FULL

    @property
    def lazy(self) -> bool:
        """Whether its rows are made when they are asked for."""
        return self.mode == LAZY


class ViewStamp(ViewNote):
    """The live view: its note, of which base vectors it is, and which version of its table.

    base, rows: not of a lazy view, which is of the base vectors there are. index: None where the
    table has none.
    """

    base: str | None = None
    rows: int = 0
    version: int | None = None
    index: IndexNote | None = None
