"""Figures with intervals: the same figures as `score`, intervals that behave as intervals do."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest

from tasks.core.evaluation import bootstrap
from tasks.core.evaluation.bootstrap import MEASURES, bootstrap_scores, intervals
from tasks.core.evaluation.measures import BRIEF
from tasks.core.evaluation.metrics import score


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "RESAMPLES", 60)
    monkeypatch.setattr(bootstrap, "DRAWN", 4_000)


def clouds(n: int, k: int = 3, spread: float = 0.6, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    y = np.arange(n) % k
    noise = np.random.default_rng(seed).normal(size=(n, 8))
    return np.eye(k, 8)[y] + spread * noise, y


def test_the_figures_are_those_of_score_and_lie_in_their_intervals() -> None:
    x, y = clouds(150)
    found = bootstrap_scores({"view": x}, y, seed=3)["view"].figures
    expected = score(x, y, seed=3)
    for measure in MEASURES:
        figure = found[measure]
        assert figure is not None
        assert figure.value == pytest.approx(getattr(expected, measure))
        assert figure.low < figure.value < figure.high


def test_the_intervals_of_a_fit_are_those_of_an_evaluation() -> None:
    x, y = clouds(90)
    whole = bootstrap_scores({"view": x}, y, seed=2)["view"].figures
    assert intervals(x, y, seed=2) == {measure: whole[measure] for measure in BRIEF}
    assert intervals(x[:1], y[:1]) == intervals(x[:0], y[:0]) == {}


def test_four_times_the_texts_halve_the_intervals() -> None:
    widths = []
    for n in (120, 480):
        figures = bootstrap_scores({"view": clouds(n)[0]}, clouds(n)[1])["view"].figures
        widths.append([found.high - found.low for found in figures.values() if found])
    ratio = np.array(widths[0]) / np.array(widths[1])
    assert (ratio > 1.3).all() and (ratio < 3.2).all()


def test_an_interval_covers_the_figure_of_the_whole_as_often_as_it_says() -> None:
    x, y = clouds(6_000)
    truth = bootstrap_scores({"view": x}, y)["view"].figures["triplets"]
    random, hits = np.random.default_rng(0), 0
    for trial in range(20):
        rows = random.choice(len(y), 200, replace=False)
        found = bootstrap_scores({"view": x[rows]}, y[rows], seed=trial)["view"].figures["triplets"]
        assert truth is not None and found is not None
        hits += found.low <= truth.value <= found.high
    assert hits >= 16


def test_a_gain_over_the_same_space_is_nothing_and_over_a_worse_one_is_sure() -> None:
    x, y = clouds(200, spread=0.3)
    noise = np.random.default_rng(1).normal(size=x.shape)
    found = bootstrap_scores({"identity": noise, "previous": x, "view": x}, y)
    assert list(found["identity"].gains) == []
    assert list(found["view"].gains) == ["identity", "previous"]
    for gain in found["view"].gains["previous"].values():
        assert gain is not None and astuple(gain) == (0, 0, 0)
    for gain in found["view"].gains["identity"].values():
        assert gain is not None and gain.low > 0


def test_the_same_seed_gives_the_same_intervals() -> None:
    x, y = clouds(90)
    assert (
        bootstrap_scores({"view": x}, y, 5)
        == bootstrap_scores({"view": x}, y, 5)
        != bootstrap_scores({"view": x}, y, 6)
    )


def test_no_interval_of_a_figure_leaves_the_range_of_the_figure() -> None:
    x, y = clouds(24, spread=0.25)
    for found in bootstrap_scores({"view": x}, y)["view"].figures.values():
        assert found is not None and -100 <= found.low <= found.high <= 100


def test_texts_that_are_all_alike_and_labels_on_a_single_text_have_intervals_without_nan() -> None:
    x, y = np.ones((12, 4)), np.array([0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    for found in bootstrap_scores({"view": x}, y)["view"].figures.values():
        assert found is None or np.isfinite(astuple(found)).all()


def test_what_cannot_be_scored_has_no_figure() -> None:
    x, y = clouds(5, k=5)
    found = bootstrap_scores({"identity": x, "view": x}, y)["view"]
    assert found.figures["triplets"] is None
    assert found.gains["identity"]["triplets"] is None


def test_v_of_counted_texts_is_that_of_texts_repeated() -> None:
    from sklearn.metrics import v_measure_score

    random = np.random.default_rng(2)
    y, clusters = random.integers(4, size=50), random.integers(4, size=50)
    counts = random.integers(3, size=50).astype(np.uint8)
    repeated = v_measure_score(np.repeat(y, counts), np.repeat(clusters, counts))
    assert bootstrap.v_measures(y, clusters, counts[None]) == [pytest.approx(repeated)]


def test_rank_correlation_of_counted_pairs_is_that_of_pairs_repeated() -> None:
    from scipy.stats import spearmanr

    random = np.random.default_rng(3)
    agree = np.sort(random.random(80)) + random.random(80) > 1
    counts = random.integers(1, 3, size=80)
    values = np.repeat(np.arange(80), counts)
    expected = spearmanr(values, np.repeat(agree, counts)).statistic
    found = bootstrap._rank_correlation(counts.astype(float), agree)
    assert found == pytest.approx(expected)
