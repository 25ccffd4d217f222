"""Several labels of one text, from a cell to the scores."""

import json
from collections import Counter

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.documents.staging import text_hash
from tasks.core.encoding.base_table import Rows
from tasks.core.evaluation.held_out import TWIN, held_out
from tasks.core.labels.cells import MISSING, tidy, understood
from tasks.core.labels.files import label_file
from tasks.core.labels.multilabel import joined, members, one_each, pairs
from tasks.core.labels.reader import labelled_ids, read_labels
from tasks.core.transforms.training_set import Labelled
from tests.corpora import keys_of

words = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).map(tidy)
own = words.filter(lambda word: word and word not in MISSING and not word.startswith("["))
names = st.sets(own, min_size=1)


@pytest.mark.parametrize(
    ("cell", "labels"),
    [
        (" late ", ("late",)),
        ('["refund", "late", "late"]', ("late", "refund")),
        ('["late"]', ("late",)),
        ("[2, 1.5]", ("1.5", "2")),
        ("[urgent]", ("[urgent]",)),  # no JSON: a name like any other
        ("late|refund", ("late|refund",)),
    ],
)
def test_a_cell_holds_one_label_or_a_json_list_of_them(cell, labels):
    assert understood(cell).labels == labels


NONE = [None, "", "  ", "[]", '["", " "]', '[["late"]]', "nan"]
HALF = r'["\ud800"]'  # half a character, which nothing could write again


@pytest.mark.parametrize("cell", [*NONE, HALF])
def test_a_cell_may_hold_no_label(cell):
    assert understood(cell).labels == ()


def test_a_separator_parts_labels_where_one_is_set():
    assert understood("refund | late|", "|").labels == ("late", "refund")
    assert understood("late", "|").labels == ("late",)


@given(names)
def test_labels_come_back_from_the_string_they_stand_in(labels):
    assert (
        members(joined(labels))
        == understood(json.dumps(list(labels))).labels
        == tuple(sorted(labels))
    )


def test_a_label_file_may_give_a_text_several_labels(tmp_path):
    keys = keys_of(pl.DataFrame({"id": ["1", "2", "3"], "text_hash": ["a", "b", "c"]}))
    rows = [{"id": 1, "labels": ["late", "refund"]}, {"id": 2, "labels": ["late"]}]
    rows += [{"id": 1, "labels": ["refund", "late"]}, {"id": 3, "labels": "late"}]
    file = tmp_path / "reason.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    found = read_labels(label_file(file, "reason"), keys, 1)
    assert pairs(found.label_of) == [("1", "late"), ("1", "refund"), ("2", "late"), ("3", "late")]
    assert found.counts == {"late": 3, "refund": 1}
    assert found.reasons == {"repeated row": 1}  # the order within a list says nothing
    assert found.notes == {"label with a single text": 1, "text with several labels": 1}
    csv = tmp_path / "reason.csv"
    csv.write_text("id,label\n1,late; refund\n2,late\n3,late\n")
    assert read_labels(label_file(csv, "reason"), keys, 1, separator=";").label_of == found.label_of


def test_an_empty_list_is_no_label(tmp_path):
    file = tmp_path / "reason.jsonl"
    file.write_text('{"id": 1, "labels": []}\n{"id": 2, "labels": ["late"]}\n')
    keys = keys_of(pl.DataFrame({"id": ["1", "2"], "text_hash": ["a", "b"]}))
    assert labelled_ids(label_file(file, "reason"), keys) == {"2"}


def several(n: int = 400) -> dict[str, str]:
    random = np.random.default_rng(3)
    return {
        f"t{at}": joined(random.choice(["a", "b", "c"], 1 + at % 2, replace=False).tolist())
        for at in range(n)
    }


def expanded(label_of: dict[str, str]) -> Labelled:
    rows = pairs(label_of)
    found, y = np.unique([label for _, label in rows], return_inverse=True)
    vectors = np.eye(4, dtype=np.float32)[y]
    keys = [key for key, _ in rows]
    hashes = [text_hash(key.partition(" again")[0]) for key in keys]
    return Labelled(Rows(keys, hashes, vectors, None), y, tuple(found), vectors)


def test_no_text_is_on_both_sides_of_a_split():
    train, held = expanded(several()).split(0.3, 1)
    assert not set(train.rows.ids) & set(held.rows.ids)
    assert train.texts + held.texts == 400
    assert held.texts > 60


def test_a_text_is_on_one_side_by_all_its_ids_and_scored_by_the_first():
    twice = several() | {f"{key} again": label for key, label in several().items()}
    train, held = expanded(dict(sorted(twice.items()))).split(0.3, 1)
    assert not set(train.rows.hashes) & set(held.rows.hashes)
    assert set(held.once().rows.ids) == {key.partition(" again")[0] for key in held.rows.ids}


def test_what_is_scored_is_one_label_a_text_the_same_wherever_it_is_asked():
    label_of = several()
    chosen = one_each(label_of)
    once = expanded(label_of).once()
    assert {key: once.names[c] for key, c in zip(once.rows.ids, once.y, strict=True)} == chosen
    assert all(label in members(label_of[key]) for key, label in chosen.items())
    first = Counter(
        chosen[key] == members(label_of[key])[0] for key in label_of if "," in label_of[key]
    )
    assert 70 < first[True] < 130  # of 200: each as likely


def test_an_evaluation_holds_out_the_texts_that_a_fit_holds_out(tmp_path):
    label_of = several()
    hashes = [text_hash(key) for key in label_of]
    keys = keys_of(pl.DataFrame({"id": list(label_of), "text_hash": hashes}))
    file = tmp_path / "aspect.jsonl"
    file.write_text("\n".join(json.dumps({"id": k, "label": v}) for k, v in label_of.items()))
    truth = held_out(read_labels(label_file(file, "aspect"), keys, 1), 0.3, 1)
    assert truth.labels.keys() == set(expanded(label_of).split(0.3, 1)[1].rows.ids)


def test_an_evaluation_scores_a_text_once_as_the_fit_does(tmp_path):
    label_of = several() | {f"{key} again": label for key, label in several().items()}
    hashes = [text_hash(key.partition(" again")[0]) for key in label_of]
    keys = keys_of(pl.DataFrame({"id": list(label_of), "text_hash": hashes}))
    file = tmp_path / "aspect.jsonl"
    file.write_text("\n".join(json.dumps({"id": k, "label": v}) for k, v in label_of.items()))
    truth = held_out(read_labels(label_file(file, "aspect"), keys, 1), 0.3, 1)
    held = expanded(label_of).split(0.3, 1)[1].once()
    assert truth.labels == {k: held.names[c] for k, c in zip(held.rows.ids, held.y, strict=True)}
    assert truth.left_out[TWIN] == len(truth.labels)
