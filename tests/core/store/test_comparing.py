import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.core.store import addresses, arrow, comparing, tables

FEW = st.lists(st.integers(0, 40), max_size=60)


def write(table, names, *, fresh):
    frame = pl.DataFrame({"id": names, "row_hash": [f"r-{name}" for name in names]})
    fragments = tables.write_fragments(table, frame.to_arrow(), {}, fresh=fresh)
    if fresh:
        tables.commit_whole(table, frame.to_arrow().schema, {}, fragments)
    else:
        tables.commit_rows(table, np.empty(0, np.uint64), fragments)


def ids(table):
    return [name for part in tables.batches(table, ["id"]) for name in part["id"].to_pylist()]


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "t.lance"
    for at in range(0, 30, 10):
        write(path, [f"n{n:02}" for n in range(at, at + 10)], fresh=at == 0)
    return path


@given(wanted=FEW, known=FEW, block=st.integers(1, 9))
def test_what_is_lacking_is_what_a_plain_comparison_finds(wanted, known, block):
    a, b = np.array(wanted, np.uint64), np.array(known, np.uint64)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(comparing, "_BLOCK", block)
        found = comparing.lacking(a, np.sort(b))
    np.testing.assert_array_equal(found, np.flatnonzero(~np.isin(a, b)))


@given(wanted=FEW, known=FEW, block=st.integers(1, 9))
def test_what_only_one_of_two_holds_is_told_of_either(wanted, known, block):
    a, b = (np.sort(np.array(each, np.uint64)) for each in (wanted, known))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(comparing, "_BLOCK", block)
        new, gone = comparing.apart(a, b)
    np.testing.assert_array_equal(new, a[~np.isin(a, b)])
    np.testing.assert_array_equal(gone, b[~np.isin(b, a)])


def test_rows_are_found_by_their_hashes_wherever_they_lie(table):
    tables.commit_rows(table, addresses.of_ids(tables.open_table(table), ["n03"]), [])
    asked = np.sort(arrow.hash64(pl.Series(["r-n02", "r-n03", "r-n25", "nowhere"])))
    assert comparing.positions(table, "row_hash", asked, None).tolist() == [2, 24]
    there = tables.open_table(table).to_table(columns=["id"], with_row_address=True)
    where = dict(zip(there["id"].to_pylist(), there[addresses.ADDRESS].to_pylist(), strict=True))
    found = comparing.places(table, "row_hash", asked, None).tolist()
    assert found == [where["n02"], where["n25"]]
    nothing = np.empty(0, np.uint64)
    assert not len(comparing.positions(table, "row_hash", nothing, None))
    assert not len(comparing.places(table, "row_hash", nothing, None))


@settings(deadline=None, max_examples=25)
@given(first=st.sets(st.integers(0, 29)), second=st.sets(st.integers(0, 29)), data=st.data())
def test_rows_that_another_table_lacks_go_and_no_others(tmp_path_factory, first, second, data):
    """Twice in a row: the second time, fragments have lost rows, or are gone, already."""
    path = tmp_path_factory.mktemp("t") / "t.lance"
    for at in range(0, 30, 10):
        write(path, [f"n{n:02}" for n in range(at, at + 10)], fresh=at == 0)
    left = {f"n{n:02}" for n in range(30)}
    for keep in (first, second):
        kept = {f"n{n:02}" for n in keep}
        known = np.sort(arrow.hash64(pl.Series(sorted(kept), dtype=pl.String)))
        gone = comparing.strangers(path, "id", known)
        assert len(gone) == len(left - kept)
        order = data.draw(st.permutations(range(len(gone))))
        tables.commit_rows(path, gone[list(order)], [])
        left &= kept
        assert ids(path) == sorted(left)


def test_rows_leave_and_arrive_in_one_version(table):
    before = tables.version(table)
    frame = pl.DataFrame({"id": ["new"], "row_hash": ["r-new"]})
    fragments = tables.write_fragments(table, frame.to_arrow(), {}, fresh=False)
    where = addresses.of_ids(tables.open_table(table), ["n03", "n29", "nobody"])
    assert len(where) == 2
    assert tables.commit_rows(table, where, fragments) == before + 1
    assert set(ids(table)) == {f"n{n:02}" for n in range(30)} - {"n03", "n29"} | {"new"}


def test_an_address_holds_through_later_changes(table):
    where = addresses.of_ids(tables.open_table(table), ["n15"])
    tables.commit_changes(table, ["n14", "n02"], [])
    write(table, ["new"], fresh=False)
    np.testing.assert_array_equal(addresses.of_ids(tables.open_table(table), ["n15"]), where)
    tables.commit_rows(table, where, [])
    assert "n15" not in ids(table)
    assert tables.count(table) == 28
