"""Three figures of texts out of fold, held against those of the base vectors."""

from __future__ import annotations

import numpy as np
import pytest

from tasks.core.evaluation.bootstrap import resamples
from tasks.core.evaluation.gains import Part, gains
from tasks.core.evaluation.metrics import knn_agreement, v_measure
from tests.clouds import unit_rows

N, K = 120, 4


def part(n: int = N, k: int = K, seed: int = 0, better: float = 2.0) -> Part:
    random = np.random.default_rng(seed)
    y = random.integers(k, size=n)
    noise = random.normal(size=(n, 12))
    before, after = (unit_rows(apart * np.eye(k, 12)[y] + noise) for apart in (1.0, 1.0 + better))
    return Part(y, y, np.stack([np.arange(n), y], axis=1), before, after)


def found(*parts: Part):
    return gains(parts, resamples(sum(len(each.y) for each in parts), 1), 1)


def test_the_figures_of_one_part_are_those_of_its_space() -> None:
    own = part()
    seen = found(own)
    assert seen["v_measure"].before == pytest.approx(v_measure(own.before, own.y, 1))
    assert seen["v_measure"].after.value == pytest.approx(v_measure(own.after, own.y, 1))
    assert seen["knn"].title == "kNN@10"
    assert seen["knn"].after.value == pytest.approx(knn_agreement(own.after, own.y, 1))
    for each in seen.values():
        assert each.gain.value == pytest.approx(each.after.value - each.before)
        assert 0 < each.gain.low < each.gain.value < each.gain.high


def test_a_space_gains_nothing_over_itself() -> None:
    for each in found(part(better=0.0), part(seed=1, better=0.0)).values():
        assert (each.gain.low, each.gain.value, each.gain.high) == (0, 0, 0)


def test_parts_are_weighed_by_their_texts_and_never_compared_with_each_other() -> None:
    big, small = part(200), part(100, seed=1)
    turned = Part(small.y, small.said, small.given, small.before, np.roll(small.after, 1, axis=1))
    together, apart = found(big, turned), [found(each) for each in (big, turned)]
    for measure in ("v_measure", "knn"):
        values = [each[measure].after.value for each in apart]
        expected = np.average(values, weights=[200, 100])
        assert together[measure].after.value == pytest.approx(expected)


def test_of_small_classes_fewer_neighbours_are_looked_at() -> None:
    assert found(part(40, 12))["knn"].title == "kNN@1"
    assert found(part(160, 12))["knn"].title == "kNN@6"


def test_what_no_part_defines_is_left_out() -> None:
    one = part(10, 1)
    assert found(one) == {}
    alone = part(12, 12)
    alone = Part(np.arange(12), alone.said, alone.given, alone.before, alone.after)
    assert found(alone).keys() == {"v_measure"}
