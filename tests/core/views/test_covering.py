"""Texts to begin with: they reach every kind of text, no two alike, and none that is labelled."""

import numpy as np
import polars as pl
import pytest

from tasks.core.numerics.rows import unit_rows
from tasks.core.views import covering
from tasks.core.views.active_learning import COLUMNS
from tasks.core.views.covering import COVERS, DRAWN, cover, draw, spread
from tests.core.views.test_active_learning import Corpus


def test_what_covers_the_corpus_is_a_label_file_to_fill_in_without_any_guess(tmp_path):
    found = cover(Corpus(tmp_path).base, [], 20)
    assert tuple(found.columns) == COLUMNS
    assert found["id"].is_unique().all()
    assert found["why"].to_list() == [COVERS] * 20
    for empty in ("label", "suggested", "confidence", "novelty"):
        assert found[empty].null_count() == 20


def test_the_same_corpus_gives_the_same_texts(tmp_path):
    corpus = Corpus(tmp_path)
    assert cover(corpus.base, corpus.ids[:9], 20).equals(cover(corpus.base, corpus.ids[8::-1], 20))


def test_kinds_of_very_different_size_are_all_reached_sooner_than_by_chance(tmp_path):
    """Of 8 kinds the rarest has one text in 90: by chance, 32 texts have one of it in 3 of 10."""
    reached, by_chance = [], []
    for seed in range(6):
        folder = tmp_path / str(seed)
        folder.mkdir()
        corpus = Corpus(folder, n=600, seed=seed)
        kinds = dict(zip(corpus.ids, corpus.y.tolist(), strict=True))
        reached.append(len({kinds[key] for key in cover(corpus.base, [], 32)["id"]}))
        drawn = np.random.default_rng(seed).choice(600, 32, replace=False)
        by_chance.append(len(set(corpus.y[drawn].tolist())))
    assert np.mean(reached) > np.mean(by_chance)
    assert min(reached) >= 7


def test_no_text_is_labelled_already_nor_the_same_under_another_id_nor_twice(tmp_path):
    twins = [f"text {at // 2}" for at in range(60)]
    corpus = Corpus(tmp_path, n=60, texts=twins)
    found = cover(corpus.base, corpus.ids[0:40:2], 60)
    assert set(found["id"]) <= set(corpus.ids[40:])
    assert found["text"].is_unique().all()


def test_what_is_near_a_labelled_text_comes_late():
    x = unit_rows(np.eye(4, dtype=np.float32)[[0, 0, 0, 1, 2]] + 0.3 * np.eye(5, 4, 1))
    assert set(spread(x, np.eye(4, dtype=np.float32)[:1], 2)) == {3, 4}


def test_texts_that_say_the_same_are_one_and_where_none_is_left_fewer_are_returned():
    x = unit_rows(np.eye(3, dtype=np.float32)[[0, 0, 1, 1, 2, 2]])
    assert len(spread(x, np.empty((0, 0), np.float32), 6)) == 3
    assert spread(np.empty((0, 0), np.float32), x, 3) == []


def test_of_a_large_corpus_a_sample_is_looked_at_always_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(covering, "SAMPLE", 50)
    corpus = Corpus(tmp_path)
    found = cover(corpus.base, [], 50)
    assert found.equals(cover(corpus.base, [], 50))
    assert len(found) <= 50


def test_any_text_may_be_drawn_but_those_with_a_label_and_the_same_ones_until_there_are_more(
    tmp_path,
):
    corpus = Corpus(tmp_path)
    first = draw(corpus.base, corpus.ids[:100], 40)
    assert tuple(first.columns) == COLUMNS and first["why"].to_list() == [DRAWN] * 40
    assert first.equals(draw(corpus.base, corpus.ids[99::-1], 40))
    seen, known = [], corpus.ids[:100]
    while len(found := draw(corpus.base, known, 40)):
        seen += found["id"].to_list()
        known = [*corpus.ids[:100], *seen]
    assert sorted(seen) == sorted(corpus.ids[100:])


@pytest.mark.parametrize("labelled", [0, 400])
def test_where_all_is_labelled_nothing_is_left(tmp_path, labelled):
    corpus = Corpus(tmp_path)
    found = cover(corpus.base, corpus.ids[:labelled], 3)
    assert len(found) == (0 if labelled else 3)
    assert isinstance(found, pl.DataFrame)
