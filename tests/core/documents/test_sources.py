import os
from pathlib import Path

import pytest

from tasks.core.documents.sources import partitions, survey
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.hardlinks import check_hard_links


@pytest.fixture
def raw(tmp_path):
    folder = tmp_path / "raw"
    folder.mkdir()
    (folder / "a.csv").write_text("id,text\n1,a\n")
    return folder


def names(root: Path, *sources: str) -> list[str]:
    return [path.relative_to(root).as_posix() for path in survey(sources, root).files]


def test_strays_are_passed_over_and_said(tmp_path, raw):
    strays = ("_SUCCESS", "Thumbs.db", "desktop.ini", "a.csv~", "LICENSE", "_metadata", ".DS_Store")
    for name in (*strays, "README.md", "license.txt", "notes.md"):
        (raw / name).write_text("x")
    found = survey(["raw"], tmp_path)
    assert [path.name for path in found.files] == ["a.csv", "notes.md"]
    assert found.remarks() == [
        "passed over, another format: LICENSE, Thumbs.db, _SUCCESS and 3 more",
        "passed over, about the files beside it: README.md, license.txt",
    ]


def test_a_readme_that_is_named_is_a_document(tmp_path, raw):
    (raw / "README.md").write_text("x")
    assert names(tmp_path, "raw/README.md") == names(tmp_path, "raw/**/README.md")
    assert names(tmp_path, "raw/*") == ["raw/a.csv"]


def test_a_linked_folder_is_read_once(tmp_path, raw):
    other = tmp_path / "other"
    other.mkdir()
    (other / "b.csv").write_text("id,text\n2,b\n")
    (other / "back").symlink_to(raw)
    for name in ("one", "two"):
        (raw / name).symlink_to(other)
    assert names(tmp_path, "raw") == ["raw/a.csv", "raw/one/b.csv"]


def test_links_in_a_circle_end(tmp_path, raw):
    (raw / "loop").symlink_to("loop")
    (raw / "up").symlink_to("..")
    (raw / "gone.csv").symlink_to("nothing")
    found = survey(["raw"], tmp_path)
    assert [path.name for path in found.files] == ["a.csv"]
    assert found.remarks() == [
        "passed over, not a plain file: gone.csv, loop",
        "passed over, a link to a folder around it: up",
    ]


def test_the_folders_of_programs_are_passed_over(tmp_path, raw):
    for name in ("_delta_log", "__MACOSX"):
        (raw / name).mkdir()
        (raw / name / "0.csv").write_text("x,y\n1,2\n")
    found = survey(["raw"], tmp_path)
    assert [path.name for path in found.files] == ["a.csv"]
    assert found.remarks() == ["passed over, the folder of a program: __MACOSX, _delta_log"]


def test_a_name_that_is_not_utf_8_is_read_and_said(tmp_path, raw):
    Path(os.fsdecode(os.fsencode(raw) + b"/caf\xe9.csv")).write_text("id,text\n1,a\n")
    found = survey(["raw"], tmp_path)
    assert len(found.files) == 2
    (said,) = found.remarks()
    assert said == r"names that are not UTF-8, which DVC cannot record; rename: caf\xe9.csv"


def test_partitions_are_columns(tmp_path):
    path = tmp_path / "x=1/raw/lang=de/id=7/city=New%20York/day=__HIVE_DEFAULT_PARTITION__/a.csv"
    found = partitions(path, tmp_path / "x=1")
    assert found == {"lang": "de", "partition_id": "7", "city": "New York", "day": None}


def test_a_file_system_without_hard_links_is_named_before_any_work(tmp_path, monkeypatch):
    check_hard_links(tmp_path / "vectors")
    assert not any((tmp_path / "vectors").iterdir())

    def refuse(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "link", refuse)
    with pytest.raises(InputError, match=r"without hard links \(Operation not supported\); exp"):
        check_hard_links(tmp_path / "vectors")
    assert not any((tmp_path / "vectors").iterdir())
