"""Scores against their definitions, at their limits, and the split that never leaks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn.metrics import v_measure_score

from tasks.core.evaluation.measures import v_by_chance
from tasks.core.evaluation.metrics import (
    PairSampler,
    Scores,
    graded_sts,
    knn_agreement,
    knn_ceiling,
    score,
    sts,
    triplet_accuracy,
    v_measure,
)
from tasks.core.numerics import rows
from tasks.core.numerics.split import stratified_split


def clusters(n: int = 60, k: int = 3, spread: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    y = np.arange(n) % k
    return np.eye(k, 8)[y] + spread * random.normal(size=(n, 8)), y


def test_classes_that_lie_apart_score_a_hundred() -> None:
    x, y = clusters(spread=0.01)
    found = score(x, y)
    assert (found.v_measure, found.triplets, found.knn) == (100, 100, 100)
    assert found.sts == pytest.approx(100 * 3**0.5 / 2, abs=0.5) and found.n == 60


def test_random_vectors_score_as_chance_does() -> None:
    random = np.random.default_rng(0)
    found = score(random.normal(size=(1500, 16)), np.arange(1500) % 3)
    assert found.v_measure is not None and found.v_measure < 2
    assert found.triplets == pytest.approx(50, abs=3) and found.sts == pytest.approx(0, abs=5)
    assert found.knn == pytest.approx(100 / 3, abs=3)


def test_equal_vectors_win_half_of_the_triplets() -> None:
    assert triplet_accuracy(np.ones((30, 4)), np.arange(30) % 3) == 50


def test_the_same_seed_gives_the_same_scores_at_any_scale_of_rows() -> None:
    x, y = clusters(spread=0.8)
    scales = 2.0 ** np.random.default_rng(1).integers(-3, 4, size=(60, 1))
    assert score(x, y, 5) == score(x, y, 5) == score(scales * x, y, 5)
    assert score(x, y, 5) != score(x, y, 6)


def test_the_numbers_that_stand_for_the_classes_do_not_matter() -> None:
    x, y = clusters(spread=0.8)
    assert score(x, y) == score(x, y * 100 + 7)


def test_neighbours_are_those_of_a_sorted_list() -> None:
    x, y = clusters(40, spread=1.0)
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    cosines = unit @ unit.T
    shares = []
    for i in range(40):
        nearest = [j for j in np.argsort(-cosines[i]) if j != i][:10]
        shares.append(np.mean(y[nearest] == y[i]))
    assert knn_agreement(x, y) == pytest.approx(100 * np.mean(shares), abs=1e-4)


def test_chunks_of_anchors_give_the_neighbours_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = clusters(spread=1.0)
    whole = knn_agreement(x, y)
    monkeypatch.setattr(rows, "BLOCK", 7)
    assert knn_agreement(x, y) == pytest.approx(whole, abs=1e-9)


def test_half_of_the_pairs_agree_and_partners_are_as_drawn() -> None:
    y = np.array([3, 3, 5, 5, 5, 9])
    draw = PairSampler(y, seed=0)
    anchor = draw.anchors(4000)
    positive, negative = draw.positives(anchor), draw.negatives(anchor)
    assert set(anchor) == {0, 1, 2, 3, 4}
    assert (y[anchor] == y[positive]).all() and (anchor != positive).all()
    assert (y[anchor] != y[negative]).all() and set(negative) == set(range(6))
    ofthree = positive[anchor == 2]
    assert (ofthree == 3).mean() == pytest.approx(0.5, abs=0.06)


def test_graded_agreement_is_ranked_by_spearman() -> None:
    random = np.random.default_rng(0)
    left, right, grades = random.normal(size=(50, 6)), random.normal(size=(50, 6)), np.arange(50)
    cosines = (left * right).sum(1) / np.linalg.norm(left, axis=1) / np.linalg.norm(right, axis=1)
    expected = 100 * spearmanr(cosines, grades).statistic
    assert graded_sts(left, right, grades) == pytest.approx(expected, abs=0.05)
    assert graded_sts(left, right, np.ones(50)) is None


@pytest.mark.parametrize(
    ("y", "expected"),
    [
        ([], Scores(None, None, None, None, 0)),
        ([0], Scores(None, None, None, None, 1)),
        ([0, 0, 0], Scores(None, None, None, None, 3)),
        ([0, 1, 2], Scores(100.0, None, None, None, 3)),
    ],
)
def test_what_is_not_defined_is_none(y: list[int], expected: Scores) -> None:
    x = np.eye(4)[: len(y)]
    assert score(x, np.array(y, int)) == expected


def test_vectors_that_are_all_equal_have_scores_without_a_nan() -> None:
    found = score(np.ones((12, 3)), np.arange(12) % 4)
    assert (found.v_measure, found.sts) == (0, None)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 4), min_size=0, max_size=12), st.integers(0, 5))
def test_scores_are_none_or_within_their_range(y: list[int], seed: int) -> None:
    x = np.random.default_rng(seed).normal(size=(len(y), 3))
    found = score(x, np.array(y, int), seed)
    for figure in (found.v_measure, found.triplets, found.knn):
        assert figure is None or 0 <= figure <= 100.001
    assert found.sts is None or -100 <= found.sts <= 100


def test_v_measure_is_the_mean_of_three_runs() -> None:
    from sklearn.cluster import KMeans
    from sklearn.metrics import v_measure_score

    x, y = clusters(spread=0.7)
    unit = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
    runs = [
        v_measure_score(y, KMeans(3, n_init=1, random_state=i).fit_predict(unit)) for i in range(3)
    ]
    assert v_measure(x, y) == pytest.approx(100 * np.mean(runs), abs=1e-6)


def test_sts_falls_as_classes_blur() -> None:
    found = [sts(*clusters(300, spread=spread)) for spread in (0.1, 0.5, 2.0)]
    assert found[0] > found[1] > found[2] > 0


classes = st.lists(st.integers(0, 6), min_size=1, max_size=40)


@given(classes, st.floats(0, 1), st.integers(0, 9), st.booleans())
def test_every_text_is_on_one_side_and_every_class_in_training(
    y: list[int], held_out: float, seed: int, named: bool
) -> None:
    keys = [f"id {i}" for i in range(len(y))] if named else None
    train, held = stratified_split(np.array(y), held_out, seed, keys)
    assert sorted([*train, *held]) == list(range(len(y)))
    assert {y[i] for i in train} == set(y)


def test_about_the_asked_share_is_held_out_of_every_class() -> None:
    y = np.arange(6000) % 3
    for keys in (None, [str(i) for i in range(6000)]):
        held = stratified_split(y, 0.2, 1, keys)[1]
        assert np.bincount(y[held]) / 2000 == pytest.approx(0.2, abs=0.03)


@given(classes, st.integers(0, 9))
def test_a_text_stays_on_its_side_when_others_are_added_or_rows_are_mixed(
    y: list[int], seed: int
) -> None:
    y = [*y, *range(7), *range(7)]
    keys = [f"id {i}" for i in range(len(y))]

    def held(rows: list[int]) -> set[str]:
        split = stratified_split(np.array([y[i] for i in rows]), 0.3, seed, [keys[i] for i in rows])
        return {keys[rows[i]] for i in split[1]}

    rows = list(range(len(y)))
    assert held(rows) == held(rows[::-1])
    fewer = rows[: len(rows) // 2]
    assert held(fewer) <= held(rows)


def test_another_seed_holds_out_other_texts() -> None:
    y, keys = np.zeros(200, int), [str(i) for i in range(200)]
    assert set(stratified_split(y, 0.3, 1, keys)[1]) != set(stratified_split(y, 0.3, 2, keys)[1])


def test_the_ceiling_of_the_neighbours_is_what_a_perfect_space_reaches():
    y = np.repeat(np.arange(6), [2, 3, 5, 11, 20, 40])
    assert knn_ceiling(y) == pytest.approx(knn_agreement(np.eye(6)[y], y), abs=1e-9)
    assert knn_ceiling(y) < 100
    assert knn_ceiling(np.repeat([0, 1], 11)) == 100
    assert knn_ceiling(np.arange(5)) is None


@pytest.mark.parametrize(("texts", "labels"), [(76, 13), (119, 5), (300, 13), (2645, 13)])
def test_the_v_measure_of_chance_is_about_that_of_labels_drawn_blindly(texts, labels):
    random = np.random.default_rng(0)
    draws = [random.integers(0, labels, (2, texts)) for _ in range(40)]
    mean = 100 * np.mean([v_measure_score(*pair) for pair in draws])
    assert v_by_chance(texts, labels) == pytest.approx(mean, abs=2)
    assert v_by_chance(texts, 1) == v_by_chance(0, labels) == 0
