"""How much the generic space counts where labels are in doubt: chosen by what neighbours gain.

With few labels for many classes a posterior is often wrong, and then it is the residual that keeps
like texts together. Where the corpus has many texts of classes without a label, what labelled texts
show is true of a part of it alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tasks.core.numerics.tensors import as_array, as_tensor
from tasks.core.transforms.posterior_space import DOUBT, PosteriorParts, laid_out

DOUBTS = (DOUBT, 1.0, 2.0, 4.0, 8.0)  # c, the usual one first
MOST = 1_000  # texts that are compared with each other; of more, every second, third, …
LEAN = 0.5
"""Standard errors by which a greater c may seem worse: little evidence leaves the generic space as
it is, and texts left out, fewer than those of the corpus, have fewer near ones to lose. Measured on
2,500 texts, V / triplets / kNN@10: clinc150 intent with 300 labels 84.4 / 96.0 / 73.7 at c = 0.5,
85.5 / 97.1 / 74.9 at 2, and c = 2 leads by 0.9 errors; banking77 with 100 labels 72.6 / 94.4 / 67.2
and 75.8 / 94.8 / 71.3, by 0.4; crisislex_t26 event type 64.4 / 89.6 / 85.3 and 59.4 / 86.0 / 88.5,
and c = 2 is 0.7 behind. Divided by (1 - unseen)², and with c = 8 to choose: clinc150 intent with
100 labels for 18 of its 151 classes, V and kNN@10 against the base vectors from -2.0 and -1.4 to
+0.8 and +3.6 (2,000 texts); means over 14 aspects + 0.6 / + 0.3 / + 0.6."""
NEAREST = 10  # neighbours looked at, or a quarter of a class: a corpus has more of its texts near
SHOWN = 2.0  # greatest c that is leant towards where the labels show (nearly) all classes
NEW = 0.2
"""Share of new classes from which greater ones are, too: below, it is little more than the share of
texts of known classes that are taken for new (`cross_validation.FALSE_ALARM`). With thirty labels
c = 4 or 8 was chosen by the lean alone: see benchmarks/RESULTS.md."""
SEEN = 0.1  # share of texts of labelled classes from which fewer make no difference


def choose_doubt(parts: PosteriorParts, y: Tensor, floor: float, unseen: float = 0.0) -> float:
    """Return the c that places texts left out best; where they are too few to tell, a greater one.

    Of each text the share of nearest ones that carry its label, and how often one of its label is
    nearer than one of another, are added up. How much worse a greater c may seem: see `_lean`; one
    above `SHOWN` only where a share of the corpus is of classes without a label.
    parts: what is said of labelled texts left out, one row each; y: (n,) their classes; unseen:
    share of the corpus that is of classes without a label, the mean of ν or `alone`.
    """
    every = torch.bincount(y)
    step = 1 + len(y) // (MOST + 1)
    some, y = PosteriorParts(*(each[::step] for each in parts)), y[::step]
    counts = torch.bincount(y)
    able = counts[y] > 1
    if int(able.sum()) < NEAREST or len(torch.unique(y[able])) < 2:
        return DOUBT
    near = int((counts[counts > 0].double().mean() / 4).clamp(1, NEAREST))
    found = [_placed(laid_out(some, floor, c), y, near)[able] for c in DOUBTS]
    lean = _lean(every, unseen)
    return DOUBTS[_best(found, [lean if c <= SHOWN or unseen >= NEW else 0.0 for c in DOUBTS])]


def alone(y: NDArray[Any]) -> float:
    """Return the share of labels that are the only one of their class: of texts drawn at random an
    estimate of what the classes never drawn have together (Good, Biometrika 40, 1953)."""
    return float((np.bincount(y) == 1).sum() / max(len(y), 1))


def _lean(counts: Tensor, unseen: float) -> float:
    """Return how many standard errors worse a greater c may seem: LEAN / ((1 - unseen) (1 - 1/m))².

    Labels tell of (1 - unseen)² of the pairs of texts in the corpus, and of a text left out, one of
    the m that its class has, the other m - 1: with two labels a class it is read by one, and finds
    one of its own. counts: (k,) texts left out of each class; m: the mean of those above one.
    """
    m = float(counts[counts > 1].double().mean())
    return LEAN / max((1 - unseen) * (1 - 1 / m), SEEN) ** 2


def _best(found: Sequence[Tensor], leans: Sequence[float]) -> int:
    """Return the place of the greatest mean gain over the first, plus that many standard errors."""
    gains = [each - found[0] for each in found]
    scores = [
        float(g.mean() + lean * g.std() / len(g) ** 0.5)
        for g, lean in zip(gains, leans, strict=True)
    ]
    return max(range(len(scores)), key=lambda at: (scores[at], -at))


def _placed(z: Tensor, y: Tensor, near: int) -> Tensor:
    """Return, of each text, the share of nearest with its label plus that of right triplets."""
    u = torch.nn.functional.normalize(z, dim=1)
    close = (u @ u.T).fill_diagonal_(-torch.inf)
    order = as_tensor(np.argsort(as_array(close), axis=1), z)  # a sixth of what torch's takes
    right = (y[:, None] == y[None]).fill_diagonal_(False).gather(1, order)  # the nearest last
    own = right.double().sum(1)
    below = (right * torch.arange(len(y), device=y.device)).sum(1) - own * (own + 1) / 2
    triplets = below / (own * (len(y) - 1 - own)).clamp_min(1)
    return right[:, -near:].double().mean(1) + triplets
