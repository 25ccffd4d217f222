"""An ingest of what changed makes what an ingest of everything into a new workspace makes."""

import json
from dataclasses import asdict
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.core.corpus import building, changing, known_sources
from tasks.core.corpus.building import build, noted
from tasks.core.corpus.work import CorpusFiles
from tasks.core.documents.sources import expand
from tasks.core.encoding import evolving
from tasks.core.settings.table_sections import IngestSettings
from tasks.core.store import frames, tables
from tasks.core.workspace.files import content_hash
from tasks.core.workspace.manifest import manifest_of, object_of
from tasks.core.workspace.manifests import IngestStamp

NAMES = ("a.csv", "b.csv", "c.jsonl", "d.txt", "e.txt", "f.csv")


class Desk:
    """A folder of documents, and a corpus of them below `data`."""

    def __init__(self, root: Path, data: str = "data") -> None:
        self.root, self.data = root, root / data
        self.files = CorpusFiles(
            self.data / "corpus.lance", self.data / "sources.parquet", self.data / "rows.jsonl"
        )
        self.before: IngestStamp | None = None
        (root / "raw").mkdir(exist_ok=True)

    def put(self, name: str, content: str | None) -> None:
        path = self.root / "raw" / name
        path.unlink(missing_ok=True)
        if content is not None:
            path.write_text(content, "utf-8", newline="")

    def build(self):
        sources, asked = expand(["raw"], self.root), IngestSettings()
        contents = [content_hash(path) for path in sources]
        report = build(sources, self.root, self.files, asked, contents=contents, before=self.before)
        self.before = IngestStamp(**asdict(report), **noted(self.files, asked))
        return report

    def found(self):
        """Return the rows as a set, and the rejected ones in their order."""
        frame = frames.whole(self.files.table, sorted(tables.columns(self.files.table)))
        rows = set(frame.rows())
        assert len(rows) == len(frame)
        rejects = self.files.rejects
        lines = rejects.read_text("utf-8").splitlines() if rejects.exists() else []
        return frame.schema, rows, list(map(json.loads, lines))


def anew(desk: Desk):
    """Return what all files give in a new workspace."""
    other = fresh(desk.root)
    other.build()
    return other.found()


def fresh(root: Path) -> Desk:
    return Desk(root, f"fresh{len(list(root.iterdir()))}")


def of_rows(name: str, rows) -> str:
    """Return a file of rows (id, text, n), in the format of its name."""
    if name.endswith(".txt"):
        return "".join(text for _, text, _ in rows)
    if name.endswith(".jsonl"):
        objects = ({"id": key, "text": text, "n": n} for key, text, n in rows)
        return "".join(json.dumps(each) + "\n" for each in objects)
    header = "id,text,n" if name == "a.csv" else "id,text,m,"
    return "\n".join([header, *(f"{key},{text},{n}" for key, text, n in rows), ""])


keys = st.sampled_from(["", "1", "2", "3", "4", "x", "y", "z"])
texts = st.sampled_from(["", "one", "two", "three", "four", "five"])
values = st.sampled_from(["1", "2", "", "1", "2.5", "w"])
contents = st.none() | st.lists(st.tuples(keys, texts, values), max_size=6)
edits = st.lists(st.tuples(st.sampled_from(NAMES), contents), min_size=1, max_size=2)
STEADY = [("s1", "steady", "1"), ("s2", "steadier", "2")]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(edits, min_size=1, max_size=4))
def test_edits_of_files_give_what_all_files_give_anew(tmp_path_factory, rounds):
    root = tmp_path_factory.mktemp("edits")
    desk = Desk(root)
    for number in range(3):  # so that a change is of less than half of the rows
        rows = [(f"{key}{number}", f"{text} {number} {n}", n) for key, text, n in STEADY]
        desk.put(f"g{number}.csv", of_rows("a.csv", rows))
    desk.put("a.csv", of_rows("a.csv", [("1", "one", "1"), ("2", "two", "2")]))
    desk.build()
    for round_ in rounds:
        for name, rows in round_:
            desk.put(name, None if rows is None else of_rows(name, rows))
        report, other = desk.build(), fresh(root)
        assert asdict(report) == asdict(other.build())
        assert desk.found() == other.found()


