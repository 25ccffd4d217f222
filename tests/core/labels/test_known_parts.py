"""Label files that are read again and again: only those anew that are others, and none too few."""

import os
import time
from dataclasses import replace

import pytest

from tasks.core.labels import known_parts
from tasks.core.labels.files import label_file
from tasks.core.labels.known_parts import KnownParts
from tasks.core.labels.reader import standing_labels
from tasks.core.workspace.errors import InputError
from tests.core.labels.test_labels import KEYS, put


class Counting(KnownParts):
    """Counts which files are judged anew."""

    def __init__(self):
        super().__init__()
        self.judges = []

    def judged(self, part, by, judge):
        def counted(part):
            self.judges.append(part.path.name)
            return judge(part)

        return super().judged(part, by, counted)


@pytest.fixture
def folder(tmp_path):
    """The label files of two people, which have rested for an hour."""
    folder = tmp_path / "labels" / "mood"
    folder.mkdir(parents=True)
    put(folder, "ann.csv", "id,label\n1,angry\n2,glad\n")
    put(folder, "bob.csv", "id,label\n3,glad\n4,angry\n")
    return folder


def rest(monkeypatch):
    """Let an hour pass."""
    later = time.time_ns() + 3_600 * 10**9
    monkeypatch.setattr("tasks.core.workspace.files.time.time_ns", lambda: later)


def standing(folder, known, **more):
    file = label_file(folder, "mood")
    found = standing_labels(file, KEYS, known=known, **more)
    assert found == standing_labels(file, KEYS)  # as one finds it who has read nothing before
    return found


def test_of_several_files_the_one_that_has_changed_is_read_anew(folder, monkeypatch):
    rest(monkeypatch)
    known = Counting()
    standing(folder, known)
    assert standing(folder, known) == {"1": "angry", "2": "glad", "3": "glad", "4": "angry"}
    assert known.judges == ["ann.csv", "bob.csv"]
    put(folder, "bob.csv", "id,label\n3,sad\n")
    assert standing(folder, known) == {"1": "angry", "2": "glad", "3": "sad"}
    assert known.judges[2:] == ["bob.csv"]
    (folder / "ann.csv").unlink()
    assert standing(folder, known) == {"3": "sad"}
    put(folder, "cy.csv", "id,label\n3,glad\n")
    standing(folder, known)
    assert known.judges[3:] == ["cy.csv"]


@pytest.mark.parametrize("kept", ["size", "size and time"])
def test_a_change_by_hand_that_keeps_size_and_time_is_seen(folder, monkeypatch, kept):
    rest(monkeypatch)
    known, file = Counting(), folder / "bob.csv"
    standing(folder, known)
    before = file.stat()
    file.write_bytes(b"id,label\n3,rage\n4,angry\n")
    if kept == "size and time":
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file.stat().st_size == before.st_size
    assert standing(folder, known)["3"] == "rage"


def test_what_has_changed_just_now_is_not_relied_upon(folder, monkeypatch):
    known, file = Counting(), folder / "ann.csv"
    (folder / "bob.csv").unlink()
    now = file.stat().st_ctime_ns
    monkeypatch.setattr("tasks.core.workspace.files.time.time_ns", lambda: now)
    standing(folder, known)
    standing(folder, known)
    assert known.judges == ["ann.csv"] * 2


def test_other_texts_or_another_separator_ask_for_all_files(folder, monkeypatch):
    rest(monkeypatch)
    known = Counting()
    for more in ({}, {"corpus": "another"}, {"corpus": "another", "separator": "|"}):
        standing(folder, known, **more)
    assert len(known.judges) == 6


def test_a_file_that_is_gone_meanwhile_is_told(folder, monkeypatch):
    rest(monkeypatch)
    known, file = Counting(), label_file(folder, "mood")
    standing(folder, known)
    (folder / "bob.csv").unlink()
    with pytest.raises(InputError, match=r"bob\.csv: not readable"):
        standing_labels(replace(file), KEYS, known=known)


def test_the_oldest_go_where_more_rows_are_read_than_there_is_room_for(folder, monkeypatch):
    rest(monkeypatch)
    monkeypatch.setattr(known_parts, "_MOST", 3)
    known = Counting()
    standing(folder, known)
    put(folder, "bob.csv", "id,label\n3,sad\n")
    standing(folder, known)
    assert known.judges == ["ann.csv", "bob.csv"] * 2
    standing(folder, known)
    assert known.judges[4:] == []
