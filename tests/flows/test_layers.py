"""The pipeline on an encoder whose layers are kept."""

import shutil

import numpy as np
import polars as pl
import pytest

from flows import Workspace
from flows.cli.show import reports, status_table
from flows.embed import embed
from flows.ingest import ingest
from flows.run import run
from flows.state.staleness import embed_verdict
from flows.state.status import read_status
from tasks.core.encoding.encoder import _SentenceTransformer
from tasks.core.settings.params import load_params
from tasks.core.settings.table_sections import stored_as
from tasks.core.store import arrow, tables
from tasks.core.transforms.card import read_card
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.paths import Paths
from tests.world import documents, make_layered_model, make_world, set_params, write_documents

pytestmark = pytest.mark.server
SIZE = 24


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("layers")
    root = make_world(folder / "world", str(make_layered_model(folder / "model")), method="auto")
    set_params(root, embed={"feature_size": SIZE})
    report = run(root)
    assert (report.embed.encoded, report.embed.reused) == (72, 0)
    return root


@pytest.fixture
def root(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "world")


def features(root):
    parts = tables.batches(Paths(root).base_table, ["id", tables.FEATURES])
    rows = {}
    for part in parts:
        codes = arrow.vectors_of(part.column(tables.FEATURES))
        rows |= dict(zip(part.column("id").to_pylist(), codes, strict=True))
    return rows


def test_features_lie_beside_the_vectors_and_are_read_by_the_transforms(root):
    found = features(root)
    assert len(found) == 72
    assert {(row.dtype, row.shape) for row in found.values()} == {(np.dtype("float16"), (SIZE,))}
    card = read_card(Paths(root).transform("mood"))
    assert (card.features, card.dimensions) == (SIZE, 32)
    assert "features" not in Workspace(root).view().frame().columns


def test_a_query_meets_the_map_of_the_rows(root):
    view = Workspace(root).view("mood")
    for row in documents()[::9]:
        scores = {hit["id"]: hit["score"] for hit in view.hits(row["text"], k=72)}
        assert scores[row["id"]] == pytest.approx(1, abs=2e-3)


def test_texts_that_come_later_get_the_features_that_they_would_have_had(root):
    before, rows = features(root), documents()
    for some in (rows[:30], rows):
        write_documents(root, some)
        ingest(root)
        report = embed(root)
    assert report.encoded == 42
    after = features(root)
    for key, codes in before.items():
        np.testing.assert_allclose(after[key], codes, atol=2e-3)


def test_a_table_without_features_is_told_how_to_get_them(root):
    set_params(root, embed={"features": "last"})
    assert embed_verdict(Paths(root), load_params(Paths(root).params)).reason == "another encoder"
    with pytest.raises(InputError, match="run 'refract embed --rebuild'"):
        embed(root)
    embed(root, rebuild=True)
    assert tables.FEATURES not in tables.columns(Paths(root).base_table)
    assert not list(Paths(root).vectors.glob("features-*"))
    assert not read_status(Paths(root), load_params(Paths(root).params)).vectors.features
    set_params(root, embed={"features": "layers"})
    with pytest.raises(InputError, match=r"no features .* 'refract embed --rebuild' to add them"):
        embed(root)
    embed(root, rebuild=True)
    assert tables.FEATURES in tables.columns(Paths(root).base_table)
    assert len(list(Paths(root).vectors.glob("features-*"))) == 1


def test_features_in_8_bits_need_a_rebuild_and_serve_the_same_transforms(root):
    paths, rows = Paths(root), documents()
    wide = Workspace(root).view("mood").frame().sort("id")
    set_params(root, embed={"storage": "int8"})
    assert embed_verdict(paths, load_params(paths.params)).reason == "another storage type"
    with pytest.raises(InputError, match=r"features are .*halffloat.* embed.storage: int8; set it"):
        embed(root)
    embed(root, rebuild=True)
    write_documents(root, [*rows, {**rows[0], "id": "again"}])
    done = run(root)
    assert (done.embed.encoded, len(features(root))) == (0, 73)
    assert not any(each.refitted for each in done.fit.fitted)
    after = features(root)
    assert {(row.dtype, row.shape) for row in after.values()} == {(np.dtype("int8"), (SIZE,))}
    np.testing.assert_array_equal(after["again"], after[rows[0]["id"]])
    assert "halffloat" in tables.columns(paths.base_table)[tables.VECTOR]
    narrow = Workspace(root).view("mood").frame().filter(pl.col("id") != "again").sort("id")
    assert (narrow["label"] == wide["label"]).mean() >= 0.97
    said = read_status(paths, load_params(paths.params)).vectors
    stored = stored_as(said.storage, features=said.features)
    assert (said.storage, stored) == ("int8", "float16, features as int8")
    assert stored_as(said.storage, features=False) == "float16"  # as of an encoder without layers
    set_params(root, embed={"storage": "float16"})
    with pytest.raises(InputError, match=r"features are .*int8.* embed.storage: float16; set it"):
        embed(root)


