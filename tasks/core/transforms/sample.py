"""What a transform is fitted on: labelled texts, texts beside them, and the names of the labels.

All in one order, whatever the order it came in, so that the same input gives the same transform.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tasks.core.numerics.rows import unit_rows

Floats = NDArray[np.float32]


class Texts(NamedTuple):
    """Base vectors (n, d), and the features (n, f) of the same texts, or None."""

    vectors: NDArray[Any]
    features: NDArray[Any] | None


@dataclass(frozen=True)
class Corpus:
    """Texts without labels in canonical order, float32 unit rows: (b, d), and features (b, f).

    places: (b,) int64, the row of each in what they were taken from.
    """

    vectors: Floats
    features: Floats | None
    places: NDArray[np.int64]

    @property
    def richest(self) -> Floats:
        """The rows that tell labels apart best: the features, or the vectors if there are none."""
        return self.vectors if self.features is None else self.features


def make_corpus(texts: Texts) -> Corpus:
    """Put a sample of the corpus into canonical order; see `Corpus`."""
    x = unit_rows(texts.vectors)
    rich = None if texts.features is None else unit_rows(texts.features)
    order = _by_bytes(_joined(x, rich))
    return Corpus(x[order], None if rich is None else rich[order], order)


@dataclass(frozen=True)
class Sample:
    """Labelled base vectors in canonical order.

    x: (n, d) float32 unit rows, sorted by class, then by their bytes, then by those of their
    features. y: (n,) int64, into
    `labels`, which are sorted by name. background: (b, d) float32 unit rows, sorted by bytes.
    texts: (n,) int64, one number for all rows of a text, that is of a vector: a text has a row for
    each of its labels. features: (n, f) float32 unit rows of the same texts, or None; beside: (b,
    f), those of the background, or None. names: (k, t, d) float32, what the encoder makes of each
    label's name, said in t ways, or None. strings: (n,) the texts themselves, or None.
    """

    x: Floats
    y: NDArray[np.int64]
    labels: tuple[str, ...]
    background: Floats
    texts: NDArray[np.int64]
    features: Floats | None = None
    beside: Floats | None = None
    names: Floats | None = None
    strings: tuple[str, ...] | None = None

    @property
    def richest(self) -> Floats:
        """The rows that tell labels apart best: the features, or x where there are none."""
        return self.x if self.features is None else self.features

    @cached_property
    def unlabelled(self) -> NDArray[np.bool_]:
        """Which texts of the background nobody has labelled, (b,)."""
        return ~np.isin(_whole(self.background), _whole(self.x))

    def corpus(self) -> tuple[Floats, Floats]:
        """Return vectors of the texts that nobody has labelled, and their rows like `richest`.

        None where the labels read features and the background has none.
        """
        rich = self.background if self.features is None else self.beside
        if rich is None:
            return self.background[:0], np.empty((0, self.richest.shape[1]), np.float32)
        return self.background[self.unlabelled], rich[self.unlabelled]


def make_sample(
    known: Texts,
    y: NDArray[Any],
    labels: tuple[str, ...],
    corpus: Texts,
    names: NDArray[Any] | None = None,
    strings: Sequence[str] | None = None,
) -> Sample:
    """Put labelled texts and a sample of the corpus into canonical order; see `Sample`.

    y: (n,) indices into labels. names: (k, t, d), of `labels`. strings: n texts. ValueError for
    arrays that do not fit each other.
    """
    x, features = known
    _check(x, y, labels, corpus.vectors, features)
    if corpus.features is not None and len(corpus.features) != len(corpus.vectors):
        raise ValueError(f"beside {corpus.features.shape}: expected ({len(corpus.vectors)}, f)")
    if names is not None and (names.ndim != 3 or names.shape[::2] != (len(labels), x.shape[1])):
        raise ValueError(f"names {names.shape}: expected ({len(labels)}, t, {x.shape[1]})")
    if strings is not None and len(strings) != len(x):
        raise ValueError(f"{len(strings)} texts: expected {len(x)}, one a row")
    present = sorted({labels[c] for c in np.unique(y)})
    place = {name: c for c, name in enumerate(present)}
    classes = np.array([place.get(name, -1) for name in labels], np.int64)[np.asarray(y)]
    rows, around = unit_rows(x), unit_rows(corpus.vectors)
    rich = None if features is None else unit_rows(features)
    beside = None if corpus.features is None else unit_rows(corpus.features)
    texts = _by_bytes(_joined(rows, rich), strings)
    order = texts[np.argsort(classes[texts], kind="stable")]
    number = np.empty(len(rows), np.int64)
    number[texts] = np.cumsum((rows[texts] != np.roll(rows[texts], 1, 0)).any(1))
    other = _by_bytes(_joined(around, beside))
    return Sample(
        rows[order],
        classes[order],
        tuple(present),
        around[other],
        number[order],
        None if rich is None else rich[order],
        None if beside is None else beside[other],
        None if names is None else _named(names, labels, present),
        None if strings is None else tuple(strings[row] for row in order),
    )


def features_for(size: int, features: NDArray[Any] | None) -> NDArray[Any]:
    """Return the features that a transform of `size` of them reads; ValueError for others."""
    if features is None or features.shape[1] != size:
        found = "none" if features is None else f"{features.shape[1]} of them"
        raise ValueError(f"features: found {found}, expected {size} a text")
    return features


def texts_for(n: int, texts: Sequence[str] | None) -> Sequence[str]:
    """Return the texts of n rows; ValueError where there are none, or others."""
    if texts is None or len(texts) != n:
        found = "none" if texts is None else str(len(texts))
        raise ValueError(f"texts: found {found}, expected one for each of {n} rows")
    return texts


def _named(names: NDArray[Any], labels: tuple[str, ...], present: list[str]) -> Floats:
    at = {name: c for c, name in enumerate(labels)}
    k, ways, d = len(present), *names.shape[1:]
    rows = names[[at[name] for name in present]].reshape(k * ways, d)
    return unit_rows(rows).reshape(k, ways, d)


def _joined(rows: Floats, rich: Floats | None) -> Floats:
    return rows if rich is None else np.concatenate([rows, rich], axis=1)


def _whole(rows: Floats) -> NDArray[Any]:
    """Return each row as one value, to be sorted and found by its bytes."""
    wide = np.ascontiguousarray(rows)
    return wide.view(np.dtype((np.void, rows.shape[1] * rows.itemsize))).ravel()


def _by_bytes(rows: Floats, strings: Sequence[str] | None = None) -> NDArray[np.int64]:
    """Sort rows by their bytes, and those with the same ones by their texts."""
    first = np.arange(len(rows))
    if strings is not None:
        first = np.array(sorted(range(len(rows)), key=strings.__getitem__))
    order: NDArray[np.int64] = first[np.argsort(_whole(rows[first]), kind="stable")]
    return order


def _check(
    x: NDArray[Any],
    y: NDArray[Any],
    labels: tuple[str, ...],
    background: NDArray[Any],
    features: NDArray[Any] | None,
) -> None:
    if x.ndim != 2 or y.shape != (len(x),) or len(x) == 0:
        raise ValueError(f"x {x.shape} and y {y.shape}: expected (n, d) and (n,), n > 0")
    if background.ndim != 2 or background.shape[1] != x.shape[1] or len(background) == 0:
        raise ValueError(f"background {background.shape}: expected (b, {x.shape[1]}), b > 0")
    if features is not None and (features.ndim != 2 or len(features) != len(x)):
        raise ValueError(f"features {features.shape}: expected ({len(x)}, f)")
    if len(set(labels)) != len(labels):
        raise ValueError(f"labels: {len(labels) - len(set(labels))} names are repeated")
    if y.min() < 0 or y.max() >= len(labels):
        raise ValueError(f"y: values {y.min()} to {y.max()}, expected 0 to {len(labels) - 1}")
