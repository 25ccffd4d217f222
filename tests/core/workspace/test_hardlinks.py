"""A folder that is there twice, and takes its bytes once."""

import pytest

from tasks.core.workspace.hardlinks import link_folder


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "source"
    (folder / "table.lance" / "data").mkdir(parents=True)
    (folder / "table.lance" / "data" / "rows").write_bytes(b"rows")
    (folder / "note.json").write_text("{}")
    (folder / ".half.tmp").write_text("half")
    return folder


def test_what_nobody_changes_in_place_is_one_file_and_small_notes_are_two(source, tmp_path):
    copy = tmp_path / "made" / "copy"
    link_folder(source, copy)
    rows, note = "table.lance/data/rows", "note.json"
    assert (source / rows).samefile(copy / rows)
    assert not (source / note).samefile(copy / note)
    (copy / note).write_text("[]")
    assert (source / note).read_text() == "{}"
    assert not (copy / ".half.tmp").exists()


def test_what_is_removed_from_the_one_stays_in_the_other(source, tmp_path):
    copy = tmp_path / "copy"
    link_folder(source, copy)
    (source / "table.lance" / "data" / "rows").unlink()
    assert (copy / "table.lance" / "data" / "rows").read_bytes() == b"rows"


def test_a_link_to_a_file_is_followed(source, tmp_path):
    cached = tmp_path / "cached"
    cached.write_bytes(b"cached")
    (source / "laid").symlink_to(cached)
    link_folder(source, tmp_path / "copy")
    found = tmp_path / "copy" / "laid"
    assert not found.is_symlink() and found.samefile(cached)
