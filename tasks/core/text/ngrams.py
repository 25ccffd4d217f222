"""The words of texts, and pieces of these, hashed into buckets: what a text says to the letter.

Weinberger, Dasgupta, Langford, Smola and Attenberg, "Feature Hashing for Large Scale Multitask
Learning", ICML 2009; pieces of words also tell texts in languages apart whose words have endings.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tasks.core.text.folding import folded

BUCKETS = 2**15
"""Of words, and as many of pieces. Accuracy of a ridge regression on them alone, mean of five sets
with 1,500 labels: 2¹⁶ 69.0, 2¹⁵ 68.9, 2¹⁴ 68.8."""
READ = 1_000  # characters of a text: about as far as the encoder reads
PIECE = 4  # characters; 3 to 5 of them 69.0 as above, 4 alone 68.9; words alone 66.0
BLOCK = 512  # texts whose characters are looked at together: some 40 MB at 1,000 characters
_BLANK, _END = ord(" "), ord("\n")
_BASE, _ODD = np.uint32(0x01000193), (np.uint32(0x2C1B3C6D), np.uint32(0x297A2D39))

Counts = NDArray[np.int64]
Buckets = NDArray[np.int32]


class NGrams(NamedTuple):
    """Buckets of n texts, those of each text together; of a word that comes twice, twice.

    buckets: (a,) in 0..2·BUCKETS-1, words below BUCKETS and pieces above; starts: (n + 1,) where
    each text begins.
    """

    buckets: Buckets
    starts: Counts

    @property
    def text(self) -> Buckets:
        """The number of the text that each is of, (a,)."""
        return np.repeat(np.arange(len(self.starts) - 1, dtype=np.int32), np.diff(self.starts))

    def weighed(self, rarity: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what each counts, (a,), so that words and pieces of a text weigh alike.

        v = r_b/√(2 Σ r²), the sum over the words, or the pieces, of its text. rarity: r of each
        bucket, (2·BUCKETS,).
        """
        own = rarity[self.buckets]
        kind = 2 * self.text + (self.buckets >= BUCKETS)
        lengths = np.sqrt(2 * np.bincount(kind, own * own)).astype(np.float32)
        counted: NDArray[np.float32] = own / lengths[kind]
        return counted


def as_read(text: str) -> str:
    """Return what is read of a text: texts that have this in common have the same n-grams."""
    return folded(text[:READ])


def ngrams(texts: Sequence[str]) -> NGrams:
    """Hash words, pairs of words, and pieces of each word with its blanks."""
    parts = [_hashed(texts[at : at + BLOCK]) for at in range(0, max(len(texts), 1), BLOCK)]
    many = np.concatenate([np.diff(part.starts) for part in parts])
    starts = np.concatenate([[0], np.cumsum(many)])
    return NGrams(np.concatenate([part.buckets for part in parts]), starts)


def _hashed(texts: Sequence[str]) -> NGrams:
    """Hash a block of texts.

    A stretch from i to j of all texts as one, characters c, has (S_j - S_i) B⁻ⁱ modulo 2³² with
    S_i = Σ_{l<i} c_l Bˡ: one sum serves them all (Karp and Rabin, 1987).
    """
    said = map(as_read, texts)
    c = np.frombuffer("".join(f" {each} \n" for each in said).encode("utf-32-le"), np.uint32)
    text = np.cumsum(c == _END) - (c == _END)
    hashed = _Stretches(c)
    inside = (c != _BLANK) & (c != _END)
    begin = np.flatnonzero(inside[1:] & ~inside[:-1]) + 1
    end = np.flatnonzero(inside[:-1] & ~inside[1:]) + 1
    pair = text[begin[:-1]] == text[begin[1:]]
    kinds = [(begin, end), (begin[:-1][pair], end[1:][pair])]
    at = np.arange(max(len(c) - PIECE + 1, 0))
    gaps = np.concatenate([[0], np.cumsum(~inside)])
    at = at[(gaps[at + PIECE - 1] == gaps[at + 1]) & (c[at] != _END) & (c[at + PIECE - 1] != _END)]
    kinds.append((at, at + PIECE))
    found = [hashed.of(*kind) for kind in kinds]
    found[-1] += BUCKETS
    return _by_text(found, [text[first] for first, _ in kinds], len(texts))


class _Stretches:
    def __init__(self, c: NDArray[np.uint32]) -> None:
        n = len(c) + 1
        inverse = np.uint32(pow(int(_BASE), -1, 2**32))
        power, self._back = (_powers(each, n) for each in (_BASE, inverse))
        self._sums = np.zeros(n, np.uint32)
        np.cumsum(c * power[:-1], out=self._sums[1:], dtype=np.uint32)

    def of(self, begin: Counts, end: Counts) -> Buckets:
        """Return the buckets of stretches."""
        h = (self._sums[end] - self._sums[begin]) * self._back[begin]
        h = (h ^ (h >> np.uint32(15))) * _ODD[0]  # mixed, so that all bits count in the highest
        h = (h ^ (h >> np.uint32(12))) * _ODD[1]
        return (h >> np.uint32(32 - BUCKETS.bit_length() + 1)).astype(np.int32)


def _powers(base: np.uint32, n: int) -> NDArray[np.uint32]:
    powers = np.full(n, base, np.uint32)
    powers[0] = 1
    return np.multiply.accumulate(powers, out=powers)


def _by_text(found: list[Buckets], text: list[Counts], n: int) -> NGrams:
    """Put what is found of each kind, in the order of the texts, together by text."""
    many = np.stack([np.bincount(each, minlength=n) for each in text])
    starts = np.concatenate([[0], np.cumsum(many.sum(0))])
    before = starts[:-1] + np.cumsum(many, axis=0) - many
    buckets = np.empty(starts[-1], np.int32)
    for own, of, first, count in zip(found, text, before, many, strict=True):
        place = np.arange(len(of)) - (np.cumsum(count) - count)[of]
        buckets[first[of] + place] = own
    return NGrams(buckets, starts)
