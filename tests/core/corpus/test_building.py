import csv
import hashlib
import json
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.core.corpus.building import CorpusReport, build, noted
from tasks.core.corpus.table_columns import TableColumns
from tasks.core.corpus.work import CorpusFiles
from tasks.core.documents import staging
from tasks.core.documents.deduplication import NEW, OTHER_TEXT, REPEATED, SeenRows
from tasks.core.documents.metadata import sql_names
from tasks.core.documents.sources import expand
from tasks.core.settings.table_sections import IngestSettings
from tasks.core.store import frames, layout, tables
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import content_hash
from tasks.core.workspace.manifests import IngestStamp


class Workspace:
    """A root with raw files, and the corpus made from them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.out = root / "data" / "corpus" / "corpus.lance"
        self.rejects = root / "data" / "quarantine" / "ingest.jsonl"
        self.files = CorpusFiles(self.out, self.out.with_name("sources.parquet"), self.rejects)
        self.before: IngestStamp | None = None
        (root / "raw").mkdir(exist_ok=True)

    def put(self, name: str, content: str) -> None:
        (self.root / "raw" / name).write_text(content, "utf-8", newline="")

    def build(self, *sources: str, batch_rows: int = 1_000, **ingest: object) -> CorpusReport:
        found, asked = expand(sources or ["raw"], self.root), IngestSettings(**ingest)
        report = build(
            found,
            self.root,
            self.files,
            asked,
            contents=[content_hash(path) for path in found],
            before=self.before,
            batch_rows=batch_rows,
        )
        self.before = IngestStamp(**asdict(report), **noted(self.files, asked))
        return report

    @property
    def frame(self) -> pl.DataFrame:
        return frames.whole(self.out, list(tables.columns(self.out)))

    @property
    def rows(self) -> set[tuple[object, ...]]:
        columns = sorted(self.frame.columns)
        rows = self.frame.select(columns).rows()
        assert len(set(rows)) == len(rows)
        return set(rows)

    @property
    def rejected(self) -> list[tuple[str, int, str]]:
        lines = map(json.loads, self.rejects.read_text("utf-8").splitlines())
        return [(line["source"], line["position"], line["reason"]) for line in lines]


@pytest.fixture
def desk(tmp_path):
    return Workspace(tmp_path)


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


def test_metadata_gets_the_type_that_all_its_values_have(desk):
    desk.put(
        "a.csv",
        "text,n,x,ok,code,none,mixed,big\na,1,1,true,007,,1,1234567890123456789\n"
        "b,-20,-2.5e3,False,8,,x,1\nc,,,,,,,\n",
    )
    report = desk.build()
    assert report.columns == {
        "n": "integer",
        "x": "number",
        "ok": "boolean",
        "code": "string",
        "none": "string",
        "mixed": "string",
        "big": "string",
    }
    assert desk.frame["n"].to_list() == [1, -20, None]
    assert desk.frame["x"].to_list() == [1.0, -2500.0, None]
    assert desk.frame["ok"].to_list() == [True, False, None]
    assert desk.frame["code"].to_list() == ["007", "8", None]
    assert desk.frame["none"].to_list() == [None] * 3


def test_sources_with_other_columns_are_united(desk):
    desk.put("a.csv", "text,n\na,1\n")
    desk.put("b.jsonl", '{"body": "b", "n": 2.5, "tags": ["x"], "ok": true}\n')
    desk.put("c.txt", "c")
    report = desk.build()
    assert report.columns == {"n": "number", "tags": "string", "ok": "boolean"}
    assert desk.frame.select("text", "n", "tags", "ok").rows() == [
        ("a", 1.0, None, None),
        ("b", 2.5, '["x"]', True),
        ("c", None, None, None),
    ]


def test_only_the_configured_metadata_is_kept(desk):
    desk.put("a.csv", "id,text,n,topic\n1,a,1,x\n")
    assert desk.build(metadata=["topic"]).columns == {"topic": "string"}
    assert desk.build(metadata=[]).columns == {}


def test_configured_columns_are_used(desk):
    desk.put("a.csv", "id,text,code,words\n1,a,A1,hello\n")
    desk.build(id="code", text="words")
    assert desk.frame.select("id", "text").rows() == [("A1", "hello")]


def test_names_that_sql_cannot_say_or_that_are_taken_are_changed_and_reported(desk):
    desk.put("a.csv", "text,Order No.,score,_x,Vector,2nd,Order_No,größe,!\na,1,2,3,4,5,6,7,8\n")
    report = desk.build()
    assert report.renamed == {
        "Order No.": "Order_No_2",
        "score": "meta_score",
        "_x": "meta__x",
        "Vector": "meta_Vector",
        "2nd": "meta_2nd",
        "größe": "gro_e",
        "!": "column",
    }
    assert desk.frame["Order_No"].to_list() == [6]
    assert desk.frame["Order_No_2"].to_list() == [1]


@given(st.lists(st.text(max_size=8), max_size=12, unique=True))
def test_given_names_are_distinct_plain_identifiers(names):
    given_names = list(sql_names(names).values())
    assert len({name.lower() for name in given_names}) == len(names)
    assert all(name.isascii() and name.isidentifier() for name in given_names)
    assert sql_names(given_names) == {name: name for name in given_names}


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


def test_no_usable_row_is_an_error_and_the_old_corpus_stays(desk):
    desk.put("a.csv", "id,text\n1,a\n2\n")
    desk.build()
    before = layout.state(desk.out), desk.rejects.read_bytes()
    desk.put("a.csv", "id,text\n1,\n2\n")
    with pytest.raises(InputError, match=r"no usable row among 2 in 1 file.*1 empty text\).*check"):
        desk.build()
    assert (layout.state(desk.out), desk.rejects.read_bytes()) == before
    assert sorted(desk.out.parent.iterdir()) == [desk.out, desk.files.known]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("id,words\n1,a\n", r"a.csv: found no text column among 'id', 'words'"),
        ("id,words\n", r"a.csv: found no text column"),
        ("id,text\n", r"no usable row among 0 in 1 file"),
    ],
)
def test_a_file_without_texts_is_refused_and_nothing_is_written(desk, content, message):
    desk.put("a.csv", content)
    with pytest.raises(InputError, match=message):
        desk.build()
    assert not desk.out.exists()
    assert not desk.rejects.exists()


def test_a_broken_file_leaves_the_old_corpus(desk):
    desk.put("a.csv", "id,text\n1,a\n")
    desk.build()
    before = layout.state(desk.out)
    desk.put("b.parquet", "PAR1 but no more")
    with pytest.raises(InputError, match=r"b.parquet: not readable"):
        desk.build()
    assert layout.state(desk.out) == before


KILLED = """
import os, signal, sys
from pathlib import Path
from tasks.core.corpus import building, difference, known_sources, work
from tasks.core.settings.table_sections import IngestSettings

