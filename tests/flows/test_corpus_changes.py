"""A change of the documents: what is read, planned, written and kept of it."""

from functools import partial

import pytest

from flows.embed import embed
from flows.fit import fit
from flows.ingest import ingest
from flows.maintain import maintain
from flows.materialise import materialise
from flows.state.label_sources import label_sources
from flows.state.staleness import embed_verdict, ingest_verdict
from flows.state.unwritten import sweep_unfinished
from tasks import embed as embedding
from tasks.core.corpus.work import Work
from tasks.core.encoding import planning
from tasks.core.settings.params import load_params
from tasks.core.settings.write_setting import write_setting
from tasks.core.store import tables
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.manifest import read_manifest
from tasks.core.workspace.manifests import EmbedStamp, IngestStamp
from tasks.core.workspace.paths import Paths
from tests.corpora import corpus_rows
from tests.world import documents, set_params, write_csv

COLUMNS = ["id", "text", "channel", "stars"]


def put(root, number, rows):
    write_csv(root / "data" / "raw" / f"part{number}.csv", rows, COLUMNS)


@pytest.fixture
def apart(made):
    """A workspace whose documents are in six files, after its corpus and vectors were made."""
    (made / "data" / "raw" / "messages.csv").unlink()
    for number in range(6):
        put(made, number, documents()[number * 12 : number * 12 + 12])
    ingest(made)
    embed(made)
    return made


@pytest.fixture
def read(monkeypatch):
    """The sources that are read, in their order."""
    found, before = [], Work.read

    def noted(work, chosen, log, part):
        found.extend(work.names[at] for at in chosen)
        return before(work, chosen, log, part)

    monkeypatch.setattr(Work, "read", noted)
    return found


def changed(number, text):
    rows = documents()[number * 12 : number * 12 + 12]
    return [{**rows[0], "text": text}, *rows[1:]]


def rows_of(table):
    """Return what documents' columns say of each id."""
    names = ["id", "the_way", "the_way_2"]
    return {row["id"]: row for row in tables.open_table(table).to_table(columns=names).to_pylist()}


def told_by_the_table(monkeypatch):
    def compared(*_):
        raise AssertionError("all hashes were compared")

    monkeypatch.setattr(planning, "_compared", compared)


def test_a_few_texts_are_encoded_as_a_query_is_and_more_as_a_table(apart, monkeypatch):
    loaded = []
    for name in ("load_query_encoder", "load_table_encoder"):
        load = getattr(embedding, name)
        noted = partial(lambda load, name, to: loaded.append(name) or load(to), load, name)
        monkeypatch.setattr(embedding, name, noted)
    for few in (2, 1):
        monkeypatch.setattr(embedding, "FEW", few)
        for number in range(2):
            put(apart, number, changed(number, f"parcel {number} is late, by {few} days"))
        ingest(apart)
        assert embed(apart).encoded == 2
    assert loaded == ["load_query_encoder", "load_table_encoder"]


def test_one_changed_row_is_read_planned_and_written_alone(apart, read, monkeypatch):
    told_by_the_table(monkeypatch)
    put(apart, 2, changed(2, "the parcel is late again, and wet"))
    report = embed(apart) if ingest(apart).kept == 72 else None
    assert read == ["data/raw/part2.csv"]
    assert (report.written, report.encoded, report.retired, report.rows) == (1, 1, 0, 72)


def test_rows_that_went_and_came_are_told_by_the_table_over_several_ingests(apart, monkeypatch):
    told_by_the_table(monkeypatch)
    put(apart, 1, changed(1, "first"))
    ingest(apart)
    put(apart, 1, changed(1, "second")[:-2])
    ingest(apart)
    put(apart, 7, [{**documents()[0], "id": "new", "text": "a new text"}])
    ingest(apart)
    report = embed(apart)
    assert (report.written, report.retired, report.rows) == (2, 2, 71)
    there = {(row["id"], row["text"]) for row in corpus_rows(apart).iter_rows(named=True)}
    table = tables.open_table(Paths(apart).base_table).to_table(columns=["id", "text"])
    assert {(row["id"], row["text"]) for row in table.to_pylist()} == there


def test_hashes_are_compared_where_the_earlier_version_is_not_at_hand(apart, monkeypatch):
    paths = Paths(apart)
    stamp = read_manifest(paths.stamp("embed"), EmbedStamp)
    put(apart, 3, changed(3, "another text"))
    ingest(apart)
    made_of = planning.Made(stamp.corpus_version, stamp.corpus_content)
    told = planning.plan(paths.corpus_table, paths.base_table, rebuild=False, made_of=made_of)
    for unknown in (None, planning.Made(99, stamp.corpus_content), planning.Made(1, "x")):
        plan = planning.plan(paths.corpus_table, paths.base_table, rebuild=False, made_of=unknown)
        assert (plan.rows.tolist(), plan.gone) == (told.rows.tolist(), told.gone)
    assert len(told.rows) == 1


