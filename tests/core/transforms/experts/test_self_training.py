"""The discriminant that has read the corpus: equal to one that was told, and none the worse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from tasks.core.settings.fit_section import DiscriminantSettings
from tasks.core.transforms import base
from tasks.core.transforms.cross_validation import Fold
from tasks.core.transforms.discriminant import fit_cross_validated
from tasks.core.transforms.experts import self_training
from tasks.core.transforms.experts.self_training import read_corpus, teach
from tasks.core.transforms.plda import solve, sufficient_statistics
from tasks.core.transforms.sample import Texts, make_sample
from tasks.core.workspace.manifests import Card
from tests.clouds import K, clouds

NAMES = ("a", "b", "c")


class Knowing:
    """A teacher that knows every class."""

    def __init__(self, y: np.ndarray) -> None:
        self._p = torch.eye(K)[torch.from_numpy(y)]

    def of_corpus(self) -> torch.Tensor:
        return self._p

    def without(self, fold: Fold) -> tuple[torch.Tensor, torch.Tensor]:
        return self._p, torch.eye(K)[fold.y]


def test_with_a_teacher_that_knows_it_is_the_discriminant_of_all_texts(monkeypatch: Any) -> None:
    monkeypatch.setattr(self_training, "SHARES", (1.0,))
    x, y = clouds(240)
    sample = make_sample(Texts(x[:60], None), y[:60], NAMES, Texts(x, None))
    _, found = fit_cross_validated(sample, DiscriminantSettings())
    around, cut = torch.from_numpy(x[60:]), self_training.SHRINKAGE
    student, left = teach(found, read_corpus(around, torch.zeros(180)), Knowing(y[60:]))
    wide = torch.from_numpy(x).double()
    told = solve(sufficient_statistics(wide, torch.from_numpy(y), K), max(found.shrinkage, cut))
    probe = torch.from_numpy(clouds(30, seed=9)[0])
    torch.testing.assert_close(
        student.model.scores(probe), told.scores(probe.double()).float(), atol=1e-3, rtol=1e-3
    )
    assert len(left.rows) == 60 and left.loss is not None


def test_texts_that_are_surely_of_a_new_class_are_not_read() -> None:
    x, y = clouds(240)
    sample = make_sample(Texts(x[:60], None), y[:60], NAMES, Texts(x, None))
    _, found = fit_cross_validated(sample, DiscriminantSettings())
    around = torch.from_numpy(np.concatenate([x[60:], -x[60:90]]))
    new = torch.cat([torch.zeros(180), torch.ones(30)])
    knowing = Knowing(np.concatenate([y[60:], y[60:90]]))
    one, _ = teach(found, read_corpus(around, new), knowing)
    other, _ = teach(found, read_corpus(around[:180], new[:180]), Knowing(y[60:]))
    torch.testing.assert_close(one.model.n, other.model.n)
    probe = torch.from_numpy(x[:9])
    torch.testing.assert_close(one.log_p(probe), other.log_p(probe), atol=1e-4, rtol=1e-4)


def asked(view: base.Transform) -> dict[str, float]:
    """Return the weights of the experts that were kept."""
    found: dict[str, float] = getattr(view.settings().settings, "weights", {})
    return found


def few(per_class: int = 4) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    x, y = clouds(1_200, spread=0.9)
    return x, y, np.concatenate([np.flatnonzero(y == c)[:per_class] for c in range(K)])


def test_the_corpus_helps_where_labels_are_few_also_with_texts_that_came_later() -> None:
    x, y, at = few()
    later, truth = clouds(1_200, spread=0.9)[0][900:], y[900:]
    alone = base.fit("discriminant", x[at], y[at], NAMES, x[:900], {}, 1)
    view = base.fit("auto", x[at], y[at], NAMES, x[:900], {}, 1)
    assert "corpus" in asked(view)
    assert (view.apply(later).label == truth).mean() > (alone.apply(later).label == truth).mean()


def test_labelled_texts_are_not_read_twice() -> None:
    x, y = clouds(60)
    sample = make_sample(Texts(x, None), y, NAMES, Texts(x, None))
    assert len(sample.corpus()[0]) == 0
    view = base.fit("auto", x, y, NAMES, x, {}, 1)
    assert "corpus" not in asked(view)


def test_without_features_of_the_corpus_it_is_not_read() -> None:
    x, y, at = few()
    made = base.fit("auto", x[at], y[at], NAMES, x, {}, 1, x[at])
    read = base.fit("auto", x[at], y[at], NAMES, x, {}, 1, x[at], beside=x)
    assert "corpus" not in asked(made) and "corpus" in asked(read)


def test_a_pool_of_all_experts_comes_back_from_disk_as_it_was(tmp_path: Path) -> None:
    x, y, at = few(8)
    names = np.stack([x[y == c].mean(0) for c in range(K)])[:, None]
    made = base.fit("auto", x[at], y[at], NAMES, x, {}, 1, x[at], beside=x, names=names)
    base.save(tmp_path, made, Card())
    again, card = base.load(tmp_path)
    assert again.settings() == made.settings() and card.settings["chosen"] == "pool"
    np.testing.assert_array_equal(again.apply(x, x).vectors, made.apply(x, x).vectors)
