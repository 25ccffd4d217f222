"""Posted labels: applied by id, once a key, whole on disk, whoever else posts and is killed."""

import json
import multiprocessing
import os
import random
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import pytest

from tasks.core.labels.files import label_file
from tasks.core.labels.inbox import posting
from tasks.core.labels.inbox.posted_rows import read_posted
from tasks.core.labels.inbox.posting import Inbox, post
from tasks.core.labels.reader import read_labels, standing_labels
from tasks.core.workspace.errors import InputError
from tests.core.labels.test_labels import KEYS, put

NOON = "2026-11-27T12:00:00+00:00"


def inbox_of(root, annotator="ann", name="mood"):
    return Inbox(
        root / "labels" / name / f"explore-{annotator}.jsonl",
        root / "state" / f"{name}-{annotator}.json",
        root / "state" / "posting.lock",
        annotator,
    )


@pytest.fixture
def inbox(tmp_path):
    return inbox_of(tmp_path)


def labels(inbox):
    return {key: row.label for key, row in read_posted(inbox.file).items()}


def test_rows_are_applied_by_id_and_the_last_of_an_id_counts(inbox):
    first = post(inbox, "a", [("1", "angry"), ("2", "glad"), ("1", "sad")], NOON)
    assert (first.accepted, first.unchanged, first.replaced) == (3, 0, [])
    second = post(inbox, "b", [("2", "sad"), ("1", "sad"), ("3", "glad")], NOON)
    assert labels(inbox) == {"1": "sad", "2": "sad", "3": "glad"}
    assert second.unchanged == 1
    assert [(each.id, each.before, each.label) for each in second.replaced] == [
        ("2", "glad", "sad")
    ]


def test_null_withdraws_and_the_last_withdrawn_label_takes_file_and_folder_with_it(inbox):
    post(inbox, "a", [("1", "angry"), ("2", "glad")], NOON)
    gone = post(inbox, "b", [("1", None), ("3", None)], NOON)
    assert [(each.id, each.before, each.label) for each in gone.replaced] == [("1", "angry", None)]
    assert gone.unchanged == 1
    assert labels(inbox) == {"2": "glad"}
    post(inbox, "c", [("2", None)], NOON)
    assert not inbox.file.parent.exists()


def test_a_key_that_comes_again_gets_its_answer_and_changes_nothing(inbox):
    first = post(inbox, "a", [("1", "angry")], NOON)
    post(inbox, "b", [("1", "glad")], NOON)
    before = inbox.file.read_bytes(), inbox.file.stat().st_mtime_ns
    again = post(inbox, "a", [("1", "angry")], NOON)
    assert again == replace(first, repeated=True)
    assert (inbox.file.read_bytes(), inbox.file.stat().st_mtime_ns) == before


def test_a_key_of_withdrawn_labels_is_known_as_well(inbox):
    post(inbox, "a", [("1", "angry")], NOON)
    gone = post(inbox, "b", [("1", None)], NOON)
    post(inbox, "c", [("1", "glad")], NOON)
    assert post(inbox, "b", [("1", None)], NOON) == replace(gone, repeated=True)
    assert labels(inbox) == {"1": "glad"}


def test_a_key_with_other_rows_is_refused(inbox):
    post(inbox, "a", [("1", "angry")], NOON)
    with pytest.raises(InputError, match="key: found that of an earlier request with other rows"):
        post(inbox, "a", [("1", "glad")], NOON)
    assert labels(inbox) == {"1": "angry"}


def test_the_memory_of_keys_is_bounded_and_keeps_the_newest(inbox, monkeypatch):
    monkeypatch.setattr(posting, "KEYS", 3)
    for n in range(5):
        post(inbox, f"k{n}", [("1", f"label {n}")], NOON)
    note = json.loads(inbox.note.read_text())
    assert [each["key"] for each in note["answered"]] == ["k2", "k3", "k4"]
    monkeypatch.setattr(posting, "REPLACED", 1)
    post(inbox, "k5", [("1", "label 5")], NOON)
    assert [each["key"] for each in json.loads(inbox.note.read_text())["answered"]] == ["k5"]


