"""Which labels are doubted, on texts whose right labels are known."""

import numpy as np
import pytest

from tasks.core.documents.staging import text_hash
from tasks.core.encoding.base_table import Rows
from tasks.core.evaluation.doubts import ODDS, doubts, left_out
from tasks.core.settings.fit_section import FitSettings
from tasks.core.transforms.training_set import Labelled

FIT = FitSettings()
N = 90


def world(y, *, seed=3, ids=None, hashes=None):
    """Return texts around three directions, by their true class 0 to 2, labelled as `y` says."""
    random = np.random.default_rng(seed)
    centres = np.eye(3, 12, dtype=np.float32) * 3
    truth = np.arange(len(y)) % 3
    x = (centres[truth] + random.normal(size=(len(y), 12)) / 2).astype(np.float32)
    keys = ids or [f"t{n:03}" for n in range(len(y))]
    rows = Rows(keys, hashes or [text_hash(key) for key in keys], x, None)
    return Labelled(rows, np.asarray(y), ("a", "b", "c"), x)


def asked(known, method="auto"):
    return doubts(known, method, FIT.model_copy(update={"method": method}).method_settings(), 1)


def test_labels_that_were_exchanged_are_listed_with_the_right_one():
    y = np.arange(N) % 3
    y[[0, 31, 62]] = [1, 2, 0]
    found = asked(world(y))
    assert (found.asked, found.unasked) == (N, 0)
    first = {doubt.id: (doubt.given, doubt.likelier) for doubt in found.listed}
    assert first == {"t000": (("b",), "a"), "t031": (("c",), "b"), "t062": (("a",), "c")}
    assert all(doubt.p_likelier >= ODDS * doubt.p_given for doubt in found.listed)
    margins = [doubt.margin for doubt in found.listed]
    assert margins == sorted(margins)


def test_labels_that_are_right_are_not_doubted():
    assert asked(world(np.arange(N) % 3)).listed == []


@pytest.mark.parametrize("method", ["identity", "fda"])
def test_methods_without_a_posterior_ask_one_that_has(method):
    y = np.arange(N) % 3
    y[0] = 1
    assert [doubt.id for doubt in asked(world(y), method).listed] == ["t000"]


def test_a_text_with_several_labels_is_doubted_only_where_none_of_them_may_be():
    y = np.arange(N) % 3
    ids = [f"t{n:03}" for n in range(N)]
    hashes = [text_hash(key) for key in ids]
    known = world(y)
    rows = known.rows
    twice = Rows(
        [*ids, ids[0], ids[3]],
        [*hashes, hashes[0], hashes[3]],
        rows.vectors[[*range(N), 0, 3]],
        None,
    )
    y = np.append(y, [1, 2])
    y[3] = 1
    found = asked(Labelled(twice, y, known.names, rows.vectors))
    assert found.asked == N
    assert [(doubt.id, doubt.given) for doubt in found.listed] == [("t003", ("b", "c"))]


def test_a_label_on_one_text_alone_cannot_be_asked_about():
    y = np.arange(N) % 2
    y[5] = 2
    found = asked(world(y))
    assert (found.asked, found.unasked) == (N - 1, 1)
    assert "t005" not in [doubt.id for doubt in found.listed]


def test_posteriors_of_texts_left_out_sum_to_one():
    p = left_out(world(np.arange(N) % 3), "auto", FIT.method_settings(), 1)
    assert p.shape == (N, 3)
    assert np.allclose(p.sum(axis=1), 1)