def test_another_map_asks_for_new_transforms(root):
    card = read_card(Paths(root).transform("mood"))
    write_documents(root, documents()[10:])
    ingest(root)
    embed(root, rebuild=True)
    with pytest.raises(InputError, match="made by another encoder"):
        Workspace(root).view("mood").hits("thank you", k=1)
    report = run(root)
    assert {each.name for each in report.fit.fitted if each.refitted} == {"mood", "topic"}
    assert read_card(Paths(root).transform("mood")).encoder != card.encoder


def test_every_text_is_encoded_once(root, monkeypatch):
    real, asked = _SentenceTransformer.encode, []

    def encode(self, texts, *more):
        asked.extend(texts)
        return real(self, texts, *more)

    monkeypatch.setattr(_SentenceTransformer, "encode", encode)
    assert embed(root, rebuild=True).encoded == 72
    assert sorted(asked) == sorted(row["text"] for row in documents())


def long_documents():
    """Return 30 documents of which 20 are longer than the 64 tokens of the model; two are alike."""
    rows = documents()[:30]
    for row in rows[:20]:
        row["text"] = ", ".join([row["text"]] * 15)
    return [*rows, {**rows[0], "id": "again"}]


def test_texts_that_were_cut_are_counted_in_a_first_embedding_and_after(tmp_path, whole):
    root = make_world(tmp_path / "world", str(whole.parent / "model" / "model"), method="auto")
    set_params(root, embed={"feature_size": SIZE})
    write_documents(root, long_documents())
    ingest(root)
    first = embed(root)
    assert (first.written, first.encoded, first.reused, first.truncated) == (31, 30, 1, 20)
    vectors = read_status(Paths(root), load_params(Paths(root).params)).vectors
    assert vectors.truncated == 20
    again = embed(root, rebuild=True)
    assert (again.encoded, again.truncated) == (30, 20)
    write_documents(root, [*long_documents()[15:], {**documents()[40], "id": "new"}])
    ingest(root)
    then = embed(root)
    assert (then.encoded, then.retired, then.truncated) == (1, 15, 0)
    vectors = read_status(Paths(root), load_params(Paths(root).params)).vectors
    assert vectors.truncated == 6  # 15 to 19, and the one that is there again


def status_of(root):
    return read_status(Paths(root), load_params(Paths(root).params))


def counts_of(root):
    vectors = status_of(root).vectors
    return vectors.long, vectors.truncated, vectors.windowed


def test_long_texts_are_read_by_windows_once_all_are_encoded_anew(tmp_path, whole, capsys):
    root = make_world(tmp_path / "world", str(whole.parent / "model" / "model"), method="auto")
    set_params(root, embed={"feature_size": SIZE})
    write_documents(root, long_documents())
    ingest(root)
    embed(root)
    set_params(root, embed={"feature_size": SIZE, "long": "windows"})
    with pytest.raises(InputError, match=r"embed\.long: cut, but params\.yaml says windows"):
        embed(root)
    made = embed(root, rebuild=True)
    assert (made.encoded, made.truncated, made.windowed) == (30, 0, 20)
    assert counts_of(root) == ("windows", 0, 20)
    reports.embedded(made)
    status_table.status(status_of(root))
    said = capsys.readouterr().out
    assert "0 retired, 20 by windows, 0 truncated" in said
    assert "in float32, 20 long texts by windows, stored as float16" in said
    assert "their ends are left out" not in said
    ending = {**documents()[0], "id": "long", "text": ", ".join(row["text"] for row in documents())}
    write_documents(root, [*long_documents(), ending])
    ingest(root)
    one = embed(root)
    assert (one.encoded, one.windowed) == (1, 1) and counts_of(root) == ("windows", 0, 21)
    base = Workspace(root).view()
    [found] = [hit for hit in base.closest(ending["text"], 40, passages=True) if hit.id == "long"]
    start, part = found.passage.start, found.passage.text
    assert found.text[start : start + len(part)] == part != found.text
    assert base.closest(ending["text"], 1)[0].passage is None
