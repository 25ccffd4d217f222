"""Texts that several views find together."""

import numpy as np
import pytest

from tasks.core.numerics.rows import unit_rows
from tasks.core.views import together
from tasks.core.views.search import Space
from tasks.core.views.together import check_weights, closest_by_all, similar_by_all
from tasks.core.workspace.errors import InputError
from tests.asked import Given
from tests.core.views.small_world import write_base


class Told:
    """An encoder that says where a text lies."""

    def __init__(self, vectors):
        self.vectors, self.has_layers = vectors, False

    def encode(self, texts, advance, read=None):
        from tasks.core.encoding.encoder import Encoded

        found = np.stack([self.vectors[text] for text in texts])
        return Encoded(found, np.zeros(len(texts), bool), None)


@pytest.fixture
def spaces(tmp_path):
    """Two spaces over the same 400 ids, with vectors that have nothing to do with each other."""
    names, found = [f"n{n:03}" for n in range(400)], []
    for seed in (0, 1):
        table = tmp_path / f"{seed}.lance"
        vectors = write_base(table, names, seed)
        asked = {"a": vectors[7], "b": vectors[300] + vectors[8]}
        space = Space(table, None, None, Given(lambda _, asked=asked: Told(asked)), None)
        found.append((space, vectors, asked))
    return names, found


@pytest.mark.parametrize("k", [1, 7, 60, 400])
@pytest.mark.parametrize("weights", [(1.0, 1.0), (1.0, 0.01), (1.0, 5.0)])
def test_they_are_those_with_the_greatest_mean_of_cosines(spaces, k, weights, monkeypatch):
    names, found = spaces
    monkeypatch.setattr(together, "_FIRST", 4)  # so that candidates do not suffice at first
    share = np.array(weights) / sum(weights)
    for query in ("a", "b"):
        cosines = [
            unit_rows(vectors.astype(np.float16).astype(np.float32))
            @ unit_rows(asked[query][None])[0]
            for _, vectors, asked in found
        ]
        wanted = share @ np.stack(cosines)
        pairs = [(space, weight) for (space, *_), weight in zip(found, weights, strict=True)]
        hits = closest_by_all(pairs, query, k).hits
        best = np.sort(wanted)[::-1][:k]
        np.testing.assert_allclose([hit.score for hit in hits], best, atol=1e-5)
        for hit in hits:
            assert hit.score == pytest.approx(wanted[names.index(hit.id)], abs=1e-5)


def test_a_filter_holds_for_all_of_them(spaces):
    _, found = spaces
    pairs = [(space, 1.0) for space, *_ in found]
    hits = closest_by_all(pairs, "a", 400, "channel = 'chat'").hits
    assert len(hits) == 200 and {hit.metadata["channel"] for hit in hits} == {"chat"}
    with pytest.raises(InputError, match="columns are"):
        closest_by_all(pairs, "a", 5, "nope = 1")
    with pytest.raises(InputError, match="blank"):
        closest_by_all(pairs, " ", 5)


def test_an_id_that_one_of_them_lacks_is_none_of_them(tmp_path, spaces):
    names, found = spaces
    less = tmp_path / "less.lance"
    vectors = write_base(less, names[:100], 1)
    asked = {"a": vectors[7]}
    space = Space(less, None, None, Given(lambda _: Told(asked)), None)
    hits = closest_by_all([(found[0][0], 1.0), (space, 1.0)], "a", 400).hits
    assert {hit.id for hit in hits} == set(names[:100])


@pytest.mark.parametrize("k", [1, 60, 400])
def test_those_like_a_text_have_the_greatest_mean_of_cosines_with_it(spaces, k, monkeypatch):
    names, found = spaces
    monkeypatch.setattr(together, "_FIRST", 4)
    units = [unit_rows(vectors.astype(np.float16).astype(np.float32)) for _, vectors, _ in found]
    wanted = np.array([0.25, 0.75]) @ np.stack([unit @ unit[8] for unit in units])
    pairs = [(space, weight) for (space, *_), weight in zip(found, (1.0, 3.0), strict=True)]
    hits = similar_by_all(pairs, "n008", k).hits
    others = np.delete(wanted, 8)
    np.testing.assert_allclose([hit.score for hit in hits], np.sort(others)[::-1][:k], atol=1e-5)
    for hit in hits:
        assert hit.score == pytest.approx(wanted[names.index(hit.id)], abs=1e-5)


def test_an_id_that_a_further_view_lacks_is_refused(tmp_path, spaces):
    names, found = spaces
    less = tmp_path / "less.lance"
    write_base(less, names[:100], 1)
    space = Space(less, None, None, Given(lambda _: None), None)
    for key in ("n200", "nope"):
        with pytest.raises(InputError, match=f"'{key}': not in this view"):
            similar_by_all([(found[0][0], 1.0), (space, 1.0)], key, 3)


def test_one_view_alone_is_that_view(spaces):
    _, found = spaces
    space = found[0][0]
    assert closest_by_all([(space, 7.0)], "a", 5) == space.closest("a", 5)
    assert similar_by_all([(space, 7.0)], "n001", 5) == space.neighbours("n001", 5)


def test_the_base_vectors_have_no_label_to_go_towards(spaces):
    _, found = spaces
    (one, *_), (other, *_) = found
    with pytest.raises(InputError, match="'glad': the base vectors tell no labels apart"):
        similar_by_all([(one, 1.0)], "n001", 5, towards=[(other, "glad")])


@pytest.mark.parametrize("weight", [0, -1, "x", "nan", "inf", 1e9])
def test_a_weight_that_is_no_positive_number_is_refused(weight):
    with pytest.raises(InputError, match=r"view 'mood': found the weight .* above 0"):
        check_weights({"topic": 1, "mood": weight})


def test_views_of_which_no_ranking_can_be_made_are_refused():
    for many in (0, together.MOST + 1):
        with pytest.raises(InputError, match=f"found {many} views; expected 1 to 16"):
            check_weights({f"v{n}": 1 for n in range(many)})
