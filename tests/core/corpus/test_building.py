import csv
import hashlib
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.core.corpus.table_columns import TableColumns
from tasks.core.documents import staging
from tasks.core.documents.deduplication import NEW, OTHER_TEXT, REPEATED, SeenRows
from tasks.core.store import tables


def blake(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def test_a_corpus_has_id_text_hashes_source_and_metadata(desk):
    desk.put("a.csv", "id,text,stars\n 7 , Where is my parcel? ,5\n8,It broke,2\n")
    report = desk.build()
    assert desk.frame.columns == ["id", "text", "text_hash", "row_hash", "source", "stars"]
    assert desk.frame["id"].to_list() == ["7", "8"]
    assert desk.frame["text"].to_list() == [" Where is my parcel? ", "It broke"]
    assert desk.frame["text_hash"].to_list() == list(map(blake, desk.frame["text"]))
    assert desk.frame["source"].to_list() == ["raw/a.csv"] * 2
    assert desk.frame["stars"].to_list() == [5, 2]
    assert (report.sources, report.read, report.kept) == (1, 2, 2)
    assert report.columns == {"stars": "integer"}
    assert not desk.rejects.exists()


def test_without_an_id_column_the_id_is_the_hash_of_the_text(desk):
    desk.put("a.txt", "one document\n")
    desk.put("b.md", "# another\n")
    desk.build()
    assert desk.frame["id"].to_list() == desk.frame["text_hash"].to_list()
    assert desk.frame["source"].to_list() == ["raw/a.txt", "raw/b.md"]


def test_a_file_outside_the_root_keeps_its_whole_path(desk, tmp_path_factory):
    other = tmp_path_factory.mktemp("other") / "a.csv"
    other.write_text("text\nhello\n")
    desk.build(str(other))
    assert desk.frame["source"].to_list() == [other.as_posix()]


def test_a_source_is_relative_to_the_root_however_both_are_written(desk, monkeypatch):
    desk.put("a.csv", "text\nhello\n")
    desk.build(str(desk.root / "raw"))
    absolute = desk.frame
    monkeypatch.chdir(desk.root)
    desk.root = Path()
    desk.build(str(Path("raw").absolute()))
    assert desk.frame.equals(absolute)
    assert absolute["source"].to_list() == ["raw/a.csv"]


def test_equal_input_gives_equal_rows_and_no_new_version_whatever_the_batches(desk):
    desk.put("a.csv", "id,text,n\n" + "".join(f"{n},text {n % 40},{n}\n" for n in range(60)))
    desk.put("b.jsonl", "".join(f'{{"key": {n}, "body": "other {n}"}}\n' for n in range(9)))
    first = desk.build()
    whole, rejects = desk.frame, desk.rejects.exists()
    for size in (1, 7, 50_000):
        desk.before = None
        assert desk.build(batch_rows=size) == first
        assert desk.frame.equals(whole)
        assert tables.version(desk.out) == 1
        assert desk.rejects.exists() == rejects


def test_unusable_rows_are_counted_and_listed_and_the_rest_passes(desk):
    desk.put("a.csv", "id,text\n1,good\n2,\n3,  \n ,no id\n4\n5,fine\n")
    desk.put("b.jsonl", '{"id": 6, "text": null}\n{"id": 7}\n{"id":\n{"id": 8, "text": "ok"}\n')
    report = desk.build()
    assert desk.frame["id"].to_list() == ["1", "5", "8"]
    assert report.rejected == {
        "empty id": 1,
        "empty text": 4,
        "malformed JSON": 1,
        "too few columns": 1,
    }
    assert report.read == report.kept + sum(report.rejected.values())
    assert set(desk.rejected) == {
        ("raw/a.csv", 3, "empty text"),
        ("raw/a.csv", 4, "empty text"),
        ("raw/a.csv", 5, "empty id"),
        ("raw/a.csv", 6, "too few columns"),
        ("raw/b.jsonl", 1, "empty text"),
        ("raw/b.jsonl", 2, "empty text"),
        ("raw/b.jsonl", 3, "malformed JSON"),
    }


@pytest.mark.parametrize("size", [1, 2, 50])
def test_of_rows_with_one_id_the_first_is_kept(desk, size):
    desk.put("a.csv", "id,text\n1,red\n2,blue\n1,red\n1,green\n1,red\n")
    desk.put("b.csv", "id,text\n2,blue\n2,yellow\n3,red\n")
    report = desk.build(batch_rows=size)
    assert desk.frame.select("id", "text").rows() == [("1", "red"), ("2", "blue"), ("3", "red")]
    assert report.rejected == {"id repeated with another text": 2, "repeated row": 3}
    assert report.notes == {"text repeated under another id": 1}
    assert sorted(desk.rejected) == [
        ("raw/a.csv", 4, "repeated row"),
        ("raw/a.csv", 5, "id repeated with another text"),
        ("raw/a.csv", 6, "repeated row"),
        ("raw/b.csv", 2, "repeated row"),
        ("raw/b.csv", 3, "id repeated with another text"),
    ]


def test_without_ids_a_repeated_text_is_a_repeated_row(desk):
    desk.put("a.csv", "text\nred\nred\nblue\n")
    report = desk.build()
    assert report.rejected == {"repeated row": 1}
    assert not report.notes


def test_the_row_hash_depends_on_every_field_and_on_nothing_else(desk):
    def hashes(content: str, name: str = "a.csv") -> list[str]:
        for path in (desk.root / "raw").iterdir():
            path.unlink()
        desk.put(name, content)
        desk.build()
        return desk.frame["row_hash"].to_list()

    base = hashes("id,text,n,m\n1,a,1,\n")
    assert hashes("id,text,m,n\n1,a,,1\n") == base
    assert hashes("id,text,n,m,new\n1,a,1,,\n") == base
    assert hashes("id,text,n,m\n1,a,1,\n2,b,x,y\n")[0] == base[0]
    others = [
        hashes("id,text,n,m\n2,a,1,\n"),
        hashes("id,text,n,m\n1,b,1,\n"),
        hashes("id,text,n,m\n1,a,2,\n"),
        hashes("id,text,n,m\n1,a,,1\n"),
        hashes("id,text,n,m\n1,a,1,\n", "b.csv"),
    ]
    assert len({tuple(each) for each in [base, *others]}) == 6


def test_the_digest_is_the_sum_of_the_row_hashes_and_that_of_the_columns(desk):
    desk.put("a.csv", "id,text\n1,a\n2,b\n")
    digest = desk.build().digest
    numbers = [int.from_bytes(bytes.fromhex(each), "little") for each in desk.frame["row_hash"]]
    assert digest == f"{(sum(numbers) + TableColumns({}, {}).digest) % 2**128:032x}"
    desk.put("a.csv", "id,text\n2,b\n1,c\n")
    assert desk.build().digest != digest


small = st.integers(0, 6)


@given(st.lists(st.lists(st.tuples(small, small), max_size=8), max_size=12))
def test_seen_rows_judge_as_a_dictionary_would(calls):
    seen, first = SeenRows(), {}
    for call in calls:
        expected = []
        for key, text in call:
            if key not in first:
                first[key] = text
                expected.append(NEW)
            else:
                expected.append(REPEATED if first[key] == text else OTHER_TEXT)
        pairs = np.array(call, dtype=np.uint64).reshape(-1, 2)
        assert seen.judge(pairs[:, 0], pairs[:, 1]).tolist() == expected
    assert seen.repeated_texts() == len(first) - len(set(first.values()))
    assert sorted(seen.ids().tolist()) == sorted(first)


words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(st.tuples(words, words, words), max_size=10), st.integers(1, 12))
def test_every_row_is_kept_or_rejected_and_kept_texts_are_verbatim(desk, table, size):
    with (desk.root / "raw" / "a.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("id", "text", "note"), ("first", "kept", "x"), *table])
    report = desk.build(batch_rows=size)
    assert report.read == len(table) + 1 == report.kept + sum(report.rejected.values())
    assert desk.frame["id"].is_unique().all()
    given_texts = [text for _, text, _ in table]
    assert all(text in given_texts for text in desk.frame["text"][1:])


def test_long_texts_are_staged_before_a_row_group_is_full(desk, monkeypatch):
    sizes, write_part = [], staging.Intake._write_part
    monkeypatch.setattr(staging, "BATCH_LIMIT", 1_000)

    def counted(intake, frame):
        sizes.append(len(frame))
        write_part(intake, frame)

    monkeypatch.setattr(staging.Intake, "_write_part", counted)
    desk.put("a.csv", "text\n" + "".join(f"{n} {'x' * 300}\n" for n in range(20)))
    assert desk.build(batch_rows=1).kept == 20
    assert sizes == [4] * 5


def test_stray_and_empty_files_cost_nothing_but_a_remark(desk):
    desk.put("a.csv", "id,text,\n1,a,\n2,b,\n")
    desk.put("empty.csv", "")
    desk.put("headed.csv", "id,text\n")
    desk.put("zero.parquet", "")
    desk.put("dataset_info.json", '{"features": {"text": "string"}}')
    report = desk.build()
    assert (report.read, report.kept, report.rejected, report.columns) == (2, 2, {}, {})
    assert report.remarks == [
        "raw/dataset_info.json: passed over, no text column",
        "raw/empty.csv: passed over, empty",
        "raw/headed.csv: passed over, no rows",
        "raw/zero.parquet: passed over, empty",
    ]


def test_what_a_reader_decided_is_in_the_report(desk):
    desk.put("a.tsv", 'id\ttext\n1\t" a\n2\tb\n3\tc"')
    report = desk.build()
    assert report.kept == 3
    assert report.remarks[0].startswith("raw/a.tsv: quotes are read as text")


def test_ids_are_compared_as_they_are_written(desk):
    desk.put("a.csv", "id,text\n1,a\n1.0,b\n001,c\n")
    frame = pl.DataFrame({"id": [4.0, None, 1.0], "text": ["d", "e", "a"]})
    frame.write_parquet(desk.root / "raw" / "b.parquet")
    report = desk.build()
    assert report.rejected == {"empty id": 1, "repeated row": 1}
    assert desk.frame["id"].to_list() == ["1", "1.0", "001", "4"]
