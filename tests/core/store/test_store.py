"""Tables in an object store: a real S3 server, kills, two writers, a store away."""

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from flows.stores import settling
from tasks.core.encoding import evolving
from tasks.core.remote import driving, handover, pointers
from tasks.core.remote.manifests import TablePointer
from tasks.core.store import checkpoints, index, layout, maintenance, orphans, tables
from tasks.core.store.searcher import Searcher
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.manifest import read_manifest, write_manifest
from tests.buckets import KEYS, Bucket
from tests.core.store.pointed import point
from tests.core.store.test_tables import ABOUT, append, read, replace, rows

pytestmark = pytest.mark.usefixtures("keys")


@pytest.fixture(scope="module")
def bucket(tmp_path_factory):
    made = Bucket(tmp_path_factory.mktemp("s3"))
    yield made
    made.stop()


_COUNT = "import sys; print(tables.count(Path(sys.argv[1])))"


@pytest.fixture
def table(bucket, tmp_path):
    """A pointer to a table of the rows a to f."""
    path = point(tmp_path / "t.lance", bucket.endpoint, tmp_path.name)
    replace(path, list("abcdef"))
    return path


def another(table, folder):
    """Return the same pointer in another workspace."""
    (folder / "other").mkdir()
    return type(table)(shutil.copy(table, folder / "other" / table.name))


def test_a_table_in_a_store_is_what_it_would_be_in_a_folder(table, tmp_path):
    here = tmp_path / "here.lance"
    replace(here, list("abcdef"))
    for path in (here, table):
        append(path, list("gh"), retired=["b"])
        tables.publish(path, tables.version(path))
        append(path, ["i"])
        evolving.evolve(path, [], ("id", "row_hash", tables.VECTOR))
    for version in (None, "live"):
        assert read(here, version) == read(table, version)
        assert tables.count(here, version) == tables.count(table, version)
    assert tables.version(here) == tables.version(table)
    assert tables.live_version(here) == tables.live_version(table) == 2
    assert tables.note(table) == ABOUT
    assert layout.exists(table)
    assert layout.noted_live_version(table) == 2
    assert not table.is_dir()


def test_readers_here_see_what_the_pointer_means_and_ask_the_store_for_nothing_else(table):
    pointer = read_manifest(table, TablePointer)
    append(table, ["g"])
    write_manifest(table, pointer)
    assert len(read(table)) == 6
    assert tables.version(table) == 1


