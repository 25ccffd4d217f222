"""Rows that keep one number for life, and what changed between two versions of a table."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.core.store import addresses, layout, maintenance, stable_rows, tables
from tests.corpora import write_corpus_table


def frame(keys):
    keys = sorted(keys)
    hashes = [f"hash {key}" for key in keys]
    return pl.DataFrame(
        {"id": keys, "row_hash": hashes}, schema={"id": pl.String, "row_hash": pl.String}
    )


def numbered(table):
    """Return the number of each id."""
    return {
        key: int(number)
        for numbers, ids in stable_rows.numbered(table, "id")
        for number, key in zip(numbers, ids.to_pylist(), strict=True)
    }


def exchange(table, gone, come):
    schema = tables.open_table(table).schema
    part = frame(come).to_arrow(compat_level=pl.CompatLevel.oldest()).cast(schema)
    made = stable_rows.write_fragments(table, schema, [part], fresh=False) if come else []
    found = [
        batch.column(addresses.ADDRESS).to_numpy()
        for batch in stable_rows.selected(table, "id", sorted(gone), ["id"])
    ]
    where = np.concatenate([np.empty(0, np.uint64), *found])
    tables.commit_rows(table, where, made)


ids = st.sets(st.sampled_from("abcdefghij"), max_size=6)


@settings(max_examples=40, deadline=None)
@given(ids.filter(len), st.lists(st.tuples(ids, st.booleans()), min_size=1, max_size=4))
def test_what_changed_between_two_versions_is_told_by_the_numbers(tmp_path_factory, first, steps):
    table = write_corpus_table(tmp_path_factory.mktemp("rows") / "c.lance", frame(first), rows=2)
    seen = [(tables.version(table), layout.state(table), numbered(table))]
    there = set(first)
    for wanted, compacts in steps:
        gone, come = there - wanted, wanted - there
        if gone == there and not come:
            continue
        exchange(table, gone, come)
        there = wanted
        if compacts:
            maintenance.compact(table, 2)
        seen.append((tables.version(table), layout.state(table), numbered(table)))
    now = numbered(table)
    assert set(now) == there
    for version, state, then in seen:
        found = stable_rows.between(table, version, state)
        assert found is not None
        assert found.arrived.tolist() == sorted(set(now.values()) - set(then.values()))
        assert found.gone.tolist() == sorted(set(then.values()) - set(now.values()))
    wanted = np.array(sorted(now.values())[::-1], np.uint64)
    back = {number: key for key, number in now.items()}
    taken = stable_rows.take(table, wanted, ["id"])["id"].to_pylist()
    assert taken == [back[number] for number in wanted.tolist()]
    assert stable_rows.numbers(table).tolist() == sorted(now.values())


@pytest.fixture
def table(tmp_path):
    return write_corpus_table(tmp_path / "c.lance", frame("abcd"))


def test_no_number_is_given_twice_even_where_all_rows_are_replaced(table):
    before, version, state = numbered(table), tables.version(table), layout.state(table)
    write_corpus_table(table, frame("abcd"))
    after = numbered(table)
    assert not set(before.values()) & set(after.values())
    found = stable_rows.between(table, version, state)
    assert found.arrived.tolist() == sorted(after.values())
    assert found.gone.tolist() == sorted(before.values())


def test_a_version_that_was_let_go_or_is_of_another_table_tells_nothing(table, tmp_path):
    version, state = tables.version(table), layout.state(table)
    other = write_corpus_table(tmp_path / "other.lance", frame("xy"))
    assert stable_rows.between(other, version, state) is None
    assert stable_rows.between(table, version, "") is None
    exchange(table, "a", "e")
    exchange(table, "b", "f")
    assert stable_rows.between(table, version, state) is not None
    maintenance.bound_versions(table, 1)
    assert stable_rows.between(table, version, state) is None


def test_the_state_of_a_table_is_that_of_its_latest_version(table):
    first = layout.state(table)
    assert first == layout.state(table, 1)
    exchange(table, "a", "e")
    assert layout.state(table) == layout.state(table, 2) != first
    assert layout.state(table, 1) == first
    assert layout.state(table, 9) == layout.state(table.with_name("none")) == ""
