"""The main job as a whole: what it makes, what it leaves alone, what it refuses."""

import json
import random

import numpy as np
import polars as pl
import pytest

from flows import Workspace
from flows.embed import embed
from flows.fit import fit
from flows.ingest import ingest
from flows.materialise import materialise
from flows.run import run
from flows.state import staleness
from tasks.core.encoding import base_table
from tasks.core.settings.params import load_params
from tasks.core.store import tables
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import read_json
from tasks.core.workspace.paths import Paths
from tests.flows.rows import base_rows, view_rows
from tests.world import documents, make_model, set_params, write_documents, write_labels


def assert_same(left, right):
    """Equal but for rounding: another batch of texts may differ in the last bit."""
    plain = [name for name in left.columns if left[name].dtype != pl.Array]
    assert (
        left.select(plain)
        .with_columns(pl.col(pl.Float32).round(3))
        .equals(right.select(plain).with_columns(pl.col(pl.Float32).round(3)))
    )
    np.testing.assert_allclose(
        left["vector"].to_numpy().astype(float), right["vector"].to_numpy().astype(float), atol=2e-3
    )


def test_a_run_makes_a_view_of_every_text_for_every_label_file(world):
    report = run(world)
    assert report.embed.encoded == 72
    assert {view.name: view.rows for view in report.materialise} == {"topic": 72, "mood": 72}
    assert Workspace(world).views == ["mood", "topic"]
    for name in ("topic", "mood"):
        scores = read_json(Paths(world).metric(name))
        assert scores["after"]["triplets"] >= scores["before"]["triplets"]


def test_a_view_finds_texts_of_the_same_aspect(made):
    query = "this is outrageous, my password is not accepted"
    truth = {row["id"]: row for row in documents()}
    for aspect, value in (("mood", "angry"), ("topic", "account")):
        hits = Workspace(made).view(aspect).hits(query, k=8)
        assert [truth[hit["id"]][aspect] for hit in hits] == [value] * 8
        assert hits[0]["label"] == value
        assert all(hit["text"] for hit in hits)


def test_a_second_run_finds_nothing_stale(made):
    paths = Paths(made)
    assert not staleness.anything(paths, load_params(paths.params))
    before = (tables.version(paths.base_table), tables.version(paths.view_table("mood")))
    report = run(made)
    assert report.ingest is None
    assert report.embed is None
    assert report.fit.fitted == []
    assert report.materialise == []
    assert (tables.version(paths.base_table), tables.version(paths.view_table("mood"))) == before


def test_two_workspaces_with_the_same_input_hold_the_same_transforms(world, made):
    run(world)
    for name in ("topic", "mood"):
        files = [
            sorted(Paths(root).transform(name).iterdir(), key=lambda path: path.name)
            for root in (world, made)
        ]
        assert [path.read_bytes() for path in files[0]] == [path.read_bytes() for path in files[1]]


def test_only_new_texts_are_encoded_and_gone_ones_leave(made):
    rows = documents()
    fresh = [{**rows[0], "id": "n1", "text": "my password is outrageous"}]
    write_documents(made, rows[3:] + fresh)
    report = run(made)
    assert (report.embed.encoded, report.embed.retired) == (1, 3)
    assert set(base_rows(made)["id"]) == {row["id"] for row in rows[3:]} | {"n1"}
    assert set(view_rows(made, "mood")["id"]) == set(base_rows(made)["id"])


def run_with(made, row, **cells):
    """Change cells of one document and run."""
    rows = documents()
    rows[row] |= cells
    write_documents(made, rows)
    return run(made)


def test_a_changed_text_replaces_its_vector_everywhere(made):
    old = base_rows(made)["vector"][0].to_numpy()
    report = run_with(made, 0, text="you are lovely and a delight")
    assert (report.embed.encoded, report.embed.written) == (1, 1)
    assert not np.allclose(base_rows(made)["vector"][0].to_numpy(), old)
    assert view_rows(made, "mood")["id"].n_unique() == len(view_rows(made, "mood")) == 72


