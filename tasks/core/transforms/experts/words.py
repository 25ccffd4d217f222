"""What the words of a text say: ridge regression to one-hot labels on hashed n-grams.

The encoder reads what a text means; names, tags and turns of phrase that tell its label are lost in
that. Texts left out by the closed form of Rifkin and Lippert, "Notes on Regularized Least Squares",
2007; rarity is the inverse document frequency of Spärck Jones, 1972.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components
from torch import Tensor

from tasks.core.numerics.temperature import fit_temperature
from tasks.core.numerics.tensors import as_array, as_tensor
from tasks.core.text.ngrams import BLOCK, BUCKETS, NGrams, as_read, ngrams
from tasks.core.transforms.experts.kernel_ridge import ROUNDED, raised
from tasks.core.transforms.sample import Sample

LIMIT = 4_000  # texts that a fit looks at; of more, as many, evenly spread in their order
CHOOSING = 1_000  # of these, by which λ is chosen
RIDGES = (0.1, 0.3, 1.0)  # λ
COMMON = 0.1  # of the texts: a bucket that more of them have is multiplied as a dense one
MOST = 8_000_000  # weights: 32 MB of a transform; more buckets times classes are not asked


class _Tables(NamedTuple):
    """Rarity of each of the 2·BUCKETS, its row in the weights, and the weights with a row of 0."""

    rarity: NDArray[np.float32]
    place: NDArray[np.int64]
    weights: Tensor


@dataclass(frozen=True)
class Words:
    """f(x) = Σ_g v_g W_{b(g)} over the n-grams g of a text, and t.

    buckets: (u,) those of labelled texts, as float32 for the disk; rarity: (u,); weights: W (u, k);
    usual: (1,) the rarity of a bucket that no labelled text has.
    """

    buckets: Tensor
    rarity: Tensor
    weights: Tensor
    usual: Tensor
    sharpness: float

    def __post_init__(self) -> None:
        at = self.buckets
        if not len(at) or not (at.min() >= 0 and at.max() < 2 * BUCKETS):
            raise ValueError(f"words: buckets beyond 0 to {2 * BUCKETS - 1}, or none")
        if self.usual.numel() != 1 or not len(at) == len(self.rarity) == len(self.weights):
            raise ValueError(f"words: {len(at)} buckets, other numbers of rarities or weights")

    @cached_property
    def _tables(self) -> _Tables:
        at = as_array(self.buckets).astype(np.int64)
        rarity = np.full(2 * BUCKETS, float(self.usual), np.float32)
        rarity[at] = as_array(self.rarity)
        place = np.full(2 * BUCKETS, len(at))
        place[at] = np.arange(len(at))
        nothing = self.weights.new_zeros(1, self.weights.shape[1])
        return _Tables(rarity, place, torch.cat([self.weights, nothing]))

    def log_p(self, texts: Sequence[str]) -> Tensor:
        """Return ln p over the known classes, (n, k)."""
        parts = range(0, max(len(texts), 1), BLOCK)
        return torch.cat([self._log_p(texts[at : at + BLOCK]) for at in parts])

    def _log_p(self, texts: Sequence[str]) -> Tensor:
        rarity, place, table = self._tables
        found = ngrams(texts)
        scores = torch.nn.functional.embedding_bag(
            as_tensor(place[found.buckets], table),
            table,
            as_tensor(found.starts[:-1], table),
            mode="sum",
            per_sample_weights=as_tensor(found.weighed(rarity), table),
        )
        return torch.log_softmax(self.sharpness * scores, dim=1)

    def tensors(self) -> dict[str, Tensor]:
        """Return the tensors by name, as they are stored."""
        return {name: getattr(self, name) for name in ("buckets", "rarity", "weights", "usual")}


@dataclass(frozen=True)
class WordRidge:
    """The regression on some labelled texts, and what it says of each of them left out.

    text: (n,) which of the t texts of the regression each labelled row is of, -1 for none; left:
    ln p (t, k); strings: of the n rows.
    """

    words: Words
    text: NDArray[np.int64]
    left: Tensor
    strings: tuple[str, ...]

    def left_out_of(self, rows: Tensor) -> Tensor:
        """Return ln p of labelled rows (m,), by a fit without their texts.

        Of many texts the fit has left out most already.
        """
        text = as_tensor(self.text)[rows]
        log_p = self.left[text.clamp_min(0)]
        others = torch.nonzero(text < 0)[:, 0]
        if len(others):
            log_p[others] = self.words.log_p([self.strings[row] for row in rows[others].tolist()])
        return log_p


def read_words(sample: Sample) -> WordRidge | None:
    """Regress labels on n-grams; None where there are no texts, or too many weights to keep."""
    if sample.strings is None:
        return None
    number = _numbered(sample.strings, sample.texts)
    chosen = _spread(1 + int(number.max()), LIMIT)
    text = np.where(np.isin(number, chosen), np.searchsorted(chosen, number), -1)
    rows = np.flatnonzero(text >= 0)
    first = rows[np.unique(text[rows], return_index=True)[1]]
    found = ngrams([sample.strings[row] for row in first])
    used, k = np.unique(found.buckets), len(sample.labels)
    if not len(used) or len(used) * k > MOST:
        return None
    rarity = _rarity(found)
    X = _matrix(found, found.weighed(rarity))
    counts = np.zeros((len(first), k), np.float32)
    np.add.at(counts, (text[rows], sample.y[rows]), 1)
    best = _best(_products(X), as_tensor(counts))
    words = Words(
        as_tensor(used.astype(np.float32)),
        as_tensor(rarity[used]),
        as_tensor((X.T.tocsr()[used] @ as_array(best.alpha)).astype(np.float32)),
        as_tensor(np.array([np.log(1 + len(first)) + 1], np.float32)),
        best.sharpness,
    )
    left = torch.log_softmax(best.sharpness * best.left, dim=1)
    return WordRidge(words, text, left, sample.strings)


def _numbered(strings: Sequence[str], vectors: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return one number, from 0 on, for all rows that read alike or are of one vector, (n,).

    vectors: (n,) the number of each row's vector. Texts are numbered in the order of what is read.
    """
    read = np.array([as_read(text) for text in strings], dtype=object)
    said = np.unique(read, return_inverse=True)[1]
    other = 1 + said.max() + vectors
    joined = coo_matrix((np.ones(len(said)), (said, other)), shape=[1 + other.max()] * 2)
    number: NDArray[np.int64] = connected_components(joined, directed=False)[1][said]
    return number.astype(np.int64)


