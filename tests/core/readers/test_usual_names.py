"""Which column is the text and which the id."""

import pytest

from tasks.core.readers.columns import detect_columns
from tasks.core.workspace.errors import InputError
from tests.core.readers.written import put, read


def test_columns_without_a_name_or_with_the_same_get_one(tmp_path):
    columns, _ = read(put(tmp_path / "a.csv", ",text,text, note \n0,a,b,c\n"))
    assert list(columns) == ["column_1", "text", "text_2", "note"]


def test_text_and_id_are_detected_whatever_their_case():
    found = detect_columns(["Author", "ID", "Message", "Stars"])
    assert (found.id, found.text, found.metadata) == ("ID", "Message", ("Author", "Stars"))


def test_text_comes_before_other_names_of_it():
    assert detect_columns(["tweet", "body", "text"]).text == "text"


def test_a_configured_column_wins_over_detection():
    found = detect_columns(["id", "text", "code", "summary"], "code", "Summary", ["text"])
    assert (found.id, found.text, found.metadata) == ("code", "summary", ("text",))


def test_without_an_id_column_there_is_none():
    assert detect_columns(["text", "stars"]).id is None


@pytest.mark.parametrize(
    ("header", "options", "message"),
    [
        (["id", "words"], {}, "a.csv: found no text column among 'id', 'words'; .*ingest.text"),
        ([], {}, "among none"),
        (["id", "text"], {"text": "words"}, "expected 'words', which params.yaml: ingest.text"),
        (["id", "text"], {"id": "key"}, "found columns 'id', 'text'; .*ingest.id"),
        (["id", "text"], {"metadata": ["stars"]}, "expected 'stars', .*ingest.metadata"),
        (["id", "text"], {"id": "text", "text": "text"}, "'text' for both id and text"),
    ],
)
def test_columns_that_are_not_there_are_named(header, options, message):
    with pytest.raises(InputError, match=message):
        detect_columns(header, source="a.csv", **options)