def test_changed_metadata_costs_no_encoding_and_reaches_the_views(made):
    report = run_with(made, 5, channel="letter")
    assert (report.embed.encoded, report.embed.reused) == (0, 1)
    assert [view.written for view in report.materialise] == [1, 1]
    hits = Workspace(made).view("mood").hits("thank you", where="channel = 'letter'")
    assert [hit["id"] for hit in hits] == ["t05"]


def test_a_new_metadata_column_appears_in_base_and_views(made):
    from tests.world import write_csv

    rows = [{**row, "country": "pt"} for row in documents()]
    write_csv(
        made / "data" / "raw" / "messages.csv", rows, ["id", "text", "channel", "stars", "country"]
    )
    report = run(made)
    assert report.embed.encoded == 0
    assert base_rows(made)["country"].to_list() == ["pt"] * 72
    assert view_rows(made, "topic")["country"].to_list() == ["pt"] * 72


def test_a_changed_label_file_refits_its_own_view_only(made):
    write_labels(made, "mood", documents()[:50])
    report = run(made)
    assert [fitted.name for fitted in report.fit.fitted] == ["mood"]
    assert [view.name for view in report.materialise] == ["mood"]


def test_texts_without_labels_do_not_cause_a_new_fit(made):
    fresh = {"id": "n1", "text": "the box is late", "channel": "chat", "stars": "1"}
    write_documents(made, [*documents(), fresh])
    report = run(made)
    assert [fitted.refitted for fitted in report.fit.fitted] == [False, False]
    assert [(view.whole, view.written) for view in report.materialise] == [(False, 1), (False, 1)]


def test_growing_step_by_step_ends_like_starting_with_everything(world, made):
    rows = documents()
    write_documents(world, rows[:40])
    ingest(world)
    embed(world)
    write_documents(world, rows)
    run(world)
    assert_same(base_rows(world), base_rows(made))
    assert_same(view_rows(world, "mood"), view_rows(made, "mood"))


def test_a_bad_label_file_is_rejected_and_the_others_go_on(made):
    old = view_rows(made, "mood")
    write_labels(made, "topic", documents()[:60])
    (made / "data" / "labels" / "mood.csv").write_text("id,label\nt01,angry\nt02,angry\n")
    report = run(made)
    assert [fitted.name for fitted in report.fit.fitted] == ["topic"]
    assert "mood.csv" in report.fit.rejected["mood"]
    assert read_json(Paths(made).rejection("mood"))["reason"] == report.fit.rejected["mood"]
    assert view_rows(made, "mood").equals(old)
    paths = Paths(made)
    assert not staleness.anything(paths, load_params(paths.params))


def mislabelled(rows):
    """Return rows whose topics are those of other rows."""
    topics = [row["topic"] for row in rows]
    random.Random(2).shuffle(topics)
    return [{**row, "topic": topic} for row, topic in zip(rows, topics, strict=True)]


def test_a_view_that_has_learnt_nothing_is_published_only_without_the_gate(made):
    old = view_rows(made, "topic")
    write_labels(made, "topic", mislabelled(documents()))
    reason = run(made).fit.rejected["topic"]
    assert "nothing to do with their texts" in reason and "set fit.gate: false" in reason
    assert view_rows(made, "topic").equals(old)
    set_params(made, fit={"gate": False})
    (report,) = [each for each in run(made).fit.fitted if each.name == "topic"]
    assert (report.gate.state, report.gate.why) == ("refused", "nothing learnt")
    assert not view_rows(made, "topic").equals(old)


def test_a_rejected_file_is_tried_again_when_it_changes(world):
    labels = world / "data" / "labels" / "mood.csv"
    good = labels.read_text()
    labels.write_text("")
    assert "mood" in run(world).fit.rejected
    labels.write_text(good)
    assert [fitted.name for fitted in run(world).fit.fitted] == ["mood"]
    assert not Paths(world).rejection("mood").exists()


