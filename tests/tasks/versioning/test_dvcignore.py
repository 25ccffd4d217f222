"""What DVC and git are kept from: nothing that lies in a folder may stop or hang a record."""

from tasks.versioning.dvcignore import is_recordable, keep_out
from tests.odd import make_odd


def test_only_readable_files_with_names_in_utf8_are_recordable(tmp_path):
    folder = tmp_path / "labels"
    odd = make_odd(folder)
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*")}
    assert {name for name in there if is_recordable(folder / name)} == {"mood.csv", "linked.csv"}
    assert odd == there - {"mood.csv", "linked.csv", "tone"}


def test_what_is_kept_out_is_listed_as_long_as_it_is_there(tmp_path):
    data, folder = tmp_path, tmp_path / "labels"
    odd = make_odd(folder)
    kept_out = {path.relative_to(folder).as_posix() for path in keep_out(data, [folder])}
    lines = (data / ".dvcignore").read_text().splitlines()
    assert kept_out == odd
    assert {"/labels/loop", "/labels/?.csv", "/labels/tone/a??1??.csv"} < set(lines)
    for name in odd:
        (folder / name).unlink()
    assert keep_out(data, [folder]) == []
    assert not (data / ".dvcignore").exists()


def test_the_lines_of_somebody_else_stay(tmp_path):
    file, folder = tmp_path / ".dvcignore", tmp_path / "labels"
    file.write_text("mine\n")
    odd = make_odd(folder)
    keep_out(tmp_path, [folder])
    assert file.read_text().startswith("mine\n# Written by Refract")
    for name in odd:
        (folder / name).unlink()
    keep_out(tmp_path, [folder])
    assert file.read_text() == "mine\n"
