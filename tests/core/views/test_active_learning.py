"""Texts worth labelling next: none twice, none known, and worth more than random ones."""

import numpy as np
import polars as pl
import pytest

from tasks.core.numerics.rows import unit_rows
from tasks.core.store import arrow, tables
from tasks.core.transforms.base import fit
from tasks.core.views import active_learning
from tasks.core.views.active_learning import BOUNDARY, COLUMNS, NOVEL, suggest
from tasks.core.views.view_rows import StoredRows

SETTINGS = {"temperature": None, "novelty": None, "floor": 0.1, "residual": 4}


def write(table, frame, vectors):
    made = arrow.assemble(frame, {tables.VECTOR: arrow.vector_array(vectors, "float32")})
    fragments = tables.write_fragments(table, made, {}, fresh=True)
    tables.publish(table, tables.commit_whole(table, made.schema, {}, fragments))


class Corpus:
    """Texts in `k` clouds of very different size, as base table and as a view of them."""

    def __init__(self, root, n=400, k=8, seed=0, texts=None):
        random = np.random.default_rng(seed)
        self.base, self.view = root / "base.lance", root / "v.lance"
        shares = 0.6 ** np.arange(k)
        self.y = random.choice(k, size=n, p=shares / shares.sum())
        self.x = unit_rows(random.normal(size=(k, 16))[self.y] + 0.6 * random.normal(size=(n, 16)))
        self.ids = [f"n{at:04}" for at in range(n)]
        self.texts = texts or [f"text {at}" for at in range(n)]
        hashes = [f"h{text}" for text in self.texts]
        columns = {"id": self.ids, "text_hash": hashes, "row_hash": self.ids, "text": self.texts}
        write(self.base, pl.DataFrame(columns), self.x)

    @property
    def seen(self):
        """The view as readers see it."""
        return StoredRows(self.view, live=True)

    def read(self, confidence, novelty, label="a"):
        """Write a view of given readings."""
        count = len(self.ids)
        readings = {"id": self.ids, "label": [label] * count}
        readings |= {"confidence": confidence, "novelty": novelty}
        kinds = {"confidence": pl.Float32, "novelty": pl.Float32}
        write(self.view, pl.DataFrame(readings).cast(kinds), self.x)

    def learn(self, rows):
        """Write the view that labels of `rows` make; return the share of texts it labels right."""
        names = tuple(f"c{c}" for c in range(self.y.max() + 1))
        made = fit("discriminant", self.x[rows], self.y[rows], names, self.x, SETTINGS, 1)
        seen = made.apply(self.x)
        write(
            self.view,
            pl.DataFrame(
                {
                    "id": self.ids,
                    "label": [made.labels[at] for at in seen.label],
                    "confidence": seen.confidence,
                    "novelty": seen.novelty,
                }
            ),
            seen.vectors,
        )
        truth = np.array(names)[self.y]
        return np.mean(np.array(made.labels)[seen.label] == truth)

    def suggest(self, rows, many, **options):
        found = suggest(self.base, self.seen, [self.ids[row] for row in rows], many, **options)
        return [self.ids.index(key) for key in found["id"]]


@pytest.fixture
def corpus(tmp_path):
    made = Corpus(tmp_path)
    made.read(np.linspace(0.3, 0.9, 400), np.linspace(0.2, 0.05, 400))
    return made


def test_what_is_suggested_is_a_label_file_to_fill_in(corpus):
    found = suggest(corpus.base, corpus.seen, [], 20)
    assert tuple(found.columns) == COLUMNS
    assert found["id"].is_unique().all()
    assert found["label"].to_list() == [None] * 20
    assert found["why"].to_list() == [NOVEL] * 4 + [BOUNDARY] * 16


def test_the_same_view_gives_the_same_suggestions_whatever_the_batches(corpus, monkeypatch):
    first = suggest(corpus.base, corpus.seen, corpus.ids[:9], 20)
    monkeypatch.setattr(active_learning, "_ROWS", 37)
    assert suggest(corpus.base, corpus.seen, corpus.ids[:9][::-1], 20).equals(first)


