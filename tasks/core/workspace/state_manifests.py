"""What this machine alone notes: work under way, to go on after a kill, and what was found out.

One record a kind of JSON file below `.refract`; `manifest` reads and writes them.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, FiniteFloat, model_validator

from tasks.core.workspace.manifest import Manifest, Part
from tasks.core.workspace.manifests import BaseNote

Texts = Annotated[int, Field(ge=0, lt=1 << 31)]  # as many as a table may have rows


class RebuildNote(Manifest):
    """A rebuild of the base table that has begun: for which space, from which version."""

    space: str = ""
    version: int = Field(default=0, validation_alias="from", serialization_alias="from")


class NextNote(Manifest):
    """How far the next encoder has come: texts that it has encoded, of how many."""

    encoded: int = 0
    texts: int = 0


class TurnNote(Manifest):
    """That the workspace turns over to the next encoder, which has these settings of its own."""

    settings: dict[str, object] = Field(default_factory=dict)


class VersionsDueNote(Manifest):
    """Views that were fitted while somebody labelled, and are to be recorded as versions."""

    views: list[str] = Field(default_factory=list)


class PrecisionNote(Manifest):
    """The precision that was chosen for an embedding under way, and for which space."""

    space: str = ""
    precision: Literal["float32", "bfloat16"] = "float32"


class Shard(Manifest):
    """Rows that a worker has written as fragments which no version of the table holds yet.

    fragments: Lance's metadata of each, as JSON. Of the base table also: retired, ids whose old
    rows go; cut, windowed, hashes of texts longer than the encoder reads, or read by several
    windows; about, the note of the table.
    """

    fragments: list[str] = Field(default_factory=list)
    written: int = 0
    retired: list[str] = Field(default_factory=list)
    encoded: int = 0
    reused: int = 0
    cut: list[str] = Field(default_factory=list)
    windowed: list[str] = Field(default_factory=list)
    about: BaseNote = BaseNote()


class StepValue(Manifest):
    """What a step of a labelling found, and a fingerprint of its inputs."""

    made_from: str = ""
    value: object = None


class DoubtNote(Part):
    """A labelled text in doubt: its labels, the likelier one, and the posteriors of both."""

    id: str
    given: list[str]
    likelier: str
    p_given: FiniteFloat
    p_likelier: FiniteFloat


class DoubtsNote(Part):
    """The doubts that were found of one instruction; every key has to be there."""

    asked: Texts
    unasked: Texts
    listed: list[DoubtNote]


class FigureNote(Part):
    """A score and its interval."""

    value: FiniteFloat
    low: FiniteFloat
    high: FiniteFloat


class CheckNote(Part):
    """How a view reads held-out texts; every key has to be there.

    counts: texts by true label, a row each, and likeliest label; before, after: by measure.
    """

    labels: Annotated[list[str], Field(min_length=1)]
    counts: list[list[Texts]]
    before: dict[str, FigureNote]
    after: dict[str, FigureNote]

    @model_validator(mode="after")
    def _square(self) -> Self:
        if {len(self.counts), *map(len, self.counts)} != {len(self.labels)}:
            raise ValueError(f"counts: expected {len(self.labels)} rows of as many")
        return self


class FoundNote(Manifest):
    """What a query has found by fits of its own, and a fingerprint of what that follows from."""

    made_from: str = ""
    found: object = None


class CheckoutNote(Manifest):
    """A checkout under way: the revision asked for, its commit, and where to go back to."""

    to: str | None = None
    commit: str | None = None
    back: str | None = Field(default=None, validation_alias="from", serialization_alias="from")


class RollbackNote(Manifest):
    """A rollback that is not recorded yet: of which view, from which version to which."""

    name: str = ""
    version: str = ""
    was: str = ""
    transform: str = ""


class RecordNote(Manifest):
    """The state that the last run left, and whether DVC has it."""

    state: str = ""
    dvc: bool = False


class HeldNote(Manifest):
    """The pointers whose versions are held by tags in their store, as a fingerprint each."""

    held: dict[str, str] = Field(default_factory=dict)


class PublishedNote(Manifest):
    """Which snapshot was last put for readers, by its hash, and into which store."""

    place: str = ""
    snapshot: str = ""


class PushNote(Manifest):
    """What was last sent: fingerprints of DVC's notes and of git's refs."""

    data: str | None = None
    commits: str | None = None


class ExchangeNote(Manifest):
    """Files that are exchanged as one: those that go, those that come, and the hashes of these."""

    gone: list[str] = Field(default_factory=list)
    new: list[str] = Field(default_factory=list)
    hashes: list[str] = Field(default_factory=list)


class BringingNote(Manifest):
    """Files that are being brought into data/raw, from there."""

    files: list[str] = Field(default_factory=list)


class ReplacedNote(Part):
    """A label that a posted one has replaced; label null: it was withdrawn."""

    id: str
    before: str
    label: str | None


class ReceiptNote(Part):
    """What was answered to posted labels, by the key of the request and a hash of its rows."""

    key: str
    asked: str
    accepted: int
    unchanged: int
    replaced: list[ReplacedNote]


class PostedNote(Manifest):
    """What was answered to the requests of one annotator, the newest last.

    was: the hash of his label file before the last of them; open: whether that one changes it.
    """

    was: str = ""
    open: bool = False
    answered: list[ReceiptNote] = Field(default_factory=list)


class MapNote(Manifest):
    """What the map of a view says of itself.

    transform: the fingerprint of what made the vectors; corpus: that of its ids in their order;
    total: rows of the table; scale: units of t-SNE in one of the map; drawn_of: how many rows there
    were when the sample was drawn.
    """

    transform: str = ""
    corpus: str = ""
    total: int = 0
    scale: int | float = 1
    drawn_of: int = 0


class UnderWayNote(Manifest):
    """The instructions that a verb makes anew just now; ended: has made. A kill leaves it open.

    began: seconds since 1970, so that no two of them are alike.
    """

    names: list[str] = Field(default_factory=list)
    began: int | float = 0
    ended: bool = False


class TrustNote(Manifest):
    """What the user has agreed to for one folder, and the hash of the secret that proves it."""

    root: str = ""
    token: str = ""
    made_here: bool = False
    known: list[str] = Field(default_factory=list)
