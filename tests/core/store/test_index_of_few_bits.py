"""An index of two bits a number, for tables whose features are in 8: made, extended, kept up."""

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from tasks.core.store import arrow, index, maintenance, making, recall, tables
from tasks.core.store.searcher import Searcher
from tests.random_rows import names, segments

SIZE, FROM, CENTRES = 256, 1_000, 40


def vector(name):
    """Return the vector of a row, by its name: near one of a few centres, as texts are."""
    number = int(name[1:])
    centre = np.random.default_rng([0, number % CENTRES]).standard_normal(SIZE)
    return centre + 0.7 * np.random.default_rng([1, number]).standard_normal(SIZE)


def write(path, new, *, fresh=False, retired=(), features="int8", size=SIZE):
    vectors = np.array([vector(name)[:size] for name in new], np.float32)
    frame = pl.DataFrame(
        {"id": new, "text_hash": new, "kind": [int(name[1:]) % 100 for name in new]}
    )
    columns = {tables.VECTOR: arrow.vector_array(vectors, "float16")}
    if features is not None:
        columns[tables.FEATURES] = arrow.vector_array(vectors[:, :8], features)
    made = arrow.assemble(frame, columns)
    fragments = tables.write_fragments(path, made, {}, fresh=fresh)
    if fresh:
        tables.commit_whole(path, made.schema, {}, fragments)
    else:
        tables.commit_changes(path, list(retired), fragments)


def kind(path, version=None):
    return recall.vector_index(tables.open_table(path, version)).index_type


def nearest(path, name, k=10, where=None, version=None):
    searcher = Searcher(path, live=False, version=version)
    return [hit.row["id"] for hit in searcher.nearest(vector(name), k, where, ["id"])]


def exact(path, name, k=10, where=None, version=None):
    asked = recall.nearest(None, vector(name).astype(np.float32), k, None)
    dataset = tables.open_table(path, version)
    found = dataset.to_table(columns=["id"], nearest=asked, filter=where, prefilter=True)
    return found["id"].to_pylist()


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "t.lance"
    write(path, names(1_200), fresh=True)
    index.index(path, FROM)
    return path


def test_two_bits_find_what_all_rows_give(table):
    assert kind(table) == "IVF_RQ"
    note = recall.probes(tables.open_table(table))
    assert min(note.recall, note.recall_filtered) >= recall.ENOUGH
    asked = names(20, 5_000)
    for where in (None, "kind < 10"):
        pairs = [(nearest(table, one, 10, where), exact(table, one, 10, where)) for one in asked]
        assert np.mean([len({*got} & {*true}) / 10 for got, true in pairs]) >= recall.ENOUGH
    assert {*nearest(table, "n05000", 1_200)} == {*names(1_200)}


@pytest.mark.parametrize("features", ["float16", None])
def test_a_table_of_other_features_keeps_8_bits_a_number(tmp_path, features):
    path = tmp_path / "t.lance"
    write(path, names(1_200), fresh=True, features=features)
    index.index(path, FROM)
    assert kind(path) == "IVF_SQ"


def test_a_size_that_two_bits_cannot_pack_keeps_8(tmp_path):
    schema = pa.schema(
        {
            tables.VECTOR: pa.list_(pa.float16(), SIZE + 4),
            tables.FEATURES: pa.list_(pa.int8(), 8),
        }
    )
    assert len(making._kinds(schema)) == 1


def test_where_two_bits_do_not_find_enough_the_index_gets_8(table, monkeypatch):
    monkeypatch.setattr(recall, "_REFINE_2_BITS", 1)
    making.make(table)
    assert kind(table) == "IVF_SQ"
    note = recall.probes(tables.open_table(table))
    assert min(note.recall, note.recall_filtered) >= recall.ENOUGH
    assert segments(table, tables.VECTOR) == [1_200, 0]


def test_changes_upkeep_and_an_earlier_version_find_their_own_rows(table):
    first, at = tables.version(table), 1_200
    for many, gone in ((1, 0), (300, 40), (90, 5)):
        new = names(many, at)
        write(table, new, retired=names(gone, at - 1_000))
        assert [nearest(table, one, 1) for one in new[:9]] == [[one] for one in new[:9]]
        index.index(table, FROM)
        assert [nearest(table, one, 1) for one in new[:9]] == [[one] for one in new[:9]]
        assert not {*nearest(table, "n05000", 2_000)} & {*names(gone, at - 1_000)}
        at += many
    assert len(segments(table, tables.VECTOR)) > 2
    assert maintenance.compact(table, 2)
    assert index.merge(table)
    assert (kind(table), tables.count(table)) == ("IVF_RQ", 1_546)
    assert segments(table, tables.VECTOR)[1:] == [0]
    assert len({*nearest(table, "n01250")} & {*exact(table, "n01250")}) >= 9
    assert kind(table, first) == "IVF_RQ"
    assert {*nearest(table, "n05000", 2_000, version=first)} == {*names(1_200)}
