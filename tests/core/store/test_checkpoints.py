import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.store import arrow, checkpoints, tables
from tasks.core.workspace.state_manifests import Shard


@given(st.integers(0, 500), st.integers(1, 60))
def test_ranges_cover_everything_once_and_in_order(total, size):
    found = list(checkpoints.ranges(total, size))
    assert [row for start, stop in found for row in range(start, stop)] == list(range(total))
    assert all(0 < stop - start <= size for start, stop in found)


@given(st.lists(st.integers(0, 2**40), max_size=30, unique=True).map(sorted), st.integers(1, 7))
def test_slices_share_out_all_rows_in_their_order(rows, size):
    parts = list(checkpoints.slices(np.array(rows, np.int64), size))
    assert [row for part in parts for row in part.rows.tolist()] == rows
    assert [str(part) for part in parts] == [
        f"{start}-{stop}" for start, stop in checkpoints.ranges(len(rows), size)
    ]


def test_a_run_has_begun_until_its_checkpoints_are_cleared(tmp_path):
    assert not checkpoints.begun(tmp_path / "made")
    folder = checkpoints.begin(tmp_path / "made")
    assert checkpoints.begun(folder)
    checkpoints.clear(folder)
    assert not checkpoints.begun(folder)


def test_a_key_names_purpose_and_rows():
    rows = np.arange(5)
    keys = {
        checkpoints.key_of("a", rows),
        checkpoints.key_of("b", rows),
        checkpoints.key_of("a", rows[1:]),
        checkpoints.key_of("a", rows + 1),
    }
    assert len(keys) == 4
    assert checkpoints.key_of("a", rows.astype(np.int32)) == checkpoints.key_of("a", rows)


@pytest.fixture
def shard(tmp_path):
    frame = pl.DataFrame({"id": ["a", "b"]})
    vectors = arrow.vector_array(np.eye(2, dtype=np.float32), "float16")
    made = arrow.assemble(frame, {tables.VECTOR: vectors})
    table = tmp_path / "t.lance"
    return Shard(fragments=tables.write_fragments(table, made, {}, fresh=True), written=2)


def test_a_finished_shard_is_recalled_as_it_was(tmp_path, shard):
    checkpoints.save(tmp_path / "made", "key", shard)
    assert checkpoints.load(tmp_path / "made", "key", tmp_path / "t.lance") == shard
    assert checkpoints.load(tmp_path / "made", "other", tmp_path / "t.lance") is None


def test_a_shard_whose_files_are_gone_is_made_again(tmp_path, shard):
    checkpoints.save(tmp_path / "made", "key", shard)
    for file in (tmp_path / "t.lance" / "data").iterdir():
        file.unlink()
    assert checkpoints.load(tmp_path / "made", "key", tmp_path / "t.lance") is None


def test_forgetting_leaves_nothing_and_may_be_repeated(tmp_path, shard):
    checkpoints.save(tmp_path / "made", "key", shard)
    checkpoints.clear(tmp_path / "made")
    checkpoints.clear(tmp_path / "made")
    assert not (tmp_path / "made").exists()
