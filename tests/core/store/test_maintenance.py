"""How many versions and transforms of a view stay on disk."""

import os
from datetime import timedelta

import pyarrow as pa
import pytest

from tasks.core.store import maintenance, tables


@pytest.fixture
def table(tmp_path):
    return tmp_path / "view.lance"


def write(table, times):
    for n in range(times):
        rows = pa.table({"id": [str(n)]})
        fragments = tables.write_fragments(table, rows, {}, fresh=True)
        tables.publish(table, tables.commit_whole(table, rows.schema, {}, fragments))


def versions(table):
    return [each["version"] for each in tables.open_table(table).versions()]


def test_the_newest_versions_stay_and_their_files_alone(table):
    write(table, 30)
    assert len(versions(table)) == 30
    maintenance.bound_versions(table, 4)
    assert versions(table) == [27, 28, 29, 30]
    assert len(list((table / "data").iterdir())) == 4
    assert tables.live_version(table) == 30
    maintenance.bound_versions(table, 4)
    assert versions(table) == [27, 28, 29, 30]


def test_a_version_that_readers_see_stays_however_old_it_is(table):
    write(table, 6)
    tables.publish(table, 1)
    maintenance.bound_versions(table, 2)
    assert versions(table) == [1, 5, 6]
    assert tables.count(table, "live") == 1


def make_kept(folder, ages):
    for name, age in ages.items():
        (folder / name).mkdir(parents=True)
        (folder / name / "transform.json").write_text("{}")
        then = folder.stat().st_mtime - age
        os.utime(folder / name, (then, then))


def kept(folder):
    return {path.name for path in folder.iterdir()}


def test_the_newest_transforms_stay_with_the_one_in_use(tmp_path):
    make_kept(tmp_path / "t", {"live": 500, "a": 400, "b": 300, "c": 200, "d": 100})
    assert maintenance.bound_transforms(tmp_path / "t", "live", 3) == 2
    assert kept(tmp_path / "t") == {"live", "c", "d"}
    assert maintenance.bound_transforms(tmp_path / "t", "live", 3) == 0
    assert maintenance.bound_transforms(tmp_path / "none", "live", 3) == 0


def test_transforms_go_by_their_age_but_for_the_one_in_use(tmp_path):
    make_kept(tmp_path / "t", {"live": 500, "a": 400, "b": 1})
    assert maintenance.forget_transforms(tmp_path / "t", "live", timedelta(seconds=100)) == 1
    assert kept(tmp_path / "t") == {"live", "b"}