@pytest.fixture
def desk(tmp_path):
    desk = Desk(tmp_path)
    for name in "abcd":
        rows = [(f"{name}{n}", f"text {name} {n}", str(n)) for n in range(10)]
        desk.put(f"{name}.csv", of_rows("a.csv", rows))
    desk.build()
    return desk


@pytest.fixture
def read(monkeypatch):
    """Return the names of the sources that are read, in their order."""
    found = []
    before = changing.Work.read

    def noted_read(work, chosen, log, part):
        found.extend(work.names[at] for at in chosen)
        return before(work, chosen, log, part)

    monkeypatch.setattr(changing.Work, "read", noted_read)
    return found


def edited(name: str, *changes: tuple[str, str, str]) -> str:
    rows = {f"{name}{n}": (f"{name}{n}", f"text {name} {n}", str(n)) for n in range(10)}
    rows |= {change[0]: change for change in changes}
    return of_rows("a.csv", rows.values())


def test_a_changed_file_is_read_alone_and_its_changed_row_is_one_small_commit(desk, read):
    desk.put("b.csv", edited("b", ("b3", "another text", "3")))
    desk.build()
    assert read == ["raw/b.csv"]
    assert tables.version(desk.files.table) == 2
    assert tables.count(desk.files.table) == 40
    now = list((desk.files.table / "data").iterdir())
    assert len(now) == 2
    assert desk.found() == anew(desk)


def test_a_removed_file_takes_its_rows_along_and_nothing_is_read(desk, read):
    desk.put("b.csv", None)
    report = desk.build()
    assert (read, report.kept, report.sources) == ([], 30, 3)


def test_a_file_that_gets_an_id_of_another_has_that_read_too(desk, read):
    desk.put("a.csv", edited("a", ("d4", "an earlier file wins", "1")))
    report = desk.build()
    assert read == ["raw/a.csv", "raw/a.csv", "raw/d.csv"]
    assert report.rejected == {"id repeated with another text": 1}
    read.clear()
    desk.put("a.csv", edited("a"))
    assert desk.build().rejected == {}
    assert read == ["raw/a.csv", "raw/a.csv", "raw/d.csv"]


@pytest.mark.parametrize(
    "content",
    [
        "id,text,n\nb0,text,two\n",
        "id,text,n,more\nb0,text,2,x\n",
    ],
)
def test_columns_and_types_that_change_have_everything_read(desk, read, content):
    desk.put("b.csv", content)
    desk.build()
    whole = ["raw/a.csv", "raw/b.csv", "raw/c.csv", "raw/d.csv"]
    assert read == ["raw/b.csv", *whole]
    assert desk.found() == anew(desk)


@pytest.mark.parametrize("what", ["table", "known", "rejects", "reading"])
def test_what_was_changed_behind_the_note_has_everything_read(desk, read, what, monkeypatch):
    desk.put("b.csv", edited("b", ("b3", "", "3")))
    desk.build()
    read.clear()
    if what == "table":
        evolving.evolve(desk.files.table, [], tables.columns(desk.files.table))
        tables.open_table(desk.files.table).delete("id = 'b1'")
    elif what == "known":
        known = desk.files.known.read_bytes()
        desk.files.known.write_bytes(known[:-1])
    elif what == "rejects":
        desk.files.rejects.unlink()
    else:
        monkeypatch.setattr(building, "REVISION", 0)
    desk.put("c.csv", edited("c", ("c3", "changed", "3")))
    desk.build()
    assert read == ["raw/a.csv", "raw/b.csv", "raw/c.csv", "raw/d.csv"]
    assert desk.found() == anew(desk)