def _spread(n: int, most: int) -> NDArray[np.int64]:
    """Return all of 0 to n - 1, or `most` of them, evenly spread."""
    return np.linspace(0, n - 1, min(n, most)).round().astype(np.int64)


def _matrix(found: NGrams, values: NDArray[np.float32]) -> csr_matrix:
    """Return texts by buckets, with the sum of the values of a bucket that comes twice."""
    shape = (len(found.starts) - 1, 2 * BUCKETS)
    matrix = csr_matrix((values, found.buckets.astype(np.int32), found.starts), shape=shape)
    matrix.sum_duplicates()
    return matrix


def _texts_with(matrix: csr_matrix) -> NDArray[np.int64]:
    return np.bincount(matrix.indices, minlength=matrix.shape[1])


def _rarity(found: NGrams) -> NDArray[np.float32]:
    """Return 1 + ln((1 + n)/(1 + n_b)), n_b the texts with bucket b, of every bucket."""
    texts = _texts_with(_matrix(found, np.ones(len(found.buckets), np.float32)))
    rarity: NDArray[np.float32] = (np.log(len(found.starts) / (1 + texts)) + 1).astype(np.float32)
    return rarity


def _products(X: csr_matrix) -> Tensor:
    """Return X Xᵀ, dense; common buckets as a dense product, since their share of it is dense."""
    common = _texts_with(X) > COMMON * X.shape[0]
    rest, full = X[:, ~common], as_tensor(X[:, common].toarray())
    return as_tensor((rest @ rest.T).toarray()) + full @ full.T


class _Solved(NamedTuple):
    alpha: Tensor
    left: Tensor
    sharpness: float
    loss: float


def _best(alike: Tensor, counts: Tensor) -> _Solved:
    """Choose λ by some of the texts, and solve for all."""
    some = as_tensor(_spread(len(counts), CHOOSING))
    few, said = alike[some][:, some], counts[some]
    ridge = min((_solved(few, said, ridge).loss, ridge) for ridge in RIDGES)[1]
    return _solved(alike, counts, ridge)


def _solved(alike: Tensor, counts: Tensor, ridge: float) -> _Solved:
    """Solve (K + D)α = Y of t texts, each once: with m rows D = λ/m, and y is their mean label.

    So it is ridge regression on all rows. A text left out with all of them: y - α/(K + D)⁻¹_ii.
    alike: K (t, t); counts: (t, k) how many rows of a text have a label.
    """
    many = counts.sum(1)
    y = counts / many[:, None]
    least = ROUNDED * float(alike.trace())
    root = torch.linalg.cholesky(raised(alike, (ridge / many).clamp_min(least)))
    alpha = torch.cholesky_solve(y, root)
    inverse = torch.linalg.solve_triangular(root, torch.eye(len(y)).to(y), upper=False)
    left = y - alpha / torch.linalg.vector_norm(inverse, dim=0)[:, None].square()
    text, truth = counts.nonzero().repeat_interleave(counts[counts > 0].long(), dim=0).T
    sharpness, loss = fit_temperature(left[text], truth, 10.0)
    return _Solved(alpha, left, sharpness, loss)
