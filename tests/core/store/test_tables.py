import shutil

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from tasks.core.encoding import evolving
from tasks.core.numerics.rows import whole_rows
from tasks.core.store import addresses, arrow, checkpoints, layout, orphans, tables
from tasks.core.store.searcher import Searcher
from tasks.core.workspace.errors import InputError

ABOUT = {"fingerprint": "abc", "dimensions": 4}


def rows(names, seed=0):
    """Return an Arrow table with an id, a hash of the row, a column and a vector of each name."""
    vectors = np.random.default_rng(seed).standard_normal((len(names), 4)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    frame = pl.DataFrame(
        {
            "id": names,
            "row_hash": [f"{name}-{seed}" for name in names],
            "place": pl.Series(range(len(names)), dtype=pl.Int64),
        }
    )
    return arrow.assemble(frame, {tables.VECTOR: arrow.vector_array(vectors, "float32")})


def append(table, names, seed=0, retired=()):
    fragments = tables.write_fragments(table, rows(names, seed), ABOUT, fresh=False)
    return tables.commit_changes(table, list(retired), fragments)


def replace(table, names, seed=0):
    made = rows(names, seed)
    fragments = tables.write_fragments(table, made, ABOUT, fresh=True)
    return tables.commit_whole(table, made.schema, ABOUT, fragments)


def read(table, version=None):
    """Return id → row_hash; no id may be there twice."""
    parts = tables.batches(table, ["id", "row_hash"], version=version)
    pairs = [(row["id"], row["row_hash"]) for part in parts for row in part.to_pylist()]
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "t.lance"
    replace(path, list("abcdef"))
    return path


def test_fragments_are_seen_only_after_their_commit(tmp_path):
    path = tmp_path / "t.lance"
    made = rows(list("ab"))
    fragments = tables.write_fragments(path, made, ABOUT, fresh=True)
    assert not layout.exists(path)
    assert checkpoints.fragments_exist(path, fragments)
    tables.commit_whole(path, made.schema, ABOUT, fragments)
    assert (tables.count(path), tables.note(path)) == (2, ABOUT)


def test_a_table_that_is_not_there_says_which_verb_makes_it(tmp_path):
    with pytest.raises(InputError, match=r"no such table; .* run 'refract run'"):
        tables.count(tmp_path / "t.lance")
    assert tables.live_version(tmp_path / "t.lance") is None


def test_a_broken_table_says_how_to_restore_it(table):
    for manifest in (table / "_versions").iterdir():
        manifest.write_bytes(b"broken")
    with pytest.raises(InputError, match=r"not readable as a Lance table .* 'dvc checkout'"):
        tables.count(table)


def test_a_change_removes_old_rows_and_adds_new_ones_in_one_version(table):
    before = tables.version(table)
    after = append(table, ["b", "e", "g"], seed=1, retired=["b", "e"])
    assert after == before + 1
    kept = {name: f"{name}-0" for name in "acdf"}
    assert read(table) == kept | {name: f"{name}-1" for name in "beg"}
    assert read(table, before) == {name: f"{name}-0" for name in "abcdef"}


def test_a_change_can_take_whole_fragments_away(table):
    append(table, ["g", "h"])
    tables.commit_changes(table, ["g", "h", "a"], [])
    assert set(read(table)) == set("bcdef")
    tables.commit_changes(table, list("bcdef"), [])
    assert tables.count(table) == 0
    append(table, ["a"])
    assert set(read(table)) == {"a"}


def test_a_change_of_nothing_makes_no_version(table):
    before = tables.version(table)
    assert tables.commit_changes(table, [], []) == before == tables.version(table)


def test_ids_with_quotes_and_other_alphabets_are_found_and_removed(table):
    odd = ["o'neil", "''", "a'; DROP TABLE t; --", "\u65e5\u672c", "%", "\\"]
    append(table, odd)
    found = tables.where_in(table, "id", odd, ["id"])
    assert sorted(found["id"].to_pylist()) == sorted(odd)
    tables.commit_changes(table, odd, [])
    assert set(read(table)) == set("abcdef")


def test_more_ids_than_one_predicate_holds_are_found_and_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(addresses, "_IDS_PER_PREDICATE", 3)
    path, names = tmp_path / "t.lance", [f"n{n}" for n in range(10)]
    replace(path, names)
    found = tables.where_in(path, "id", [*names[:8], "missing"], ["id"])
    assert sorted(found["id"].to_pylist()) == names[:8]
    tables.commit_changes(path, names[:8], [])
    assert set(read(path)) == set(names[8:])


def test_no_ids_find_no_rows_with_the_columns_asked_for(table):
    found = tables.where_in(table, "id", [], ["id", "place"])
    assert (found.num_rows, found.column_names) == (0, ["id", "place"])


def test_readers_see_what_was_published_until_something_else_is(table):
    assert tables.live_version(table) is None
    first = tables.version(table)
    tables.publish(table, first)
    replace(table, ["x"], seed=1)
    assert tables.live_version(table) == first
    assert set(read(table, layout.LIVE)) == set("abcdef")
    tables.publish(table, tables.version(table))
    assert set(read(table, layout.LIVE)) == {"x"}
    tables.publish(table, first)
    assert set(read(table, layout.LIVE)) == set("abcdef")


def test_what_was_committed_and_never_published_can_be_taken_back(table):
    tables.rewind(table)
    tables.publish(table, tables.version(table))
    tables.rewind(table)
    assert tables.live_version(table) == tables.version(table)
    replace(table, ["x"], seed=1)
    tables.rewind(table)
    assert set(read(table)) == set(read(table, layout.LIVE)) == set("abcdef")
    append(table, ["g"])
    assert set(read(table)) == set("abcdefg")


def test_a_searcher_follows_what_is_published(table):
    tables.publish(table, tables.version(table))
    searcher = Searcher(table, live=True)
    assert searcher.newest() is searcher
    replace(table, ["x"], seed=1)
    assert searcher.newest() is searcher
    query = np.ones(4, np.float32)
    assert {hit.row["id"] for hit in searcher.nearest(query, 9, None, ["id"])} == set("abcdef")
    tables.publish(table, tables.version(table))
    assert {hit.row["id"] for hit in searcher.nearest(query, 9, None, ["id"])} == set("abcdef")
    searcher = searcher.newest()
    assert [hit.row["id"] for hit in searcher.nearest(query, 9, None, ["id"])] == ["x"]


def test_a_searcher_sees_another_version_of_the_same_number_in_its_place(table, tmp_path):
    searcher = Searcher(table, live=False)
    other = tmp_path / "other.lance"
    shutil.copytree(table, other)
    for each, names in ((table, ["x"]), (other, ["y", "z"])):
        replace(each, names, seed=1)
    before = searcher.newest()
    shutil.rmtree(table)
    other.rename(table)  # as a checkout does from one branch to another
    after = before.newest()
    assert after.version == before.version and after.state != before.state
    assert after.total == 2


def test_scores_are_cosines_and_the_best_comes_first(table):
    searcher = Searcher(table, live=False)
    vectors = arrow.vectors_of(
        pa.concat_tables([pa.table(part) for part in tables.batches(table, ["vector"])]).column(
            "vector"
        )
    )
    for at, key in enumerate("abcdef"):
        hits = searcher.nearest(3 * vectors[at], 6, None, ["id"])
        assert hits[0].row["id"] == key
        np.testing.assert_allclose(searcher.vector_of(key), vectors[at], atol=1e-6)
        found = {hit.row["id"]: hit.score for hit in hits}
        expected = dict(zip("abcdef", (vectors @ vectors[at]).tolist(), strict=True))
        assert found == pytest.approx(expected, abs=1e-5)
    assert searcher.vector_of("o'neil") is None


def test_ids_are_found_by_their_beginning_whatever_characters_it_has(tmp_path):
    path = tmp_path / "ids.lance"
    replace(path, ["3f2a", "3f9b", "o'neil", "a%b", "a_c"])
    searcher = Searcher(path, live=False)
    assert sorted(searcher.ids_from("3f", 9)) == ["3f2a", "3f9b"]
    assert len(searcher.ids_from("3f", 1)) == 1
    assert searcher.ids_from("3f2", 9) == ["3f2a"]
    assert searcher.ids_from("o'", 9) == ["o'neil"]
    assert searcher.ids_from("a%", 9) == ["a%b"]
    assert searcher.ids_from("3F", 9) == []


def test_nothing_can_be_searched_before_something_is_published(tmp_path, table):
    with pytest.raises(InputError, match=r"nothing to search yet; .* run 'refract run'"):
        Searcher(table, live=True)
    with pytest.raises(InputError, match="nothing to search yet"):
        Searcher(tmp_path / "none.lance", live=False)


@pytest.mark.parametrize("where", ["nope = 1", "place >", "place = 'x' AND", "SELECT 1"])
def test_a_filter_that_cannot_be_used_names_the_columns_there_are(table, where):
    searcher = Searcher(table, live=False)
    with pytest.raises(InputError, match=r"columns are: id, place$"):
        searcher.nearest(np.ones(4, np.float32), 3, where, ["id"])


def test_a_table_takes_new_columns_as_null(table):
    reserved, place = ("id", "row_hash", "vector"), pa.field("place", pa.int64())
    evolving.evolve(table, [place, pa.field("country", pa.string())], reserved)
    assert list(tables.columns(table)) == ["id", "row_hash", "place", "vector", "country"]
    assert tables.take(table, np.arange(6), ["country"])["country"].null_count == 6
    assert set(read(table).values()) == {f"{name}-0" for name in "abcdef"}


def test_a_column_that_goes_takes_the_row_hashes_along_since_it_may_come_back_empty(table):
    reserved, place = ("id", "row_hash", "vector"), pa.field("place", pa.int64())
    evolving.evolve(table, [], reserved)
    assert set(read(table).values()) == {None}
    evolving.evolve(table, [place], reserved)
    assert tables.take(table, np.arange(6), ["place"])["place"].null_count == 6
    assert set(read(table).values()) == {None}


def test_a_column_of_another_type_starts_anew_and_every_row_counts_as_changed(table):
    reserved = ("id", "row_hash", "vector")
    evolving.evolve(table, [pa.field("place", pa.string())], reserved)
    assert tables.columns(table)["place"] == "string"
    assert set(read(table)) == set("abcdef")
    assert set(read(table).values()) == {None}


def test_a_table_that_fits_is_left_alone(table):
    before = tables.version(table)
    evolving.evolve(table, [pa.field("place", pa.int64())], ("id", "row_hash", "vector"))
    assert tables.version(table) == before


def test_batches_cover_any_range_once_and_in_order(table):
    append(table, list("ghij"))
    for start in range(10):
        for stop in range(start + 1, 11):
            parts = tables.batches(table, ["id"], start=start, stop=stop, rows=3)
            found = "".join(key for part in parts for key in part.column("id").to_pylist())
            assert found == "abcdefghij"[start:stop]
    taken = tables.take(table, np.array([9, 0, 5]), ["id"])
    assert taken["id"].to_pylist() == ["j", "a", "f"]


def test_hashes_are_per_value_and_do_not_depend_on_batches(table):
    found = tables.hashes(table, "id")
    assert found.dtype == np.uint64
    assert len(set(found.tolist())) == 6
    np.testing.assert_array_equal(found, arrow.hash64(pl.Series(list("abcdef"))))
    np.testing.assert_array_equal(found[2:3], arrow.hash64(pa.array(["c"])))


@pytest.mark.parametrize("storage", ["float16", "float32", "int8"])
def test_vectors_come_back_as_they_were_stored(storage):
    vectors = np.random.default_rng(1).standard_normal((7, 3)).astype(np.float32)
    packed = arrow.vector_array(vectors, storage)
    stored = whole_rows(vectors) if storage == "int8" else vectors.astype(storage)
    np.testing.assert_array_equal(arrow.vectors_of(packed), stored)
    np.testing.assert_array_equal(arrow.vectors_of(packed.slice(2, 3)), stored[2:5])
    chunked = pa.chunked_array([packed.slice(0, 2), packed.slice(2)])
    np.testing.assert_array_equal(arrow.vectors_of(chunked), stored)
    assert arrow.vectors_of(pa.chunked_array([], packed.type)).shape == (0, 3)


def test_what_a_killed_writer_has_left_goes_and_every_version_stays(table):
    tables.publish(table, tables.version(table))
    append(table, ["g"])
    rows = tables.open_table(table).to_table()
    whole = {path for path in table.rglob("*") if path.is_file()}
    for fresh in (False, True):  # of a shard, and of a view written anew
        tables.write_fragments(table, rows, {}, fresh=fresh)
    tables.open_table(table).get_fragments()[0].delete("id = 'a'")
    (table / "_transactions" / "9-6fd1f2c0-5f0e-4a8e-9d0b-0f6f1a1f2b3c.txn").write_bytes(b"half")
    assert len({path for path in table.rglob("*") if path.is_file()} - whole) == 4
    old = tables.open_table(table, layout.LIVE)
    orphans.sweep(table)
    assert whole == {path for path in table.rglob("*") if path.is_file()}
    assert old.count_rows() == tables.count(table, layout.LIVE) == 6
    assert set(read(table)) == set("abcdefg")
