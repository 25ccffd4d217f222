"""Where a label file has ids and texts: which of them says what a row is about."""

import json
import os
import random

import polars as pl
import pytest

from tasks.core.documents.staging import text_hash
from tasks.core.labels import matching
from tasks.core.labels.files import label_file
from tasks.core.labels.matching import CONFLICT, NEITHER, OTHER_TEXT, TWO_IDS
from tasks.core.labels.notes import BY_TEXT, LOOSELY, RESPELLED
from tasks.core.labels.reader import NOTHING, read_labels
from tasks.core.text.same_text import SEVERAL, alike, loosened
from tasks.core.workspace.errors import InputError
from tests.corpora import keys_of

WORDS = ("parcel", "refund", "login", "invoice", "courier", "password", "voucher", "card", "app")
TEXTS = [f"my {WORDS[n % 9]} number {n} is not what i ordered" for n in range(40)]


def corpus(texts, ids=None):
    ids = ids or [str(n + 1) for n in range(len(texts))]
    keys = pl.DataFrame({"id": ids, "text_hash": [text_hash(text) for text in texts]})
    whole = keys.with_columns(text=pl.Series(texts))

    def read(asked):
        yield whole if asked is None else whole.filter(pl.col("id").is_in(list(asked)))

    return keys_of(keys), read


def read(tmp_path, rows, texts=TEXTS, ids=None, minimum=1):
    path = tmp_path / "topic.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    keys, corpus_texts = corpus(texts, ids)
    return read_labels(label_file(path, "topic"), keys, minimum, texts=corpus_texts)


def right(found, texts=TEXTS):
    """Tell whether each label, which ends in the number of its text, is on that text."""
    return all(texts[int(key) - 1] == texts[int(label)] for key, label in found.label_of.items())


def rows_of(numbers, ids):
    return [
        {"id": key, "text": TEXTS[n], "label": str(n)} for key, n in zip(ids, numbers, strict=True)
    ]


def test_ids_of_the_annotation_tool_that_are_ids_of_the_corpus_too_are_overruled_by_texts(tmp_path):
    order = random.Random(1).sample(range(40), 30)
    found = read(tmp_path, rows_of(order, range(1, 31)))
    assert len(found.ids) == 30
    assert right(found)
    moved = sum(n + 1 != at for at, n in enumerate(order, 1))
    assert found.notes[BY_TEXT] == moved
    assert not found.reasons


def test_ids_that_agree_with_their_texts_name_the_rows(tmp_path):
    found = read(tmp_path, rows_of(range(12), range(1, 13)))
    assert found.ids == [str(n) for n in range(1, 13)]
    assert BY_TEXT not in found.notes


def test_the_ids_of_the_tool_need_not_be_in_the_corpus(tmp_path):
    found = read(tmp_path, rows_of(range(12), range(900, 912)))
    assert right(found)
    assert found.notes[BY_TEXT] == 12


def test_a_row_whose_id_and_text_are_of_two_texts_is_rejected_where_the_others_agree(tmp_path):
    numbers = [*range(12), 20, 21]
    found = read(tmp_path, rows_of(numbers, range(1, 15)))
    assert found.ids == [str(n) for n in range(1, 13)]
    assert found.reasons == {CONFLICT: 2}
    assert [each.position for each in found.rejects] == [13, 14]


def test_a_text_that_is_not_in_the_corpus_is_rejected_although_its_id_is(tmp_path):
    rows = [*rows_of(range(12), range(1, 13)), {"id": 13, "text": "never heard", "label": "12"}]
    assert read(tmp_path, rows).reasons == {OTHER_TEXT: 1}


def test_a_row_without_a_text_goes_by_its_id_where_ids_are_the_corpus_s(tmp_path):
    rows = [*rows_of(range(12), range(1, 13)), {"id": 13, "text": None, "label": "12"}]
    assert len(read(tmp_path, rows).ids) == 13
    rows = [*rows_of(range(12, 0, -1), range(20, 32)), {"id": 13, "text": None, "label": "12"}]
    assert read(tmp_path, rows).reasons == {matching.OWN_ID: 1}