def test_a_corpus_in_fewer_pieces_is_the_one_that_was_noted(apart, monkeypatch):
    paths, params = Paths(apart), load_params(Paths(apart).params)
    put(apart, 4, changed(4, "a text in a fragment of its own"))
    ingest(apart)
    embed(apart)
    set_params(apart, maintain={"keep_days": 0, "fragments": 2})
    before = corpus_rows(apart).sort("id")
    reports = {report.name: report for report in maintain(apart)}
    after = reports["corpus"].after
    assert (reports["corpus"].before.fragments, after.fragments, after.versions) == (2, 1, 1)
    assert corpus_rows(apart).sort("id").equals(before)
    noted = read_manifest(paths.stamp("ingest"), IngestStamp)
    assert not ingest_verdict(paths, noted.fingerprint).stale
    assert not embed_verdict(paths, params).stale
    told_by_the_table(monkeypatch)
    put(apart, 4, changed(4, "and changed again"))
    ingest(apart)
    assert embed(apart).written == 1


def test_a_few_versions_of_the_corpus_stay_at_hand(apart, monkeypatch):
    monkeypatch.setattr("tasks.core.corpus.building.VERSIONS", 3)
    for number in range(5):
        put(apart, 5, changed(5, f"text {number}"))
        ingest(apart)
    table = Paths(apart).corpus_table
    assert len(tables.open_table(table).versions()) == 3
    assert len(list((table / "data").iterdir())) <= 4


def test_a_corpus_of_an_earlier_version_asks_for_a_run_and_its_columns_for_nothing_else(apart):
    paths = Paths(apart)
    corpus_rows(apart).write_parquet(paths.earlier_corpus)
    paths.corpus_table.rename(apart / "aside.lance")
    write_setting(paths.params, ("instructions", "way", "column"), "channel")
    noted = read_manifest(paths.stamp("ingest"), IngestStamp)
    assert ingest_verdict(paths, noted.fingerprint).reason == (
        "the corpus is a file, as earlier versions kept it"
    )
    assert "run 'refract run'" in str(label_sources(paths).errors["way"])
    ingest(apart)
    assert not paths.earlier_corpus.exists()
    assert not embed_verdict(paths, load_params(paths.params)).stale
    assert label_sources(paths).keys() == {"mood", "topic", "way"}
    assert not label_sources(paths).errors


def test_vectors_are_not_made_of_a_corpus_whose_ingest_was_stopped(apart, monkeypatch):
    def stopped(*_):
        raise KeyboardInterrupt

    put(apart, 2, changed(2, "soon gone again"))
    with monkeypatch.context() as patched:
        patched.setattr("flows.ingest.write_manifest", stopped)
        with pytest.raises(KeyboardInterrupt):
            ingest(apart)
    with pytest.raises(InputError, match="run 'refract ingest'"):
        embed(apart)
    put(apart, 2, documents()[24:36])
    ingest(apart)
    assert not embed_verdict(Paths(apart), load_params(Paths(apart).params)).stale
    there = corpus_rows(apart).select("id", "text").sort("id")
    table = tables.open_table(Paths(apart).base_table).to_table(columns=["id", "text"])
    assert table.sort_by("id").to_pylist() == there.to_dicts()


def test_a_column_that_was_given_up_and_taken_back_has_its_values_after_a_kill(apart, monkeypatch):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    paths = Paths(apart)
    set_params(apart, ingest={"metadata": []})
    ingest(apart)
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr("tasks.core.encoding.planning.plan", stopped)
        embed(apart)
    assert "channel" not in tables.columns(paths.base_table)
    set_params(apart, ingest={"metadata": None})
    ingest(apart)
    assert embed(apart).encoded == 0
    names = ["id", "channel", "stars"]
    base = tables.open_table(paths.base_table).to_table(columns=names).sort_by("id")
    assert base.to_pylist() == corpus_rows(apart).select(names).sort("id").to_dicts()


def files_of(root):
    return {path for path in Paths(root).corpus.rglob("*") if path.is_file()}


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_what_a_stopped_ingest_has_written_is_not_recorded(apart, monkeypatch, how):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    before = files_of(apart)
    put(apart, 2, changed(2, "soon gone again"))
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr("tasks.core.store.tables.commit_rows", stopped)
        if how == "killed":
            patched.setattr("tasks.core.store.orphans.sweep", stopped)
            patched.setattr("tasks.core.corpus.building.shutil.rmtree", lambda *_, **__: None)
        ingest(apart)
    assert (files_of(apart) == before) == (how == "stopped")
    put(apart, 2, documents()[24:36])
    sweep_unfinished(Paths(apart))
    assert files_of(apart) == before


def test_values_stay_with_the_column_they_came_in_where_its_name_goes_to_another(apart):
    def put_as(number, name, rows):
        file = apart / "data" / "raw" / f"part{number}.csv"
        write_csv(file, [{**row, name: row["channel"]} for row in rows], ["id", "text", name])

    for number in range(6):
        put_as(number, "the way", documents()[number * 12 : number * 12 + 12])
    ingest(apart)
    embed(apart)
    fit(apart)
    materialise(apart)
    for name in ("the_way", "the-way"):
        put_as(6, name, [{"id": "new", "text": "a new text", "channel": "by boat"}])
        ingest(apart)
        assert embed(apart).encoded <= 1
        materialise(apart)
        true = rows_of(Paths(apart).corpus_table)
        assert rows_of(Paths(apart).base_table) == true
        assert rows_of(Paths(apart).view_table("mood")) == true
        assert (
            len({(row["the_way"] is None, row["the_way_2"] is None) for row in true.values()}) == 2
        )
