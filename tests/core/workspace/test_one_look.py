"""What is read once within a look, and what of it is written down at its end."""

import time

from tasks.core.workspace.files import Hashes, content_hash, read_json, write_json
from tasks.core.workspace.manifests import Scores
from tasks.core.workspace.one_look import hashes_in, one_look, read_manifest


def test_a_note_is_within_a_look_what_it_was_when_it_was_first_read(tmp_path):
    note = tmp_path / "note.json"
    write_json(note, {"texts": 1})
    with one_look():
        assert read_manifest(note, Scores) == Scores(texts=1)
        write_json(note, {"texts": 2})
        with one_look():
            assert read_manifest(note, Scores) == Scores(texts=1)
        assert read_manifest(note, Scores) == Scores(texts=1)
    assert read_manifest(note, Scores) == Scores(texts=2)


def test_a_note_that_is_missing_stays_so_within_a_look(tmp_path):
    note = tmp_path / "note.json"
    with one_look():
        assert read_manifest(note, Scores) is None
        write_json(note, {"texts": 2})
        assert read_manifest(note, Scores) is None
    assert read_manifest(note, Scores) == Scores(texts=2)


def test_hashes_of_a_look_are_written_down_at_its_end_alone(tmp_path):
    file, memory = tmp_path / "a", tmp_path / "hashes.json"
    file.write_bytes(b"x")
    time.sleep(0.06)  # what has just changed is not remembered
    with one_look():
        assert hashes_in(memory).all([file]) == [content_hash(b"x")]
        assert hashes_in(memory) is hashes_in(memory)
        assert not memory.exists()
    assert str(file) in (read_json(memory) or {})["files"]
    assert hashes_in(memory).all([file]) == Hashes(memory).all([file]) == [content_hash(b"x")]


def test_a_look_that_ends_by_an_error_still_writes_down_what_it_has_hashed(tmp_path):
    file, memory = tmp_path / "a", tmp_path / "hashes.json"
    file.write_bytes(b"x")
    time.sleep(0.06)  # what has just changed is not remembered
    try:
        with one_look():
            hashes_in(memory).of(file)
            raise RuntimeError("stopped")
    except RuntimeError:
        pass
    assert str(file) in (read_json(memory) or {})["files"]
