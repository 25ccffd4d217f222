"""Why rows of one source file were rejected, and what its columns may hold."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from tasks.core.documents.metadata import TypeVote

_UNSEEN = "?"  # of a column of rows that were all rejected: it counts, and says nothing


@dataclass(slots=True)
class Tally:
    """What there is to say of one source beside how many rows were read and kept.

    reasons: how many rows were rejected why; repeats: 64-bit keys of the ids of those that were
    because an earlier row has theirs; votes: on the types of the columns of its kept rows, in
    their order; names: of all columns.
    """

    reasons: dict[str, int] = field(default_factory=dict)
    repeats: list[int] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    votes: dict[str, TypeVote] = field(default_factory=dict)
    names: dict[str, None] = field(default_factory=dict)

    def reject(self, reason: str) -> None:
        """Count a rejected row."""
        self.reasons[reason] = self.reasons.get(reason, 0) + 1

    @property
    def shape(self) -> str:
        """The columns and what they may hold, as JSON: files of one kind have the same."""
        codes = {name: vote.code for name, vote in self.votes.items()}
        codes |= {name: _UNSEEN for name in self.names if name not in codes}
        return json.dumps(codes, ensure_ascii=False, separators=(",", ":")) if codes else ""


def column_names(shapes: Iterable[str]) -> set[str]:
    """Return the names of all columns, also of rows that were rejected."""
    return {name for shape in shapes if shape for name in json.loads(shape)}


def together(shapes: Iterable[str]) -> dict[str, TypeVote]:
    """Return the votes of many sources as one, columns in the order in which they came."""
    votes: dict[str, TypeVote] = {}
    for shape in shapes:
        for name, code in (json.loads(shape) if shape else {}).items():
            if code != _UNSEEN:
                votes.setdefault(name, TypeVote()).join(TypeVote.of(code))
    return votes