@pytest.mark.parametrize(
    ("first", "reason"), [(1, f"12 {OTHER_TEXT}"), (500, f"12 {NEITHER}")], ids=["known", "unknown"]
)
def test_labels_of_another_corpus_are_refused_as_a_whole_with_the_likely_reason(
    tmp_path, first, reason
):
    rows = [{"id": first + n, "text": f"something else {n}", "label": "x"} for n in range(12)]
    with pytest.raises(InputError, match=rf"0 usable of 12 rows \({reason}\).*another corpus"):
        read(tmp_path, rows)


def test_remarks_beside_some_labels_are_no_texts(tmp_path):
    rows = [{"id": n + 1, "label": str(n), "comment": None} for n in range(12)]
    rows[3]["comment"] = "not sure about this one"
    assert len(read(tmp_path, rows).ids) == 12


def test_of_two_columns_of_ids_the_one_that_agrees_with_the_corpus_is_taken(tmp_path):
    rows = [
        {"id": n + 1, "doc_id": str(20 - n), "text": TEXTS[19 - n], "label": str(19 - n)}
        for n in range(12)
    ]
    found = read(tmp_path, rows)
    assert right(found)
    assert BY_TEXT not in found.notes


VERSIONS = [
    ("we  don't\tship, sorry ", "we don't ship, sorry"),
    ("we don't ship,\r\nsorry", "we don't ship,\nsorry"),
    ("we don&#39;t ship, sorry", "we don't ship, sorry"),
    ("R&amp;D &lt;3", "R&D <3"),
    ("R&amp;amp;D is great", "R&D is great"),
    ("cafe\u0301 is closed", "caf\u00e9 is closed"),
    ("a\u00a0b\u200b", "a b"),
    ("'=1+1 is two", "=1+1 is two"),
    ("a\x1b[31m red", "a[31m red"),
]


@pytest.mark.parametrize(("one", "other"), VERSIONS)
def test_what_tools_do_to_a_text_does_not_make_it_another(one, other, tmp_path):
    assert loosened(one) == loosened(other)
    texts = [*TEXTS, other]
    found = read(tmp_path, [{"text": one, "label": "40"}, {"text": TEXTS[1], "label": "1"}], texts)
    assert right(found, texts)
    assert len(found.ids) == 2
    assert found.notes[LOOSELY] == 1


def test_a_text_that_was_cut_off_is_found_where_it_is_the_beginning_of_one_only(tmp_path):
    texts = ["please tell me where my parcel is, it is late", "please tell me where my refund is"]
    rows = [
        {"text": "please tell me where my par…", "label": "0"},
        {"text": "please tell me where my refund is", "label": "1"},
        {"text": "please tell me where...", "label": "0"},
    ]
    found = read(tmp_path, rows, texts)
    assert found.label_of == {"1": "0", "2": "1"}
    assert found.reasons == {SEVERAL: 1}


def test_a_text_that_two_of_the_corpus_could_be_is_refused(tmp_path):
    texts = ["hello there ", "hello  there", "good bye"]
    texts.append("see you")
    rows = [{"text": "good bye", "label": "2"}, {"text": "see you", "label": "3"}]
    found = read(tmp_path, [{"text": "hello there", "label": "0"}, *rows], texts)
    assert found.label_of == {"3": "2", "4": "3"}
    assert found.reasons == {SEVERAL: 1}
    found = read(tmp_path, [{"text": "hello there ", "label": "0"}, *rows], texts)
    assert found.label_of["1"] == "0"  # as it is written it is clear


def test_an_edited_text_still_agrees_with_its_id():
    assert alike("My parcel is late, where is it now?", "my parcel is late; where is it now")
    assert not alike("my parcel is late", "my refund is late")


def test_ids_are_found_in_another_spelling_where_none_is_as_written(tmp_path):
    rows = [{"id": f"{n}.0", "label": str(n % 2)} for n in range(1, 13)]
    found = read(tmp_path, rows)
    assert found.ids == [str(n) for n in range(1, 13)]
    assert found.notes[RESPELLED] == 12
    rows[0]["id"] = "1"
    with pytest.raises(InputError, match="11 id not in the corpus"):
        read(tmp_path, rows, minimum=10)