def die(*_, **__): os.kill(os.getpid(), signal.SIGKILL)

work.GROUP_ROWS = 10
setattr(*eval(sys.argv[2]), die)
root = Path(sys.argv[1])
files = work.CorpusFiles(root / "data/corpus/corpus.lance", root / "data/corpus/sources.parquet",
                         root / "data/quarantine/ingest.jsonl")
building.build([root / "raw/a.csv"], root, files, IngestSettings(), contents=["x"], batch_rows=5)
"""


@pytest.mark.parametrize(
    "where", ["(difference, 'commit')", "(difference.stable_rows, 'replace_all')"]
)
def test_killed_halfway_the_old_corpus_stays_and_the_next_run_is_as_if_nothing_was(desk, where):
    desk.put("a.csv", "id,text\n1,old\n")
    desk.build()
    before = layout.state(desk.out)
    desk.put("a.csv", "id,text\n" + "".join(f"{n},text {n}\n" for n in range(100)) + "100,\n")
    command = [sys.executable, "-c", KILLED, str(desk.root), where]
    died = subprocess.run(command, cwd=Path(__file__).parents[2])
    assert died.returncode == -signal.SIGKILL
    assert layout.state(desk.out) == before
    assert desk.build().kept == 100
    assert sorted(desk.out.parent.iterdir()) == [desk.out, desk.files.known]
    assert list(desk.rejects.parent.iterdir()) == [desk.rejects]


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


def test_a_file_that_stands_alone_is_refused_for_what_others_are_passed_over_for(desk):
    desk.put("empty.csv", "")
    with pytest.raises(InputError, match="found no line"):
        desk.build()


def test_folders_of_partitions_become_columns_unless_the_file_has_them(desk):
    for lang in ("de", "en"):
        (desk.root / "raw" / f"lang={lang}" / "year=2024").mkdir(parents=True)
    desk.put("lang=de/year=2024/a.csv", "id,text\n1,hallo\n")
    desk.put("lang=en/year=2024/a.csv", "id,text,lang\n2,hello,own\n")
    report = desk.build()
    assert report.columns == {"lang": "string", "year": "integer"}
    assert desk.frame.select("lang", "year").rows() == [("de", 2024), ("own", 2024)]
    assert desk.build(metadata=["lang"]).columns == {"lang": "string"}


def test_files_of_many_columns_share_one_limit(desk):
    for file in range(3):
        names = ",".join(f"c{file}x{number}" for number in range(150))
        desk.put(f"{file}.csv", f"id,text,{names}\n{file},a{',1' * 150}\n")
    report = desk.build()
    assert (report.kept, len(report.columns)) == (3, 256)
    assert report.remarks[0].startswith("450 columns: the first 256 are read")


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