def test_a_long_chain_of_files_that_share_ids_is_read_once_as_a_whole(desk, read):
    for at in range(12):
        rows = [(f"k{at + step}", f"text {at + step}", "1") for step in (0, 1)]
        rows += [(f"own{at}{n}", f"own text {at} {n}", "1") for n in range(5)]
        desk.put(f"e{at:02}.csv", of_rows("a.csv", rows))
    desk.build()
    read.clear()
    desk.put("e00.csv", of_rows("a.csv", [("k0", "text 0", "1"), ("k1", "another", "1")]))
    desk.build()
    assert desk.found() == anew(desk)
    assert len(read) == (1 + 2 + 3 + 4) + 2 * 16


def test_a_note_of_sources_in_another_spelling_or_without_a_sum_has_everything_read(desk, read):
    frame = known_sources.load(desk.files.known)
    others = [frame.drop("shape"), frame.cast({"read": pl.Int64})]
    for column, texts in {
        "reasons": ["x", "[]", '{"a": "b"}', '{"a": -1}', '{"a": 1' + "0" * 30 + "}"],
        "shape": ["x", "[1]", '{"n": 5}'],
        "name": [None, "raw/a.csv"],
        "content": [None],
    }.items():
        others += [frame.with_columns(pl.lit(text, pl.String).alias(column)) for text in texts]
    for other in others:
        other.write_parquet(desk.files.known)
        desk.before = desk.before.changed(known=content_hash(desk.files.known))
        desk.put("b.csv", edited("b", ("b3", f"text {len(read)}", "3")))
        read.clear()
        desk.build()
        assert len(read) == 4
    stamp = object_of(desk.before) | {"digest": "no sum"}
    desk.before = manifest_of(stamp, IngestStamp, "a stamp")
    desk.put("b.csv", edited("b", ("b3", "another", "3")))
    desk.build()
    assert len(read) == 8
    assert desk.found() == anew(desk)


def test_a_note_of_another_order_of_the_sources_has_everything_read(desk, read):
    sources = [*reversed(expand(["raw"], desk.root))]
    contents = [content_hash(path) for path in sources]
    build(sources, desk.root, desk.files, IngestSettings(), contents=contents, before=desk.before)
    assert len(read) == 4


def test_columns_beyond_the_limit_have_everything_read_each_time(tmp_path, read):
    desk = Desk(tmp_path)
    for file in range(3):
        names = ",".join(f"c{file}x{number}" for number in range(150))
        desk.put(f"{file}.csv", f"id,text,{names}\n{file},a{',1' * 150}\n")
    desk.build()
    assert not desk.files.known.exists()
    read.clear()
    desk.put("1.csv", "id,text\n9,z\n")
    assert desk.build().kept == 3
    assert len(read) == 3


def test_the_digest_does_not_know_the_order_of_rows(desk):
    before = desk.build().digest
    rows = [(f"b{n}", f"text b {n}", str(n)) for n in range(10)]
    desk.put("b.csv", of_rows("a.csv", rows[::-1]))
    assert desk.build().digest == before
    assert tables.version(desk.files.table) == 1


def test_killed_between_the_commit_and_its_note_everything_is_read_and_nothing_is_lost(desk, read):
    desk.put("b.csv", edited("b", ("b3", "another text", "3")))
    note = desk.before
    desk.build()
    version = tables.version(desk.files.table)
    desk.before = note  # as a kill leaves it
    read.clear()
    desk.build()
    assert read == ["raw/a.csv", "raw/b.csv", "raw/c.csv", "raw/d.csv"]
    assert tables.version(desk.files.table) == version
    assert desk.found() == anew(desk)


def test_a_column_that_takes_the_name_of_another_leaves_it_its_values(tmp_path):
    desk = Desk(tmp_path)
    many = "".join(f"a{n},text {n},v{n}\n" for n in range(20))
    desk.put("a.csv", f"id,text,a b\n{many}")
    columns = []
    for name in ("a_b", "a-b", "c", "a_b"):
        desk.put("b.csv", f"id,text,{name}\nb,text,w\n")
        columns.append(desk.build().columns)
        assert desk.found() == anew(desk)
    assert columns[0].keys() == columns[1].keys() != columns[2].keys()


def test_a_column_without_a_value_changes_the_digest(desk):
    before = desk.build().digest
    desk.put("b.csv", edited("b").replace("text,n", "text,n,more"))
    assert desk.build().digest != before
