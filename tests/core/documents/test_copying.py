import os
from pathlib import Path

import pytest

from tasks.core.documents.copying import incoming, strays
from tasks.core.settings.table_sections import IngestSettings
from tasks.core.workspace.errors import InputError


@pytest.fixture
def given(tmp_path):
    folder = tmp_path / "given"
    (folder / "lang=de").mkdir(parents=True)
    (folder / "lang=de" / "a.csv").write_text("id,text\n1,a\n")
    return folder


def places(raw: Path, *sources: Path) -> list[str]:
    found = incoming([str(each) for each in sources], raw, IngestSettings())
    return [file.place.relative_to(raw).as_posix() for file in found]


def test_a_folder_keeps_its_name_and_a_linked_one_in_it_its_place(tmp_path, given):
    other = tmp_path / "other"
    other.mkdir()
    (other / "b.csv").write_text("id,text\n2,b\n")
    (given / "linked").symlink_to(other)
    assert places(tmp_path / "raw", given) == ["given/lang=de/a.csv", "given/linked/b.csv"]


def test_strays_of_a_folder_are_said_and_stay_where_they_are(tmp_path, given):
    for name in ("_SUCCESS", "README.md", "empty.csv"):
        (given / name).touch()
    assert places(tmp_path / "raw", given) == ["given/empty.csv", "given/lang=de/a.csv"]
    assert sorted(strays([str(given)])) == [
        f"{given}: passed over, about the files beside it: README.md",
        f"{given}: passed over, another format: _SUCCESS",
    ]
    with pytest.raises(InputError, match="found no line"):
        places(tmp_path / "raw", given / "empty.csv")


def test_a_name_that_is_not_utf_8_becomes_one_that_is(tmp_path):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9 1.csv"))
    path.write_text("id,text\n1,a\n")
    assert places(tmp_path / "raw", path) == ["caf%E9 1.csv"]