def test_a_version_is_known_again_in_another_time_zone(table):
    code = f"from pathlib import Path; from tasks.core.store import tables; {_COUNT}"
    env = os.environ | {"TZ": "Asia/Kathmandu"}
    command = [sys.executable, "-c", code, str(table)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("6\n", "")


def test_an_index_a_compaction_and_a_clean_up_keep_the_rows(bucket, tmp_path):
    path = point(tmp_path / "t.lance", bucket.endpoint, tmp_path.name)
    names = [f"n{at:04}" for at in range(1_200)]
    replace(path, names[:1_000])
    for at in range(1_000, 1_200, 100):
        append(path, names[at : at + 100])
    assert index.index(path, 1_000)
    found = Searcher(path, live=False).nearest(np.ones(4), 3, "id > 'n0100'", ["id"])
    assert len(found) == 3
    assert maintenance.compact(path, 2)
    assert index.index(path, 1_000)
    before = maintenance.measure(path)
    maintenance.bound_versions(path, 1)
    after = maintenance.measure(path)
    assert (after.versions, after.files < before.files) == (1, True)
    assert sorted(read(path)) == names


def test_a_clean_up_spares_what_a_record_names_and_what_nobody_knows_yet(table):
    pointer = read_manifest(table, TablePointer)
    handover.hold(pointer)
    unseen = tables.write_fragments(table, rows(["z"]), ABOUT, fresh=False)
    for name in "ghi":
        append(table, [name])
    maintenance.bound_versions(table, 1)
    orphans.sweep(table)
    assert len(read(table)) == 9
    assert len(read(table, 1)) == 6
    assert checkpoints.fragments_exist(table, unseen)
    with pytest.raises(InputError):
        read(table, 2)


def test_what_a_kill_has_left_between_a_commit_and_its_pointer_is_taken_over(table):
    before = read_manifest(table, TablePointer)
    with driving.driving(table):
        begun = read_manifest(table, TablePointer)
        fragments = tables.write_fragments(table, rows(["g"]), ABOUT, fresh=False)
    append(table, ["g"])
    made = read_manifest(table, TablePointer)
    assert fragments
    mark = {"version": before.version, "mark": _mark(table, made.version)}
    write_manifest(table, before.changed(begun=begun.begun.model_copy(update=mark)))
    assert len(read(table)) == 6
    append(table, ["h"])
    assert sorted(read(table)) == list("abcdefgh")


def _mark(table, version):
    dataset = driving.opened(pointers.location_of(table), version)
    return dataset.read_transaction(version).transaction_properties["__lance_commit_message"]


def test_a_second_writer_is_refused_in_one_line_and_loses_nothing_of_the_firsts(table, tmp_path):
    other = another(table, tmp_path)
    append(table, ["g"])
    with pytest.raises(InputError, match="another workspace writes there") as refused:
        append(other, ["h"])
    assert "\n" not in str(refused.value)
    append(table, ["i"])
    assert sorted(read(table)) == list("abcdefgi")
    assert len(read(other)) == 6  # it goes on reading what it knows


def test_of_two_writers_at_the_same_moment_none_loses_what_it_was_told_is_committed(
    bucket, tmp_path
):
    path = point(tmp_path / "t.lance", bucket.endpoint, tmp_path.name)
    replace(path, list("abcdef"))
    other = another(path, tmp_path)
    said, together = {}, threading.Barrier(2)

    def write(name, table):
        fragments = tables.write_fragments(table, rows([name]), ABOUT, fresh=False)
        together.wait()
        try:
            tables.commit_changes(table, [], fragments)
            said[name] = table
        except InputError as error:
            assert "writ" in str(error) or "conflict" in str(error), error

    threads = [threading.Thread(target=write, args=each) for each in (("x", path), ("y", other))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(said) <= 1
    for name, table in said.items():
        assert sorted(read(table)) == [*"abcdef", name]
        append(table, ["z"])
        assert sorted(read(table)) == [*"abcdef", name, "z"]


def test_an_earlier_version_comes_back_without_a_byte_and_the_next_change_goes_on_from_it(
    table, bucket
):
    earlier = read_manifest(table, TablePointer)
    replace(table, list("uvw"))
    handover.hold(read_manifest(table, TablePointer))
    write_manifest(table, earlier)
    with pytest.raises(InputError, match="another workspace writes there"):
        append(table, ["g"])
    held = sum(1 for _ in bucket.folder.rglob("*.lance/data/*"))
    handover.take_over(table)
    handover.take_over(table)
    assert sum(1 for _ in bucket.folder.rglob("*.lance/data/*")) == held
    assert read_manifest(table, TablePointer) == earlier
    append(table, ["g"])
    assert sorted(read(table)) == list("abcdefg")


def test_a_bucket_that_was_made_anew_is_not_taken_for_the_one_that_was_recorded(table, bucket):
    pointer = read_manifest(table, TablePointer)
    shutil.rmtree(bucket.folder / pointer.url.split("/")[3])
    again = table.with_name("again.lance")
    write_manifest(again, TablePointer(url=pointer.url, options=pointer.options))
    replace(again, list("uvwxyz"))
    for use in (read, lambda path: append(path, ["g"]), handover.take_over):
        with pytest.raises(InputError, match="another version 1"):
            use(table)


def test_nor_is_an_earlier_version_that_is_live_still(table, bucket):
    tables.publish(table, 1)
    append(table, ["g"])
    assert len(read(table, "live")) == 6
    pointer = read_manifest(table, TablePointer)
    shutil.rmtree(bucket.folder / pointer.url.split("/")[3])
    again = table.with_name("again.lance")
    write_manifest(again, TablePointer(url=pointer.url, options=pointer.options))
    for names in ("uvwxyz", "rst"):
        replace(again, list(names))
    for version in ("live", 1):
        with pytest.raises(InputError, match="another version 2"):
            read(table, version)
    assert len(read(again, 1)) == 6


def test_nothing_is_live_before_it_is_published(table):
    with pytest.raises(InputError, match="nothing is live there yet"):
        tables.open_table(table, "live")


def test_what_a_first_write_has_left_before_its_commit_is_no_table(bucket, tmp_path):
    path = point(tmp_path / "t.lance", bucket.endpoint, tmp_path.name)
    pointer = read_manifest(path, TablePointer)
    tables.write_fragments(path, rows(["a"]), ABOUT, fresh=True)
    path.unlink()
    settling.begin(path, pointer)
    replace(path, list("ab"))
    assert sorted(read(path)) == ["a", "b"]


def test_a_table_that_is_taken_over_again_is_not_free_for_another(table, tmp_path):
    pointer = read_manifest(table, TablePointer)
    fresh = TablePointer(url=pointer.url, options=pointer.options)
    handover.let_go(pointer)
    handover.take_over(table)
    with pytest.raises(InputError, match="that this workspace does not know"):
        settling.begin(tmp_path / "other.lance", fresh)
    handover.let_go(pointer)
    settling.begin(tmp_path / "other.lance", fresh)
    with pytest.raises(InputError, match="that this workspace does not know"):
        settling.begin(tmp_path / "third.lance", fresh)


@pytest.mark.parametrize("before", range(240, 300, 10))
def test_no_part_of_a_key_is_left_where_what_is_said_is_cut(before):
    key = KEYS["AWS_SECRET_ACCESS_KEY"]
    said = pointers._said(OSError("x" * before + key))
    assert key[:6] not in said


_APPENDS = """
import sys
from pathlib import Path
from tests.core.store.test_tables import append
path, first = Path(sys.argv[1]), int(sys.argv[2])
for at in range(first, first + 1_000):
    append(path, [f"n{at:04}"])
    print(at, flush=True)
"""


def test_a_writer_that_is_killed_at_any_moment_loses_no_row_and_writes_none_twice(table):
    told = 0
    for seed in range(4):
        command = [sys.executable, "-c", _APPENDS, str(table), str(told)]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        first = child.stdout.readline()
        time.sleep(random.Random(seed).uniform(0.0, 0.3))
        os.kill(child.pid, signal.SIGKILL)
        acknowledged = [first, *child.communicate()[0].split()]
        told = int(acknowledged[-1]) + 1
        driving.settle(table, pointers.pointer_at(table))
        names = sorted(set(read(table)) - set("abcdef"))
        assert len(names) - told in (0, 1)
        assert names == [f"n{at:04}" for at in range(len(names))]
        told = len(names)
    assert told > 0
