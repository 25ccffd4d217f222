"""Several label files for one instruction: whose label counts, and how far they agree."""

import json

import pytest

from tasks.core.annotation.output import check_place, write_labels
from tasks.core.labels.files import instruction_of, label_file, label_files
from tasks.core.labels.reader import read_labels
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.label_manifests import LabelCard
from tests.core.labels.test_labels import KEYS, TEXTS, put


def rows(*labelled, source="model"):
    return "".join(json.dumps({"id": k, "label": v, "source": source}) + "\n" for k, v in labelled)


@pytest.fixture
def labels(tmp_path):
    put(tmp_path, "mood.jsonl", rows(("1", "angry"), ("2", "happy"), ("3", "happy"), ("4", "sad")))
    put(tmp_path / "mood", "ada.csv", "id,label\n3,angry\n2,happy\n")
    return tmp_path


def read(path, minimum=1):
    return read_labels(label_file(path, "mood"), KEYS, minimum)


def test_a_folder_stands_for_its_files_and_those_of_its_name_beside_it(labels):
    put(labels, "topic.csv", "id,label\n")
    put(labels, "mood.card.json", "{}")
    put(labels, "mood.taxonomy.txt", "")
    (labels / "empty").mkdir()
    found = label_files(labels)
    assert {name: file.path for name, file in found.items()} == {
        "mood": labels / "mood",
        "topic": labels / "topic.csv",
    }
    assert not found.errors
    assert found["mood"].paths == [labels / "mood.jsonl", labels / "mood" / "ada.csv"]
    assert found["topic"].paths == [labels / "topic.csv"]


def test_a_persons_label_wins_over_a_models_and_their_agreement_is_noted(labels):
    found = read(labels / "mood")
    of = dict(zip(found.ids, found.labels, strict=True))
    assert of == {"1": "angry", "4": "sad", "2": "happy", "3": "angry"}
    assert found.notes == {
        "label with a single text": 2,
        "label by human": 2,
        "label by model": 2,
        "human and model agree": 1,
        "human and model differ": 1,
    }
    assert found.reasons == {"overruled by a label of a better source": 2}
    assert found.read == 6 == len(found.ids) + len(found.rejects)
    assert {each.path.name for each in found.rejects} == {"mood.jsonl"}


def test_a_models_label_wins_over_a_weak_one(labels):
    put(labels / "mood", "weak.jsonl", rows(("1", "sad"), ("5", "sad"), source="zero-shot"))
    found = read(labels / "mood")
    of = dict(zip(found.ids, found.labels, strict=True))
    assert (of["1"], of["5"]) == ("angry", "sad")
    assert found.notes["label by zero-shot"] == 1


def test_two_people_who_differ_leave_no_label(labels):
    put(labels / "mood", "bob.csv", "id,label\n3,happy\n2,happy\n")
    found = read(labels / "mood")
    assert "3" not in found.ids
    assert found.reasons["conflicting labels for one id"] == 2
    assert found.reasons["repeated row"] == 1


def test_how_far_two_people_agree_is_noted(labels):
    put(labels / "mood", "bob.csv", "id,label\n3,happy\n2,happy\n")
    assert (
        read(labels / "mood").notes.items()
        >= {"two people agree": 1, "two people differ": 1}.items()
    )
    (labels / "mood.jsonl").unlink()
    put(labels / "mood", "cleo.csv", "id,label\n4,sad\n1,angry\n")
    notes = read(labels / "mood").notes
    assert (notes["two people agree"], notes["two people differ"]) == (1, 1)


def test_texts_and_ids_may_name_the_rows_of_different_files(labels):
    lines = [{"text": TEXTS["5"], "label": "sad"}, {"text": "never heard", "label": "sad"}]
    put(labels / "mood", "eve.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
    found = read(labels / "mood")
    of = dict(zip(found.ids, found.labels, strict=True))
    assert "2" not in of  # Ada says happy, Eve sad of the same text
    assert of["5"] == "sad"
    assert found.reasons["text not in the corpus"] == 1


def test_one_file_may_hold_rows_of_several_sources(tmp_path):
    text = rows(("1", "angry"), ("2", "happy")) + rows(("1", "sad"), source="Ada")
    found = read(put(tmp_path, "mood.jsonl", text))
    assert dict(zip(found.ids, found.labels, strict=True)) == {"1": "sad", "2": "happy"}
    assert found.notes["human and model differ"] == 1


def test_a_column_of_that_name_can_still_be_the_label(tmp_path):
    path = put(tmp_path, "source.csv", "id,source\n1,phone\n2,mail\n")
    assert read_labels(label_file(path, "source"), KEYS, 1).labels == ["phone", "mail"]
    path = put(tmp_path, "source.jsonl", rows(("1", "phone"), ("2", "mail")))
    assert read_labels(label_file(path, "source"), KEYS, 1).labels == ["phone", "mail"]


def test_a_file_in_a_folder_that_cannot_be_used_is_an_error_of_its_instruction(labels):
    put(labels / "mood", "notes.md", "x")
    found = label_files(labels)
    assert "notes.md: found a file of format '.md'" in str(found.errors["mood"])
    assert "mood" not in found  # a part of its labels is not taken for all of them


def test_a_changed_file_belongs_to_its_instruction_wherever_it_lies(tmp_path):
    expected = {
        "mood.csv": "mood",
        "mood/ada.csv": "mood",
        "mood/Ada B.csv": "mood",
        "mood/deep/x.csv": None,
        "mood.card.json": None,
        "mood/.ada.csv.swp": None,
        "notes.md": None,
        "full": "full",
        "empty": None,
    }
    (tmp_path / "empty").mkdir()
    put(tmp_path / "full", "ada.csv", "id,label\n")
    assert {name: instruction_of(tmp_path / name, tmp_path) for name in expected} == expected


def test_what_refract_wrote_may_be_written_again_and_nothing_else(tmp_path):
    file, card = tmp_path / "mood.jsonl", tmp_path / "mood.card.json"
    check_place(file, card, "mood")
    for label in ("angry", "happy"):
        write_labels(file, card, {"1": label}, "model", LabelCard())
        check_place(file, card, "mood")
    assert file.read_text() == '{"id": "1", "label": "happy", "source": "model"}\n'
    file.write_text(file.read_text().replace("happy", "sad"))
    with pytest.raises(InputError, match=r"edited since; expected none; move it to .*/mood/"):
        check_place(file, card, "mood")


def test_a_persons_file_is_moved_into_the_folder_before_a_models_is_written(tmp_path):
    put(tmp_path, "mood.csv", "id,label\n")
    with pytest.raises(InputError, match=r"mood.csv: found labels of instruction 'mood'.*move it"):
        check_place(tmp_path / "mood.jsonl", tmp_path / "mood.card.json", "mood")
    (tmp_path / "mood").mkdir()
    (tmp_path / "mood.csv").rename(tmp_path / "mood" / "ada.csv")
    check_place(tmp_path / "mood.jsonl", tmp_path / "mood.card.json", "mood")
