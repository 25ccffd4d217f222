"""Which posted rows are taken: about texts of the corpus, with labels as files hold them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.labels.files import label_file
from tasks.core.labels.inbox.checking import MOST, PostedRow, canonical, checked
from tasks.core.labels.reader import standing_labels
from tasks.core.workspace.errors import InputError
from tests.core.labels.test_labels import KEYS, put


def by_id(key, label):
    return PostedRow(key, None, label)


def by_text(text, label):
    return PostedRow(None, text, label)


def test_a_text_that_stands_under_several_ids_is_labelled_under_all(tmp_path):
    rows = [by_id(" 1 ", "sad"), by_text("thank you so much", "glad"), by_id("3", None)]
    assert checked(rows, KEYS, None) == [("1", "sad"), ("2", "glad"), ("5", "glad"), ("3", None)]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (by_id("99", "sad"), "found 1 ids that are not in the corpus, such as '99'"),
        (by_id("\ud800", "sad"), "found 1 ids that are not in the corpus"),
        (by_id("", "sad"), "found 1 ids that are not in the corpus, such as ''"),
        (by_id("' OR 1=1 --", "sad"), "found 1 ids that are not in the corpus"),
        (by_text("nowhere", "sad"), "found 1 texts that are not in the corpus, such as 'nowhere'"),
        (by_text("\udfff", "sad"), "found 1 texts that are not in the corpus"),
        (PostedRow("1", "my parcel is late", "sad"), "row 2: found both of id and text"),
        (PostedRow(None, None, "sad"), "row 2: found neither of id and text"),
        (by_id("1", "  "), "row 2: found label '  '; expected a name"),
        (by_id("1", "\u200b"), "row 2: found label"),
        (by_id("1", "\ud800"), "row 2: found label"),
        (by_id("1", "NA"), "row 2: found label 'NA'"),
        (by_id("1", "#N/A"), "row 2: found label"),
        (by_id("1", "[0, 1]"), "row 2: found label"),
        (by_id("1", '{"fee": 0.9, "late": 0.1}'), "row 2: found label"),
        (by_id("1", "x" * 1001), "row 2: found label"),
    ],
)
def test_a_row_that_cannot_be_taken_is_named_and_none_is(row, message):
    with pytest.raises(InputError, match=message.replace("[", r"\[")):
        checked([by_id("2", "glad"), row], KEYS, None)


@pytest.mark.parametrize("n", [0, MOST + 1])
def test_a_request_has_some_rows_and_not_too_many(n):
    with pytest.raises(InputError, match="expected 1 to 10,000"):
        checked([by_id("1", "sad")] * n, KEYS, None)


@pytest.mark.parametrize(
    ("said", "separator", "made"),
    [
        ("  late   fee ", None, "late fee"),
        ("e\u0301te\u0301", None, "été"),
        ("a#b", None, "a#b"),
        ("b#a", "#", '["a", "b"]'),
        ('["b", "a"]', None, '["a", "b"]'),
        ('["a"]', None, "a"),
        ("[urgent]", None, "[urgent]"),
    ],
)
def test_a_label_is_kept_as_a_file_would_be_read(said, separator, made):
    assert canonical(said, separator) == made


@given(st.lists(st.text(min_size=1, max_size=30), min_size=1, max_size=4, unique=True))
def test_a_label_that_is_taken_is_read_from_the_file_as_the_same(tmp_path_factory, names):
    folder = tmp_path_factory.mktemp("labels")
    taken = [made for name in names if (made := canonical(name, None)) is not None]
    rows = zip("1234", taken, strict=False)
    lines = [json.dumps({"id": key, "label": label, "source": "explore"}) for key, label in rows]
    if lines:
        file = label_file(put(folder, "mood.jsonl", "\n".join(lines)), "mood")
        assert list(standing_labels(file, KEYS).values()) == taken