def test_two_annotators_at_once_are_two_files_and_neither_loses_a_label(tmp_path):
    both = [inbox_of(tmp_path, who) for who in ("ann", "bob")]

    def work(turn):
        return post(both[turn % 2], f"k{turn}", [(str(turn // 2), f"l{turn % 3}")], NOON)

    with ThreadPoolExecutor(8) as pool:
        assert all(not each.repeated for each in pool.map(work, range(40)))
    for at, inbox in enumerate(both):
        assert labels(inbox) == {str(n): f"l{(2 * n + at) % 3}" for n in range(20)}


def test_one_annotator_in_two_windows_loses_no_label(inbox):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: post(inbox, f"k{n}", [(str(n), "sad")], NOON), range(30)))
    assert set(labels(inbox)) == {str(n) for n in range(30)}


def test_a_row_that_somebody_has_broken_by_hand_is_named_and_nothing_is_written(inbox):
    post(inbox, "a", [("1", "angry")], NOON)
    inbox.file.write_text(inbox.file.read_text() + '{"id": "2"}\n')
    with pytest.raises(InputError, match=r"explore-ann.jsonl: line 2 is no row of an id and"):
        post(inbox, "b", [("1", "glad")], NOON)


def test_a_request_that_was_killed_before_its_rows_were_written_is_done_when_it_comes_again(
    inbox, monkeypatch
):
    post(inbox, "a", [("1", "angry")], NOON)
    with monkeypatch.context() as patch:
        patch.setattr(posting, "write_posted", _die)
        with pytest.raises(KeyboardInterrupt):
            post(inbox, "b", [("1", "glad")], NOON)
    assert labels(inbox) == {"1": "angry"}
    done = post(inbox, "b", [("1", "glad")], NOON)
    assert not done.repeated
    assert labels(inbox) == {"1": "glad"}
    assert post(inbox, "b", [("1", "glad")], NOON).repeated


def _die(*_):
    raise KeyboardInterrupt


def _post_for_ever(root, told):
    for n in range(10_000):
        rows = [(str(n % 7), f"l{n}"), (f"id {n}", "sad")]
        post(inbox_of(root), f"k{n}", rows, NOON)
        told.send(n)


def test_a_kill_at_any_moment_loses_no_label_that_was_acknowledged_and_leaves_no_half_row(tmp_path):
    context = multiprocessing.get_context("forkserver")
    moments = random.Random(8)
    for turn in range(12):
        root = tmp_path / str(turn)
        answers, told = context.Pipe(duplex=False)
        child = context.Process(target=_post_for_ever, args=(root, told))
        child.start()
        told.close()
        acknowledged = [answers.recv()]
        time.sleep(0.1 * moments.random())
        os.kill(child.pid, signal.SIGKILL)
        child.join()
        with suppress(EOFError):
            while True:
                acknowledged.append(answers.recv())
        _check(root, acknowledged)


def _check(root, acknowledged):
    found = labels(inbox_of(root))  # raises for half a row
    assert all(found[f"id {n}"] == "sad" for n in acknowledged)
    for residue in {n % 7 for n in acknowledged}:
        last = max(n for n in acknowledged if n % 7 == residue)
        assert found[str(residue)] in (f"l{last}", f"l{last + 7}")
    last = acknowledged[-1]
    rows = [(str(last % 7), f"l{last}"), (f"id {last}", "sad")]
    assert post(inbox_of(root), f"k{last}", rows, NOON).repeated


def test_what_is_said_in_explore_overrules_what_files_say_and_a_withdrawn_label_lets_them(tmp_path):
    folder = tmp_path / "labels"
    folder.mkdir()
    put(folder, "mood.csv", "id,label\n1,angry\n2,glad\n3,glad\n")
    ann = inbox_of(tmp_path)
    post(ann, "a", [("1", "glad"), ("4", "angry")], NOON)
    file = label_file(folder / "mood", "mood")
    assert standing_labels(file, KEYS) == {"1": "glad", "2": "glad", "3": "glad", "4": "angry"}
    found = read_labels(file, KEYS, 1)
    assert found.reasons == {"overruled by a label of a better source": 1}
    assert found.notes["label by explore"] == 2
    assert found.notes["explore and human differ"] == 1
    post(ann, "b", [("1", None)], NOON)
    assert standing_labels(label_file(folder / "mood", "mood"), KEYS)["1"] == "angry"


def test_two_annotators_who_differ_in_explore_leave_no_label_whatever_files_say(tmp_path):
    folder = tmp_path / "labels"
    folder.mkdir()
    put(folder, "mood.csv", "id,label\n1,angry\n2,glad\n")
    post(inbox_of(tmp_path, "ann"), "a", [("1", "glad"), ("3", "glad")], NOON)
    post(inbox_of(tmp_path, "bob"), "a", [("1", "sad"), ("3", "glad")], NOON)
    file = label_file(folder / "mood", "mood")
    assert standing_labels(file, KEYS) == {"2": "glad", "3": "glad"}
    found = read_labels(file, KEYS, 1, 1)
    assert found.reasons["conflicting labels for one id"] == 2
    assert (found.notes["two people agree"], found.notes["two people differ"]) == (1, 1)


@pytest.mark.parametrize("name", ["label", "id", "source", "time", "key", "annotator", "text"])
def test_an_instruction_may_be_called_like_a_column(tmp_path, name):
    inbox = inbox_of(tmp_path, name=name)
    post(inbox, "a", [("1", "angry"), ("2", "glad")], NOON)
    file = label_file(inbox.file.parent, name)
    assert standing_labels(file, KEYS) == {"1": "angry", "2": "glad"}
