"""The part of a found text that speaks most for it: one window of it, read as a text of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.core.encoding.windows import Cutter
from tasks.core.numerics.rows import unit_rows
from tasks.core.workspace.errors import InputError

PIECES = 64  # word pieces of a passage, some three lines: of a whole window no one sees why
WINDOWS = 128  # of a text, which is some 7,000 word pieces; what lies behind them is no passage
MOST = 100  # texts of one answer that get a passage: each takes a tenth to a whole second


@dataclass(frozen=True)
class Passage:
    """A part of a text: the `text` of it, from character `start` on."""

    text: str
    start: int


@dataclass(frozen=True)
class Wanted:
    """What was asked for in one view.

    vectors: reads texts as the view sees them, (n, m); vector: (m,), what they are to be near;
    weight: of this view's cosine among those of others.
    """

    vectors: Callable[[Sequence[str]], NDArray[np.floating]]
    vector: NDArray[np.floating]
    weight: float = 1.0


def check_many(k: int) -> None:
    """Refuse more texts than get passages."""
    if k > MOST:
        raise InputError(
            f"passages: found {k:,} texts to get one; expected at most {MOST}, as the parts of"
            " each are encoded anew; ask for fewer texts, or for no passages"
        )


def passages(texts: Sequence[str], cutter: Cutter, wanted: Sequence[Wanted]) -> list[Passage]:
    """Return of each text the window with the greatest mean of cosines, by the views' weights.

    Windows are encoded here and now, and kept nowhere. A text of one window is its own passage.
    """
    cut = [cutter.cut(text)[0] for text in texts]
    parts = [
        [Passage(text[window.start : window.stop], window.start) for window in windows]
        for text, windows in zip(texts, cut, strict=True)
    ]
    read = list(dict.fromkeys(part.text for some in parts if len(some) > 1 for part in some))
    scores = dict(zip(read, _cosines(read, wanted), strict=True)) if read else {}
    return [max(some, key=lambda part: scores.get(part.text, 0.0)) for some in parts]


def _cosines(texts: Sequence[str], wanted: Sequence[Wanted]) -> list[float]:
    total = np.zeros(len(texts))
    for each in wanted:
        near = unit_rows(each.vectors(texts)) @ unit_rows(each.vector[None])[0]
        total += each.weight * near
    return total.tolist()
