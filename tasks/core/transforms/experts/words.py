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
from scipy.sparse import coo_matrix, csr_matrix, diags_array
from scipy.sparse.csgraph import connected_components
from torch import Tensor

from tasks.core.numerics.temperature import fit_temperature
from tasks.core.numerics.tensors import as_array, as_tensor, times
from tasks.core.text.ngrams import BLOCK, BUCKETS, Bags, as_read, ngrams
from tasks.core.transforms.experts.kernel_ridge import ROUNDED, raised
from tasks.core.transforms.sample import Sample

LIMIT = 4_000  # texts that a fit looks at; of more, as many, evenly spread in their order
CHOOSING = 1_000  # of these, by which λ is chosen
RIDGES = (0.1, 0.3, 1.0)  # λ
COMMON = 0.1  # of the texts: a bucket that more of them have is multiplied as a dense one
COLUMNS = 256  # of an inverse, that are solved together
MOST = 8_000_000  # weights: 32 MB of a transform; more buckets times classes are not asked


class _Table(NamedTuple):
    """The row of each of the 2·BUCKETS: r_b W_b and r_b², (u, k + 1), the last with 0 for W."""

    row: Tensor
    rows: Tensor


@dataclass(frozen=True)
class Words:
    """f(x) = Σ_g v_g W_{b(g)} over the n-grams g of a text, and t.

    v_g = r_{b(g)}/√(2 Σ r²), the sum over the words, or the pieces, of the text: both weigh alike.

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
    def _table(self) -> _Table:
        at, rarity = self.buckets.long(), self.rarity[:, None]
        row = at.new_full((2 * BUCKETS,), len(at), dtype=torch.int32)
        row[at] = torch.arange(len(at), dtype=torch.int32, device=at.device)
        known = torch.cat([rarity * self.weights, rarity.square()], dim=1)
        other = torch.cat([known.new_zeros(known.shape[1] - 1), self.usual.square()])
        return _Table(row, torch.cat([known, other[None]]))

    def log_p(self, texts: Sequence[str]) -> Tensor:
        """Return ln p over the known classes, (n, k)."""
        parts = range(0, max(len(texts), 1), BLOCK)
        return torch.cat([self._log_p(texts[at : at + BLOCK]) for at in parts])

    def _log_p(self, texts: Sequence[str]) -> Tensor:
        row, rows = self._table
        scores = rows.new_zeros(len(texts), rows.shape[1] - 1)
        for bags in ngrams(texts):
            sums = torch.nn.functional.embedding_bag(
                row.index_select(0, as_tensor(bags.buckets, rows)),
                rows,
                as_tensor(bags.starts[:-1].astype(np.int32), rows),
                mode="sum",
            )
            scores += sums[:, :-1] / _length(sums[:, -1:])
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
    found = [_counted(bags) for bags in ngrams([sample.strings[row] for row in first])]
    texts, k = sum(_texts_with(each) for each in found), len(sample.labels)
    used = np.flatnonzero(texts)
    if not len(used) or len(used) * k > MOST:
        return None
    rarity = (np.log((1 + len(first)) / (1 + texts)) + 1).astype(np.float32)
    words, pieces = (_weighed(each, rarity) for each in found)
    X = (words + pieces)[:, used]
    counts = np.zeros((len(first), k), np.float32)
    np.add.at(counts, (text[rows], sample.y[rows]), 1)
    best = _best(_products(X), as_tensor(counts))
    fitted = Words(
        as_tensor(used.astype(np.float32)),
        as_tensor(rarity[used]),
        as_tensor(X.T @ as_array(best.alpha)),
        as_tensor(np.array([np.log(1 + len(first)) + 1], np.float32)),
        best.sharpness,
    )
    left = torch.log_softmax(best.sharpness * best.left, dim=1)
    return WordRidge(fitted, text, left, sample.strings)


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


def _counted(bags: Bags) -> csr_matrix:
    """Return how often each text has each bucket, (t, 2·BUCKETS)."""
    shape = (len(bags.starts) - 1, 2 * BUCKETS)
    counts = csr_matrix((np.ones(len(bags.buckets), np.float32), *bags), shape=shape)
    counts.sum_duplicates()
    return counts


def _texts_with(matrix: csr_matrix) -> NDArray[np.int64]:
    return np.bincount(matrix.indices, minlength=matrix.shape[1])


def _weighed(counts: csr_matrix, rarity: NDArray[np.float32]) -> csr_matrix:
    """Return the sum of v_g in each bucket, see `Words`; counts: of words, or of pieces."""
    lengths = _length(as_tensor(counts @ rarity**2)).numpy()
    return diags_array(1 / lengths) @ counts @ diags_array(rarity)


def _length(squares: Tensor) -> Tensor:
    """Return √(2 Σ r²) of texts; 1 where there is nothing, since r ≥ 1."""
    return (2 * squares).clamp_min(1).sqrt()


def _products(X: csr_matrix) -> Tensor:
    """Return X Xᵀ, dense; common buckets as a dense product, since their share of it is dense."""
    common = _texts_with(X) > COMMON * X.shape[0]
    rest, full = X[:, ~common], as_tensor(X[:, common].toarray())
    return as_tensor((rest @ rest.T).toarray()) + times(full, full.T)


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
    left = y - alpha / _of_inverse(root)[:, None]
    text, truth = counts.nonzero().repeat_interleave(counts[counts > 0].long(), dim=0).T
    sharpness, loss = fit_temperature(left[text], truth, 10.0)
    return _Solved(alpha, left, sharpness, loss)


def _of_inverse(root: Tensor) -> Tensor:
    """Return the diagonal of (L Lᵀ)⁻¹, (t,): the squared lengths of the columns of L⁻¹.

    A column is 0 above the diagonal, so a block of them is solved by the rows from there on: 0.14 s
    of a core for 3,000 texts, and 0.34 for all columns at once.
    """
    found = []
    for at in range(0, len(root), COLUMNS):
        below = root[at:, at:]
        own = torch.eye(len(below), min(COLUMNS, len(below))).to(below)
        found.append(torch.linalg.solve_triangular(below, own, upper=False).square().sum(0))
    return torch.cat(found)