def test_a_file_with_nothing_in_it_among_others_is_passed_over_and_said(tmp_path):
    folder = tmp_path / "topic"
    folder.mkdir()
    (folder / "a.csv").write_text("id,label\n1,a\n2,b\n")
    (folder / "b.csv").write_text("\ufeff\n")
    keys, texts = corpus(TEXTS)
    found = read_labels(label_file(folder, "topic"), keys, 1, texts=texts)
    assert found.notes[NOTHING] == 1
    (folder / "a.csv").unlink()
    with pytest.raises(InputError, match="found no line"):
        read_labels(label_file(folder, "topic"), keys, 1, texts=texts)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    path = tmp_path / "topic.csv"
    os.mkfifo(path)
    with pytest.raises(InputError, match="found a pipe, socket or device; expected a regular file"):
        read_labels(label_file(path, "topic"), corpus(TEXTS)[0], 1)


def test_rows_in_long_form_are_several_labels_of_their_texts(tmp_path):
    rows = [
        {"id": n + 1, "label": label} for n in range(6) for label in ("a", "b", "c")[: n % 3 + 1]
    ]
    found = read(tmp_path, rows)
    assert found.label_of["3"] == '["a", "b", "c"]'
    assert found.label_of["1"] == "a"
    assert found.notes["row that adds a label to its text"] == 6
    assert not found.reasons


def test_more_than_half_of_the_annotators_decide(tmp_path):
    given = {1: "aab", 2: "ab", 3: "abc", 4: "bbb"}
    rows = [{"id": key, "label": label} for key, labels in given.items() for label in labels]
    found = read(tmp_path, rows)
    assert found.label_of == {"1": "a", "4": "b"}
    assert found.notes["text labelled by a majority"] == 1
    assert found.reasons == {
        "conflicting labels for one id": 5,
        "outvoted by other annotators": 1,
        "repeated row": 3,
    }


def test_annotators_may_each_give_several_labels(tmp_path):
    given = [("ann", "a"), ("ann", "b"), ("bob", "a"), ("cleo", "a"), ("cleo", "b"), ("dan", "a")]
    rows = [{"id": 1, "label": label, "annotator": who} for who, label in given]
    found = read(tmp_path, [*rows, {"id": 2, "label": "c", "annotator": "ann"}])
    assert found.label_of == {"1": "a", "2": "c"}


def test_a_column_of_texts_of_another_name_speaks_against_ids_too(tmp_path):
    order = random.Random(3).sample(range(40), 30)
    rows = [
        {"id": at, "question": TEXTS[n], "round": "2", "label": str(n)}
        for at, n in enumerate(order, 1)
    ]
    assert right(read(tmp_path, rows))


def test_a_name_whose_parts_are_labels_of_others_is_noted(tmp_path):
    labels = ["fee", "money", "fee#money", "late"]
    found = read(tmp_path, [{"id": n + 1, "label": label} for n, label in enumerate(labels)])
    note = "label that may be several, parted by '#' (fit.separator)"
    assert (found.notes[note], found.noted_labels[note]) == (1, ["fee#money"])


def test_two_columns_of_ids_that_name_different_texts_are_refused(tmp_path):
    order = random.Random(1).sample(range(40), 30)
    rows = [{"id": at, "doc_id": n + 1, "label": str(n)} for at, n in enumerate(order, 1)]
    with pytest.raises(InputError, match=f"30 {TWO_IDS}.*take away the column of ids"):
        read(tmp_path, [row for row in rows if row["id"] != row["doc_id"]])
    voted = [row | {"annotator": who} for row in rows for who in "ab"]
    with pytest.raises(InputError, match=TWO_IDS):
        read(tmp_path, voted)
    shown = [row | {"text": TEXTS[row["doc_id"] - 1]} for row in rows]
    assert right(read(tmp_path, shown))


def test_a_second_column_of_ids_that_says_the_same_or_little_is_no_matter(tmp_path):
    rows = [{"id": n + 1, "label": str(n)} for n in range(30)]
    for beside in (lambda n: f"00{n + 1}", lambda n: n % 3 + 1, lambda n: f"u{n}"):
        found = read(tmp_path, [row | {"key": beside(n)} for n, row in enumerate(rows)])
        assert len(found.ids) == 30
        assert right(found)