def test_novel_ones_have_the_greatest_novelty_and_the_others_the_least_share(corpus, monkeypatch):
    monkeypatch.setattr(active_learning, "POOL", 1)
    confidence = np.full(400, 0.6)
    confidence[100:110] = 0.3
    novelty = np.full(400, 0.1)
    novelty[200:210], confidence[200:210] = 0.8, 0.2
    corpus.read(confidence, novelty)
    found = suggest(corpus.base, corpus.seen, [], 10, novelty=0.5)
    assert set(found.filter(pl.col("why") == NOVEL)["id"]) <= set(corpus.ids[200:210])
    assert set(found.filter(pl.col("why") == BOUNDARY)["id"]) <= set(corpus.ids[100:110])


def test_what_is_surely_of_a_known_label_is_not_novel(corpus):
    corpus.read(np.linspace(0.3, 0.9, 400), np.zeros(400))  # as a view of names has it
    found = suggest(corpus.base, corpus.seen, [], 20)
    assert found["why"].unique().to_list() == [BOUNDARY]
    assert len(found) == 20


def test_what_is_probably_of_no_label_is_at_no_boundary_between_labels(corpus):
    novelty = np.where(np.arange(400) < 380, 0.9, 0.1)
    corpus.read(np.full(400, 0.05), novelty)
    found = suggest(corpus.base, corpus.seen, [], 40, novelty=0.2)
    assert found.filter(pl.col("why") == BOUNDARY)["novelty"].max() < 0.5
    assert len(found) == 40
    assert set(corpus.ids[380:]) == set(found.filter(pl.col("why") == BOUNDARY)["id"])


def test_a_text_that_is_labelled_is_never_suggested_nor_its_copy_under_another_id(tmp_path):
    twins = [f"text {at // 2}" for at in range(60)]
    corpus = Corpus(tmp_path, n=60, texts=twins)
    corpus.read(np.full(60, 0.5), np.full(60, 0.1))
    found = suggest(corpus.base, corpus.seen, corpus.ids[0:40:2], 60)
    assert set(found["id"]) <= set(corpus.ids[40:])
    assert found["text"].is_unique().all()


def test_no_two_suggestions_are_alike(tmp_path):
    corpus = Corpus(tmp_path, n=90, k=3)
    corpus.x = unit_rows(np.eye(16)[corpus.y] + 1e-3 * corpus.x)
    hashes = {"text_hash": corpus.ids, "row_hash": corpus.ids, "text": corpus.texts}
    write(corpus.base, pl.DataFrame({"id": corpus.ids, **hashes}), corpus.x)
    corpus.read(np.full(90, 0.5), np.full(90, 0.1))
    rows = corpus.suggest([], 30)
    assert len(rows) == len(set(corpus.y)) == len({corpus.y[row] for row in rows})


def test_where_all_is_labelled_nothing_is_suggested(corpus):
    assert suggest(corpus.base, corpus.seen, corpus.ids, 5).is_empty()


def test_a_text_is_as_it_is_with_its_line_breaks(tmp_path):
    corpus = Corpus(tmp_path, n=8, texts=[f" a\n\tb  {at} " for at in range(8)])
    corpus.read(np.full(8, 0.5), np.full(8, 0.1))
    texts = {f" a\n\tb  {at} " for at in range(8)}
    assert set(suggest(corpus.base, corpus.seen, [], 8)["text"]) == texts


def test_suggested_labels_teach_a_view_more_than_random_ones(tmp_path):
    gains = []
    for seed in range(3):
        corpus = Corpus(tmp_path / str(seed), seed=seed)
        order = np.random.default_rng(seed).permutation(400)
        known = order[:20].tolist()
        corpus.learn(known)
        for _ in range(2):
            known += corpus.suggest(known, 20)
            right = corpus.learn(known)
        gains.append(right - corpus.learn(order[:60]))
    assert np.mean(gains) > 0
    assert min(gains) >= -0.01
