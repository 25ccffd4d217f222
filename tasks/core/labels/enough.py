"""Whether what is usable of a label file is enough, and what to do where it is not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tasks.core.labels.cells import DISCARDED, ONE_HOT, QUESTIONS, SPANS
from tasks.core.labels.matching import (
    CONFLICT,
    NEITHER,
    OTHER_TEXT,
    TWO_IDS,
    UNKNOWN_ID,
    UNKNOWN_TEXT,
    Places,
)
from tasks.core.readers.records import INVALID
from tasks.core.workspace.errors import InputError

EXAMPLES = 3
SHARED = 0.1
"""Least share of texts whose label another has, too. Of texts that each have their own nothing can
be left out: 240 such took 131 s to fit, and ended unproven (2026-11-26)."""
_ANOTHER = (
    "these may be labels of another corpus, or ids and texts of two tables; take away the column"
    " that does not belong to the corpus, or give the right file"
)
_ABSENT = "take in their documents by 'refract ingest', or correct or remove these rows"
ABSENT = {UNKNOWN_ID: _ABSENT, UNKNOWN_TEXT: _ABSENT}
ADVICE = {
    **ABSENT,
    NEITHER: _ANOTHER,
    OTHER_TEXT: _ANOTHER,
    CONFLICT: _ANOTHER,
    TWO_IDS: "take away the column of ids that is not the corpus's, or add the texts",
    INVALID: "save the file as UTF-8",
    SPANS: "export labels of whole texts (text classification)",
    ONE_HOT: "write the labels by their names, or one column a label with its name above it",
    QUESTIONS: "name the label file like one of the questions",
    DISCARDED: "accept answers in the annotation tool, then export again",
}


def check_rows(
    file: str,
    used: int,
    placed: list[Places],
    reasons: dict[str, int],
    read: int,
    minimum: int,
) -> None:
    """Refuse a file of which fewer than `minimum` rows are `used`, with the reasons of the rest."""
    if used >= minimum:
        return
    detail = "; ".join(f"{count} {reason}" for reason, count in reasons.items())
    unknown = _unknown(placed)
    if unknown:
        detail += f", such as {', '.join(list(dict.fromkeys(unknown))[:EXAMPLES])}"
    raise InputError(
        f"{file}: found {used} usable of {read} rows{f' ({detail})' if detail else ''};"
        f" expected at least {minimum}; {_likely(reasons, read)}"
    )


def _unknown(placed: list[Places]) -> list[str]:
    return [
        key
        for places in placed
        for key, reason in zip(places.ids, places.reasons, strict=True)
        if key and reason == UNKNOWN_ID
    ]


def _likely(reasons: dict[str, int], read: int) -> str:
    """Return what to do about the reason that most rows are dropped for."""
    most = max(reasons, key=lambda reason: reasons[reason], default="")
    known = ADVICE if 2 * reasons.get(most, 0) >= read else {}
    likely = (advice for reason, advice in known.items() if most.startswith(reason))
    return next(likely, "label more texts, or run 'refract ingest' if ids are missing")


def check_labels(file: str, counts: Counter[str], rows: int, minimum: int) -> None:
    """Refuse a file of which fewer than `minimum` different labels are used."""
    if len(counts) < minimum:
        names = ", ".join(f"'{name}'" for name in list(counts)[:EXAMPLES])
        raise InputError(
            f"{file}: found {len(counts)} label ({names}) on {rows} rows; expected at least"
            f" {minimum} different ones; label some texts otherwise"
        )


def check_shared(file: str, labels: Sequence[Sequence[str]]) -> None:
    """Refuse texts, each with its `labels`, nearly all of which have one of their own."""
    counts = Counter(label for each in labels for label in each)
    shared = sum(any(counts[label] > 1 for label in each) for each in labels)
    if shared < SHARED * len(labels):
        raise InputError(
            f"{file}: found {len(counts):,} labels on {len(labels):,} texts, {shared:,} of which"
            f" share theirs with another; expected {SHARED:.0%} at least: what is on one text alone"
            " tells nothing of others, and ids, dates and free text are no labels; give some that"
            " texts have in common"
        )
