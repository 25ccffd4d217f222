import json
import os
import stat
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.workspace.files import (
    Hashes,
    content_hash,
    digest,
    read_json,
    write_json,
    write_text,
)


def test_a_written_file_replaces_the_old_one_and_leaves_nothing_beside_it(tmp_path):
    path = tmp_path / "new" / "folder" / "a.txt"
    write_text(path, "old")
    write_text(path, "caf\u00e9\n")
    assert path.read_bytes() == b"caf\xc3\xa9\n"
    assert [file.name for file in path.parent.iterdir()] == ["a.txt"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


@pytest.fixture
def umask():
    before = os.umask(0o022)
    yield os.umask
    os.umask(before)


@pytest.mark.parametrize("mask", [0o022, 0o027, 0o077, 0o002])
def test_a_new_file_has_the_mode_that_open_gives(tmp_path, umask, mask):
    umask(mask)
    (tmp_path / "plain").write_text("x")
    write_text(tmp_path / "ours", "x")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_what_was_private_stays_private_and_what_dvc_protects_can_be_written(tmp_path, umask):
    for mode, after in ((0o600, 0o600), (0o444, 0o644), (0o666, 0o644)):
        write_text(tmp_path / "a", "old")
        (tmp_path / "a").chmod(mode)
        write_text(tmp_path / "a", "new")
        assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == after


@pytest.mark.parametrize(
    "content",
    [b"[" * 200_000, b'{"a":' * 100_000, b"[]", b"7", b"\xff", b"9" * 5_000, b"", b"nan", b"{"],
)
def test_a_note_that_is_broken_counts_as_none(tmp_path, content):
    (tmp_path / "note.json").write_bytes(content)
    assert read_json(tmp_path / "note.json") is None
    (tmp_path / "a").write_text("x")
    assert Hashes(tmp_path / "note.json").of(tmp_path / "a") == content_hash(b"x")


def test_a_note_that_is_no_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "note.json")
    assert read_json(tmp_path / "note.json") is None
    assert read_json(tmp_path) is None


@pytest.mark.parametrize("known", [5, [], [1], ["a", "b", "c", "d"], {"x": 1}, None, "text"])
def test_a_remembered_hash_of_another_shape_is_taken_anew(tmp_path, known):
    (tmp_path / "a").write_text("x")
    write_json(tmp_path / "hashes.json", {"files": {str(tmp_path / "a"): known}})
    assert Hashes(tmp_path / "hashes.json").all([tmp_path / "a"]) == [content_hash(b"x")]


@pytest.mark.parametrize("step", ["fsync", "replace", "encode"])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, step):
    path = tmp_path / "a.txt"
    write_text(path, "old")

    def full(*_):
        raise OSError("no space left on device")

    if step == "fsync":
        monkeypatch.setattr(os, "fsync", full)
    if step == "replace":
        monkeypatch.setattr(Path, "replace", full)
    with pytest.raises((OSError, UnicodeEncodeError)):
        write_text(path, "new\udce9" if step == "encode" else "new")
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"]


def test_a_hardlink_to_the_old_content_keeps_it(tmp_path):
    path, cached = tmp_path / "a.txt", tmp_path / "cached"
    write_text(path, "old")
    cached.hardlink_to(path)
    write_text(path, "new")
    assert (path.read_text(), cached.read_text()) == ("new", "old")


def test_equal_values_are_equal_bytes_whatever_the_order_of_their_keys(tmp_path):
    write_json(tmp_path / "a.json", {"b": 1, "a": "\u00e9"})
    write_json(tmp_path / "b.json", {"a": "\u00e9", "b": 1})
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert read_json(tmp_path / "a.json") == {"a": "\u00e9", "b": 1}


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'"x"', b'{"a": "\xff"}'])
def test_what_is_no_json_object_reads_as_nothing(tmp_path, content):
    path = tmp_path / "a.json"
    path.write_bytes(content)
    assert read_json(path) is None
    assert read_json(tmp_path / "missing.json") is None
    assert read_json(path / "below-a-file.json") is None


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(values, values)
def test_digests_are_equal_exactly_where_the_values_are(left, right):
    equal = json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)
    assert (digest(left) == digest(right)) == equal
    assert len(digest(left)) == 32


def test_a_digest_keeps_its_parts_apart():
    assert digest("ab", "c") != digest("a", "bc") != digest(["a", "bc"])


def test_hashes_notice_every_change_of_content(tmp_path):
    path, memory = tmp_path / "a.txt", tmp_path / "hashes.json"
    path.write_text("one")
    first = Hashes(memory).all([path])
    assert Hashes(memory).all([path]) == first
    path.write_text("two")  # the same size
    os.utime(path, ns=(1, 1))
    assert Hashes(memory).all([path]) != first
    path.write_text("one")
    assert Hashes(memory).all([path]) == first


def test_a_file_written_in_place_is_hashed_anew_though_its_size_and_time_stay(tmp_path):
    path, memory = tmp_path / "a.txt", tmp_path / "hashes.json"
    path.write_text("one")
    seen = path.stat()
    time.sleep(0.06)  # so that it is remembered
    first = Hashes(memory).all([path])
    assert memory.exists()
    path.write_text("two")
    os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    assert Hashes(memory).all([path]) != first


def test_a_file_that_has_just_changed_is_not_remembered(tmp_path):
    path, memory = tmp_path / "a.txt", tmp_path / "hashes.json"
    for text in ("one", "two", "six"):
        path.write_text(text)
        assert Hashes(memory).all([path]) == [content_hash(text.encode())]


def test_a_file_put_in_anothers_place_is_hashed_anew_even_with_its_size_and_times(tmp_path):
    path, other, memory = tmp_path / "a.txt", tmp_path / "b.txt", tmp_path / "hashes.json"
    for file, text in ((path, "one"), (other, "two")):
        file.write_text(text)
        os.utime(file, ns=(1, 1))
    first = Hashes(memory).all([path])
    other.replace(path)
    assert Hashes(memory).all([path]) != first


def test_hashes_read_a_file_again_only_after_a_change(tmp_path, monkeypatch):
    path, memory = tmp_path / "a.txt", tmp_path / "hashes.json"
    path.write_text("one")
    time.sleep(0.06)  # what has just changed is not remembered
    first = Hashes(memory).all([path])
    later = Hashes(memory)
    monkeypatch.setattr(Path, "open", lambda *_: pytest.fail("read again"))
    assert [later.of(path)] == first


def test_a_lost_or_broken_memory_of_hashes_costs_only_time(tmp_path):
    path, memory = tmp_path / "a.txt", tmp_path / "hashes.json"
    path.write_text("one")
    time.sleep(0.06)  # what has just changed is not remembered
    first = Hashes(memory).all([path])
    memory.write_text("{")
    assert Hashes(memory).all([path]) == first
    assert read_json(memory) is not None
