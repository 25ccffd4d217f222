"""Texts longer than an encoder reads at once, read whole: by windows, whose codes are pooled."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tasks.core.encoding.encoder import Encoded, Encoder, Read
from tasks.core.encoding.windows import MOST, Cutter, Window
from tasks.core.numerics.rows import unit_rows

_GROUP = 2_048  # windows that are encoded before they are pooled: so much is held at a time


@dataclass(frozen=True)
class _Group:
    """Texts and their windows: `first` of each among `parts`, `pieces` of each part."""

    parts: list[str] = field(default_factory=list)
    pieces: list[int] = field(default_factory=list)
    first: list[int] = field(default_factory=list)
    cut: list[bool] = field(default_factory=list)

    def add(self, text: str, windows: Sequence[Window], *, cut: bool) -> None:
        """Add a text with its windows."""
        self.first.append(len(self.parts))
        self.cut.append(cut)
        self.parts.extend(text[each.start : each.stop] for each in windows)
        self.pieces.extend(max(each.pieces, 1) for each in windows)


class Windowed:
    """An encoder of which a long text gets the mean of its windows, weighted by their pieces.

    A text that it reads at once gets what the encoder gives. What `read` gets are the states of
    whole texts: of their tokens the mean, as of a short text.
    """

    def __init__(self, encoder: Encoder) -> None:
        """Take an encoder; InputError where its tokenizer does not tell where pieces stand."""
        self._encoder, self._cutter = encoder, encoder.cutter(MOST)
        self.precision, self.dimensions = encoder.precision, encoder.dimensions

    @property
    def has_layers(self) -> bool:
        """Whether the encoder keeps states of its layers."""
        return self._encoder.has_layers

    def cutter(self, most: int, pieces: int | None = None) -> Cutter:
        """Return what cuts texts into windows, as the encoder does."""
        return self._encoder.cutter(most, pieces)

    def encode(
        self, texts: Sequence[str], advance: Callable[[int], None], read: Read | None = None
    ) -> Encoded:
        """Encode `texts`, in their order; cut: those with more than `MOST` windows."""
        done = []
        for group in self._groups(texts):
            done.append(self._pooled(group, read))
            advance(len(group.cut))
        if not done:
            return self._encoder.encode([], advance, read)
        kept = [each.kept for each in done if each.kept is not None]
        windowed = [each.windowed for each in done if each.windowed is not None]
        return Encoded(
            np.concatenate([each.vectors for each in done]),
            np.concatenate([each.cut for each in done]),
            np.concatenate(kept) if kept else None,
            np.concatenate(windowed),
        )

    def _groups(self, texts: Sequence[str]) -> Iterator[_Group]:
        group = _Group()
        for text in texts:
            windows, more = self._cutter.cut(text)
            group.add(text, windows, cut=more)
            if len(group.parts) >= _GROUP:
                yield group
                group = _Group()
        if group.cut:
            yield group

    def _pooled(self, group: _Group, read: Read | None) -> Encoded:
        held = None if read is None else np.copy
        found = self._encoder.encode(group.parts, lambda _: None, held)
        first = np.array(group.first)
        stop = np.append(first[1:], len(group.parts))
        vectors, states = found.vectors[first], None if found.kept is None else found.kept[first]
        windowed = stop - first > 1
        for row in np.flatnonzero(windowed):
            some = slice(first[row], stop[row])
            weights = np.array(group.pieces[some], np.float32)
            vectors[row] = unit_rows(_mean(found.vectors[some], weights)[None])[0]
            if states is not None and found.kept is not None:
                states[row] = _mean(found.kept[some], weights)
        kept = None if states is None or read is None else read(states)
        return Encoded(vectors, np.array(group.cut), kept, windowed)


def _mean(rows: NDArray[np.floating], weights: NDArray[np.float32]) -> NDArray[np.floating]:
    """Return the weighted mean of `rows` (n, …)."""
    return np.tensordot(weights / weights.sum(), rows.astype(np.float32), 1)
