"""The words of texts, and pieces of these, hashed into buckets: what a text says to the letter.

Weinberger, Dasgupta, Langford, Smola and Attenberg, "Feature Hashing for Large Scale Multitask
Learning", ICML 2009; pieces of words also tell texts in languages apart whose words have endings.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tasks.core.text.folding import folded, spaced

BUCKETS = 2**15
"""Of words, and as many of pieces. Accuracy of a ridge regression on them alone, mean of five sets
with 1,500 labels: 2¹⁶ 69.0, 2¹⁵ 68.9, 2¹⁴ 68.8."""
READ = 1_000  # characters of a text: about as far as the encoder reads
PIECE = 4  # characters; 3 to 5 of them 69.0 as above, 4 alone 68.9; words alone 66.0
BLOCK = 512  # texts whose characters are looked at together: some 20 MB at 1,000 characters
_BLANK, _END = ord(" "), ord("\n")
_BASE, _ODD = np.uint32(0x01000193), (np.uint32(0x2C1B3C6D), np.uint32(0x297A2D39))
_INVERSE = np.uint32(pow(int(_BASE), -1, 2**32))

Numbers = NDArray[np.int64]
Hashes = NDArray[np.uint32]


class Bags(NamedTuple):
    """Buckets of what is found in n texts, those of each text together; twice if it comes twice.

    buckets: (a,); starts: (n + 1,) where each text begins.
    """

    buckets: NDArray[np.int32]
    starts: Numbers


class NGrams(NamedTuple):
    """Words and pairs of words in 0..BUCKETS-1, pieces of words in BUCKETS..2·BUCKETS-1."""

    words: Bags
    pieces: Bags


def as_read(text: str) -> str:
    """Return what is read of a text: texts that have this in common have the same n-grams."""
    return folded(text[:READ])


def ngrams(texts: Sequence[str]) -> NGrams:
    """Hash words, pairs of words, and pieces of each word with its blanks."""
    blocks = range(0, max(len(texts), 1), BLOCK)
    parts = zip(*(_hashed(texts[at : at + BLOCK]) for at in blocks), strict=True)
    return NGrams(*map(_joined, parts))


def _joined(parts: tuple[Bags, ...]) -> Bags:
    many = np.concatenate([np.diff(part.starts) for part in parts])
    return Bags(np.concatenate([part.buckets for part in parts]), _starts(many))


def _starts(many: NDArray[Any]) -> Numbers:
    return np.concatenate([[0], np.cumsum(many)])


class _Block(NamedTuple):
    """Texts as one of n characters c: where each begins, and then n; what is no blank, (n,).

    power: Bˡ, back: B⁻ˡ, modulo 2³², (n,) or longer; sums: S_i = Σ_{l<i} c_l Bˡ, (n + 1,), so that
    a stretch from i to j has the hash (S_j - S_i) B⁻ⁱ: one sum serves them all (Karp and Rabin,
    1987).
    """

    text: Numbers
    inside: NDArray[np.bool_]
    power: Hashes
    back: Hashes
    sums: Hashes


def _hashed(texts: Sequence[str]) -> NGrams:
    said = "".join(f" {spaced(text[:READ])} \n" for text in texts)
    c = np.frombuffer(said.encode("utf-32-le"), np.uint32)
    power, back = (_powers(int(base), len(c).bit_length()) for base in (_BASE, _INVERSE))
    sums = np.zeros(len(c) + 1, np.uint32)
    np.cumsum(c * power[: len(c)], out=sums[1:], dtype=np.uint32)
    text = np.concatenate([[0], np.flatnonzero(c == _END) + 1])
    block = _Block(text, c > _BLANK, power, back, sums)
    return NGrams(_words(block), _pieces(block))


def _words(block: _Block) -> Bags:
    """Hash each word, and after it the pair of it and the next one of its text.

    A pair w₁ w₂ has one blank between, however many there are: h₁ + B^|w₁| (blank + B h₂).
    """
    edges = np.flatnonzero(block.inside[1:] != block.inside[:-1]) + 1
    begin, sums = edges[::2], block.sums[edges]
    h = (sums[1::2] - sums[::2]) * block.back[begin]
    found, there = np.zeros((len(h), 2), np.uint32), np.ones((len(h), 2), np.bool_)
    found[:, 0] = h
    after = block.power[edges[1:-1:2] - begin[:-1]]
    found[:-1, 1] = h[:-1] + after * (np.uint32(_BLANK) + _BASE * h[1:])
    first = np.searchsorted(begin, block.text)
    many = np.diff(first)
    there[first[1:][many > 0] - 1, 1] = False  # the last word of a text
    return Bags(_bucket(found[there]), _starts(2 * many - (many > 0)))


def _pieces(block: _Block) -> Bags:
    """Hash what no blank parts; the first and the last character of a piece may be one."""
    n = max(len(block.inside) - PIECE + 1, 0)
    whole = np.logical_and.reduce([block.inside[at : at + n] for at in range(1, PIECE - 1)])
    h = ((block.sums[PIECE:] - block.sums[:-PIECE]) * block.back[:n])[whole]
    begun = _starts(whole)[np.minimum(block.text, n)]
    return Bags(_bucket(h) + np.int32(BUCKETS), begun)


def _bucket(h: Hashes) -> NDArray[np.int32]:
    """Mix hashes, so that all of their bits count in the highest, which number the buckets."""
    h = (h ^ (h >> np.uint32(15))) * _ODD[0]
    h = (h ^ (h >> np.uint32(12))) * _ODD[1]
    return (h >> np.uint32(32 - BUCKETS.bit_length() + 1)).astype(np.int32)


@lru_cache(maxsize=8)
def _powers(base: int, bits: int) -> Hashes:
    """Return base⁰, base¹, …, (2^bits,), modulo 2³²."""
    powers = np.full(2**bits, base, np.uint32)
    powers[0] = 1
    return np.multiply.accumulate(powers, out=powers)
