"""A column of the documents as a label file."""

from dataclasses import replace

import polars as pl
import pytest

from tasks.core.documents.staging import text_hash
from tasks.core.labels.corpus_column import column_part, content, with_column
from tasks.core.labels.files import OwnColumns, label_file
from tasks.core.labels.reader import read_labels
from tasks.core.store import frames, tables
from tasks.core.workspace.errors import InputError
from tests.corpora import keys_of, write_corpus_table

KEPT = {"Category": "string", "stars": "integer", "meta_label": "string"}
TEXTS = [f"text number {n}" for n in range(5)]
FRAME = pl.DataFrame(
    {"id": [f"m{n}" for n in range(5)], "text_hash": [text_hash(text) for text in TEXTS]}
)

KEYS = keys_of(FRAME)


@pytest.fixture
def corpus(tmp_path):
    columns = {
        "id": [f"m{n}" for n in range(5)],
        "text": TEXTS,
        "Category": ["fee", None, "late", "fee", " "],
        "stars": [1, 2, None, 2, 1],
        "meta_label": ["a"] * 5,
    }
    return write_corpus_table(tmp_path / "corpus.lance", pl.DataFrame(columns))


def rows(corpus):
    return frames.whole(corpus, list(tables.columns(corpus)))


def part(corpus, column):
    return column_part(corpus, column, KEPT, {"label": "meta_label"})


def read(file, minimum=1):
    return read_labels(file, KEYS, minimum)


def test_rows_without_a_value_are_not_labelled_and_not_rejected(corpus):
    found = read(with_column(None, part(corpus, "Category"), "topic"))
    assert found.label_of == {"m0": "fee", "m2": "late", "m3": "fee"}
    assert (found.read, found.reasons) == (3, {})


def test_numbers_are_labels_as_they_are_written(corpus):
    assert read(with_column(None, part(corpus, "stars"), "topic")).counts == {"1": 2, "2": 2}


@pytest.mark.parametrize(("asked", "own"), [("category", "Category"), ("label", "meta_label")])
def test_a_column_is_found_whatever_its_case_and_by_its_name_in_the_documents(corpus, asked, own):
    assert part(corpus, asked).column == own


def test_of_columns_that_differ_in_capitals_alone_one_has_to_be_named(corpus):
    kept = KEPT | {"category": "string"}
    assert column_part(corpus, "category", kept, {}).column == "category"
    with pytest.raises(InputError, match=r"found 2 columns that 'CATEGORY' may be; .* capitals"):
        column_part(corpus, "CATEGORY", kept, {})


def test_a_column_that_is_not_there_is_refused_with_those_that_are(corpus):
    message = (
        r"params.yaml: found no column 'Mood' in the corpus; expected one of 'Category', 'stars',"
        r" 'meta_label', 'label'; correct the instruction's column, or keep it by ingest.metadata"
    )
    with pytest.raises(InputError, match=message):
        part(corpus, "Mood")


def test_a_corpus_that_is_not_the_one_that_was_noted_is_refused(corpus):
    column = part(corpus, "Category")
    write_corpus_table(corpus, rows(corpus).drop("Category"))
    with pytest.raises(InputError, match=r"no column 'Category', which it had; .*'refract ingest'"):
        content(column)


def test_messages_name_the_column(corpus):
    column = with_column(None, part(corpus, "Category"), "topic")
    with pytest.raises(InputError, match=r"column 'Category' of the documents: found 3 usable of"):
        read(column, 10)


def test_the_content_is_the_same_for_the_same_labels_in_another_order(corpus):
    before = content(part(corpus, "Category"))
    assert before == b"id,label\nm0,fee\nm2,late\nm3,fee\n"
    write_corpus_table(corpus, rows(corpus).reverse())
    assert content(part(corpus, "Category")) == before


def test_a_column_and_files_of_one_name_count_together(corpus, tmp_path):
    path = tmp_path / "topic.csv"
    path.write_text("id,label\nm1,late\nm0,late\n")
    both = with_column(label_file(path, "topic"), part(corpus, "Category"), "topic")
    found = read(both)
    assert found.label_of == {"m1": "late", "m2": "late", "m3": "fee"}
    assert found.notes["two people differ"] == 1


def test_ids_and_texts_may_be_called_as_in_the_documents(tmp_path):
    path = tmp_path / "topic.csv"
    path.write_text("Complaint ID,Complaint,label\nm0,text number 0,fee\nx,text number 1,late\n")
    plain = label_file(path, "topic")
    with pytest.raises(InputError, match="found columns 'Complaint ID', 'Complaint', 'label'"):
        read(plain)
    own = replace(plain, own=OwnColumns("complaint id", "Complaint"))
    assert read(own).label_of == {"m0": "fee", "m1": "late"}


def test_text_and_label_are_enough(tmp_path):
    path = tmp_path / "topic.csv"
    path.write_text("text,label\ntext number 0,fee\ntext number 3,late\n")
    assert read(label_file(path, "topic")).label_of == {"m0": "fee", "m3": "late"}
