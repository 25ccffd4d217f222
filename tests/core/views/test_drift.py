import numpy as np
import pyarrow as pa
import pytest

from tasks.core.store import arrow, tables
from tasks.core.views.drift import movement
from tasks.core.views.view_rows import StoredRows


@pytest.fixture
def view(tmp_path):
    """Write a view of (id, label, vector) rows, and return them as readers see them."""

    def write(name, ids, labels, vectors):
        table = tmp_path / f"{name}.lance"
        column = arrow.vector_array(np.asarray(vectors, np.float32), "float32")
        rows = pa.table([pa.array(ids), pa.array(labels), column], names=["id", "label", "vector"])
        fragments = tables.write_fragments(table, rows, {}, fresh=True)
        tables.publish(table, tables.commit_whole(table, rows.schema, {}, fragments))
        return StoredRows(table, live=True)

    return write


def circle(n):
    angles = np.arange(n) / n * np.pi
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def test_rows_in_another_order_or_rows_that_arrive_move_nothing(view):
    ids = [f"t{n}" for n in range(12)]
    old = view("old", ids, ["a"] * 12, circle(12))
    more = np.vstack([circle(12)[::-1], circle(3)])
    new = view("new", [*ids[::-1], "x", "y", "z"], ["a"] * 15, more)
    found = movement(old, new, k=3, most=5)
    assert (found.common, found.compared, found.labels_changed, found.kept) == (12, 12, 0, 1.0)
    assert found.texts.is_empty()


def test_a_text_that_changes_places_is_named_first_with_what_it_kept(view):
    ids = [f"t{n:02}" for n in range(20)]
    vectors, labels = circle(20), ["a"] * 10 + ["b"] * 10
    old = view("old", ids, labels, vectors)
    vectors[2] = vectors[17] + 1e-3
    new = view("new", ids, [*labels[:2], "b", *labels[3:]], vectors)
    found = movement(old, new, k=3, most=2)
    assert found.labels_changed == 1
    assert found.texts.height == 2
    first = found.texts.row(0, named=True)
    assert (first["id"], first["label_old"], first["label_new"]) == ("t02", "a", "b")
    assert first["kept"] == 0.0


def test_above_the_bound_a_seeded_sample_is_compared_and_all_labels_are(view):
    ids = [f"t{n:02}" for n in range(30)]
    rng = np.random.default_rng(0)
    old = view("old", ids, ["a"] * 30, rng.normal(size=(30, 4)))
    new = view("new", ids, ["b"] * 30, rng.normal(size=(30, 4)))
    found = movement(old, new, k=3, most=30, pool=10)
    assert (found.common, found.compared, found.labels_changed) == (30, 10, 30)
    assert found.texts["kept"].null_count() == 20
    assert found.texts.equals(movement(old, new, k=3, most=30, pool=10).texts)


@pytest.mark.parametrize("shared", [0, 1])
def test_too_few_common_texts_have_no_neighbours_to_lose(view, shared):
    old = view("old", ["a", "b"], ["x", "x"], circle(2))
    new = view("new", ["a", "c"] if shared else ["c", "d"], ["y", "y"], circle(2))
    found = movement(old, new, k=3, most=5)
    assert (found.common, found.kept, found.labels_changed) == (shared, None, shared)
    assert found.texts.height == shared