def test_another_encoder_is_refused_until_everything_is_rebuilt(made, tmp_path):
    other = make_model(tmp_path / "other-model", dimensions=32, seed=8)
    set_params(made, embed={"model": str(other)})
    with pytest.raises(InputError, match=r"made by encoder .* run 'refract embed --rebuild'"):
        embed(made)
    with pytest.raises(InputError, match="another encoder than params"):
        Workspace(made).view("mood").hits("thank you")
    assert embed(made, rebuild=True).encoded == 72
    run(made)
    assert len(Workspace(made).view("mood").hits("thank you", k=3)) == 3
    assert base_rows(made)["vector"].dtype == pl.Array(pl.Float16, 32)


def test_readers_see_the_old_view_and_its_own_transform_until_the_new_one_is_whole(made):
    view = Workspace(made).view("mood")
    before = view.hits("thank you so much", k=5)
    write_labels(made, "mood", documents()[:60])
    fit(made)
    assert view.hits("thank you so much", k=5) == before
    assert Workspace(made).view("mood").hits("thank you so much", k=5) == before
    materialise(made)
    after = view.hits("thank you so much", k=5)
    assert after == Workspace(made).view("mood").hits("thank you so much", k=5)


def test_a_shard_that_was_finished_before_a_crash_is_not_encoded_again(world, monkeypatch):
    ingest(world)
    real = base_table.commit_shard
    calls = []

    def crash_at_third(*arguments, **options):
        calls.append(1)
        if len(calls) == 3:
            raise SystemExit("killed")
        return real(*arguments, **options)

    monkeypatch.setattr(base_table, "commit_shard", crash_at_third)
    with pytest.raises(SystemExit):
        embed(world)
    assert tables.count(Paths(world).base_table) == 32
    monkeypatch.setattr(base_table, "commit_shard", real)
    written = []
    write = base_table.write_shard
    monkeypatch.setattr(
        base_table, "write_shard", lambda *a, **k: written.append(len(a[2])) or write(*a, **k)
    )
    embed(world)
    assert written == [16, 8]
    assert len(base_rows(world)) == 72


def test_a_precision_that_no_vector_has_is_not_told(world, monkeypatch):
    ingest(world)
    first = embed(world)
    changed = documents()
    changed[0] = {**changed[0], "channel": "elsewhere"}
    write_documents(world, changed)
    ingest(world)
    real = base_table.write_shard

    def shard(*arguments, **more):
        written = real(*arguments, **more)
        settings = written.about.settings.model_copy(update={"precision": "bfloat16"})
        unmeasured = written.about.model_copy(update={"settings": settings})
        return written if written.encoded else written.model_copy(update={"about": unmeasured})

    monkeypatch.setattr(base_table, "write_shard", shard)
    again = embed(world)
    assert (again.encoded, again.reused) == (0, 1)
    assert again.precision == first.precision


def test_status_says_what_is_stale_and_why(world, made):
    from flows.state.staleness import FRESH
    from flows.state.status import read_status

    params = load_params(Paths(made).params)
    assert read_status(Paths(world), params).corpus.verdict.reason == "no corpus yet"
    paths = Paths(made)
    state = read_status(paths, params)
    assert state.corpus.texts == state.vectors.rows == 72
    assert state.instructions["mood"].transform == FRESH
    write_labels(made, "mood", documents()[:60])
    state = read_status(paths, params)
    assert state.instructions["mood"].transform.reason == "its labels changed"
    assert state.instructions["topic"].transform.reason == "up to date"
    assert json.loads(json.dumps(state.to_json())) == state.to_json()


def test_a_metadata_column_that_changes_its_type_loses_no_value(made):
    report = run_with(made, 7, stars="five")
    assert (report.embed.encoded, report.embed.reused) == (0, 72)
    rows = documents()
    rows[7] |= {"stars": "five"}
    assert base_rows(made)["stars"].to_list() == [row["stars"] for row in rows]
    assert view_rows(made, "mood")["stars"].to_list() == [row["stars"] for row in rows]


def test_another_storage_type_is_refused_until_everything_is_rebuilt(made):
    set_params(made, embed={"storage": "float32"})
    with pytest.raises(InputError, match=r"embed.storage: float32; set it back"):
        embed(made)
    embed(made, rebuild=True)
    assert base_rows(made)["vector"].dtype == pl.Array(pl.Float32, 48)
