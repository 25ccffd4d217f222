"""Another encoder follows the one at work, which answers until all is made by it."""

from __future__ import annotations

import threading
import time

import pytest
from filelock import FileLock
from prefect.settings import PREFECT_API_URL

from flows import Workspace
from flows.materialise import materialise
from flows.migrate import migrate
from flows.migration.turning import turn
from flows.migration.upcoming import call_off
from flows.run import run
from flows.state.status import read_status
from tasks.core.settings.params import load_params
from tasks.core.store import tables
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.paths import Paths
from tests.children import Child
from tests.commands import refract, refused
from tests.migrating import assert_followed, found, killed, model_of
from tests.same import assert_same, rows
from tests.world import documents, make_model, make_world, set_params, write_documents, write_labels

pytestmark = pytest.mark.server


def test_all_is_as_if_the_next_encoder_had_always_been_there(begun, by_other, other):
    before = tables.live_version(Paths(begun).view_table("mood"))
    report = migrate(begun)
    assert report.turned and report.settings == {"model": str(other)}
    assert_followed(begun, by_other)
    assert model_of(begun) == (str(other), None)
    assert tables.live_version(Paths(begun).view_table("mood")) > before
    assert not Paths(begun).next.exists() and not Paths(begun).former.exists()
    state = read_status(Paths(begun), load_params(begun / "params.yaml"))
    assert state.next is None and not state.vectors.verdict.stale
    assert {name: view.after for name, view in state.instructions.items()} == {
        view.name: view.after for view in report.views
    }


def test_searches_are_answered_by_one_encoder_or_the_other_throughout(begun, by_other):
    opened = Workspace(begun)
    old, new, end = found(opened), found(Workspace(by_other)), threading.Event()
    answers, errors = [], []

    def ask(workspace):
        while not end.is_set():
            try:
                answers.append(found(workspace()))
            except InputError as error:
                errors.append(str(error))

    askers = [
        threading.Thread(target=ask, args=(opener,))
        for opener in (lambda: opened, lambda: Workspace(begun))
    ]
    for asker in askers:
        asker.start()
    migrate(begun)
    until = time.monotonic() + 60
    while answers[-1] != new and time.monotonic() < until:
        time.sleep(0.05)
    end.set()
    for asker in askers:
        asker.join()
    assert errors == []
    assert {tuple(answer) for answer in answers} == {tuple(old), tuple(new)}
    assert found(opened) == new


@pytest.mark.parametrize(
    ("target", "nth"),
    [
        ("tasks.core.encoding.base_table.commit_shard", 3),
        ("tasks.fit.complete", 1),
        ("tasks.core.store.tables.publish", 1),
    ],
)
def test_what_a_kill_has_left_is_gone_on_with(begun, by_other, target, nth):
    before = found(Workspace(begun))
    killed(begun, target, nth)
    assert found(Workspace(begun)) == before
    run(begun)  # by the encoder at work: there is nothing to do
    assert found(Workspace(begun)) == before
    again = migrate(begun)
    assert again.turned
    assert_followed(begun, by_other)


def test_after_a_kill_no_text_is_encoded_twice(begun):
    killed(begun, "tasks.core.encoding.base_table.commit_shard", 3)
    state = read_status(Paths(begun), load_params(begun / "params.yaml"))
    assert (state.next.encoded, state.next.texts) == (32, 72)
    assert "32 of 72 texts encoded" in refract(begun, "status").out


def test_documents_and_labels_that_arrive_meanwhile_are_seen_by_both(begun, other, tmp_path):
    report = migrate(begun, look_first=True)
    assert not report.turned
    assert {view.name for view in report.views} == {"mood", "topic"}
    changed = [{**documents()[0], "text": "you are lovely and a delight"}, *documents()[2:]]
    write_documents(begun, changed)
    write_labels(begun, "mood", documents()[:50])
    assert run(begun).embed.encoded == 1
    assert rows(begun, "base")["vector"].dtype.shape == (48,)
    migrate(begun)
    run(begun)
    fresh = make_world(tmp_path / "fresh", str(other))
    write_documents(fresh, changed)
    write_labels(fresh, "mood", documents()[:50])
    run(fresh)
    assert_same(begun, fresh)


def test_one_may_look_first_and_give_it_up(begun, _made):
    said = refract(begun, "embed", "--migrate", "--look-first")
    assert said.code == 0, said.err
    assert "is ready; the one before still answers" in said.out
    assert "V-measure" in said.out
    assert_followed(begun, _made)
    assert "given up" in refract(begun, "embed", "--call-off").out
    assert not Paths(begun).next.exists()
    assert "nothing to give up" in refract(begun, "embed", "--call-off").out
    assert_followed(begun, _made)


def test_what_cannot_be_brought_is_refused_before_anything_is_made(made, other, tmp_path):
    def refusal(**embed):
        set_params(made, embed=embed)
        return refused(made, "embed", "--migrate")

    assert "embed.next: found null" in refusal(next=None)
    assert "is at work" in refusal(next={"chunk": 32})
    assert not Paths(made).next.exists()
    assert "--look-first alone" in refused(made, "embed", "--look-first")
    assert "several of" in refused(made, "embed", "--rebuild", "--migrate")
    settings = made / "params.yaml"
    set_params(made, embed={"next": {"model": str(other)}})
    settings.chmod(0o444)
    assert "read-only" in refused(made, "embed", "--migrate")
    settings.chmod(0o644)
    (made / "data" / "labels" / "mood.csv").rename(tmp_path / "mood.csv")
    assert "no labels any more of the views mood" in refused(made, "embed", "--migrate")
    assert not Paths(made).next.exists()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("{modell: x}", "next.modell"),
        ("{max_length: 1}", "next.max_length: must be greater than or equal to 8"),
        ("{next: {model: x}}", "expected one encoder after this one"),
        ("[model]", "must be a valid dictionary"),
        ("{storage: int8, features: last}", "next"),
    ],
)
def test_settings_of_the_next_encoder_are_bounded_as_those_of_the_one_at_work(
    made, settings, message
):
    place = made / "params.yaml"
    text = place.read_text()
    assert "  next: null" in text
    place.write_text(text.replace("  next: null", f"  next: {settings}"))
    assert message in refused(made, "status")


def test_another_encoder_than_was_begun_with_is_refused_until_that_is_given_up(begun, tmp_path):
    migrate(begun, look_first=True)
    third = make_model(tmp_path / "third", dimensions=32, seed=12)
    set_params(begun, embed={"next": {"model": str(third)}})
    assert "begun by another encoder" in refused(begun, "embed", "--migrate")
    call_off(Paths(begun))
    assert migrate(begun, look_first=True).settings == {"model": str(third)}


def test_no_view_is_lost_that_the_next_encoder_cannot_make(begun, _made):
    write_labels(begun, "topic", documents()[:4])
    assert "topic" in run(begun).fit.rejected
    before = found(Workspace(begun))
    done = refract(begun, "embed", "--migrate")
    assert done.code == 2
    assert "cannot be made by the next encoder: topic: data/labels/topic.csv: found 4" in done.err
    assert found(Workspace(begun)) == before
    assert rows(begun, "topic").equals(rows(_made, "topic"))


def test_one_at_a_time_brings_the_next_encoder(begun):
    with FileLock(Paths(begun).migration_lock):
        assert "one at a time" in refused(begun, "embed", "--migrate")
        assert "one at a time" in refused(begun, "embed", "--call-off")


def test_another_storage_than_was_begun_with_is_refused_as_well(begun, other):
    migrate(begun, look_first=True)
    set_params(begun, embed={"next": {"model": str(other), "storage": "float32"}})
    assert "otherwise stored" in refused(begun, "embed", "--migrate")


@pytest.mark.parametrize("named", [None, {"model": "bundled"}])
def test_settings_that_change_while_it_turns_over_are_not_those_of_the_encoder_at_work(
    begun, by_other, other, monkeypatch, named
):
    """Another one that is named meanwhile is to follow the one that came."""

    def write_views(root, upcoming):
        made = materialise(root, upcoming=upcoming)
        set_params(root, embed={"next": named})
        return made

    monkeypatch.setattr("flows.migrate.materialise", write_views)
    migrate(begun)
    assert model_of(begun) == (str(other), named)
    assert_followed(begun, by_other)


def test_a_view_that_was_retired_meanwhile_does_not_come_back(begun):
    migrate(begun, look_first=True)
    (begun / "data" / "labels" / "topic.csv").unlink()
    set_params(begun, materialise={"retire": True})
    run(begun)
    set_params(begun, materialise={"retire": False})
    assert [view.name for view in migrate(begun).views] == ["mood"]
    assert Workspace(begun).views == ["mood"]


def test_a_place_that_is_a_link_is_refused_before_anything_is_made(begun, tmp_path):
    views = begun / "data" / "views"
    views.rename(tmp_path / "views")
    views.symlink_to(tmp_path / "views")
    assert "found a link; expected it on the file system" in refused(begun, "embed", "--migrate")
    assert not Paths(begun).next.exists()


def test_what_was_made_through_a_link_is_not_given_up_by_removing_it(begun, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").touch()
    Paths(begun).next.symlink_to(elsewhere)
    assert "found a link; expected a folder" in refused(begun, "embed", "--migrate")
    assert call_off(Paths(begun))
    assert not Paths(begun).next.exists() and (elsewhere / "precious").exists()


def run_everything(root):
    run(root)


def test_a_command_that_waited_for_the_turn_goes_on_by_the_next_encoder(
    begun, by_other, monkeypatch
):
    """Its settings were those of before when it began to wait."""
    log = begun.parent / "waiting.log"
    waiting = []

    def turn_while_one_waits(paths, settings):
        child = Child(PREFECT_API_URL.value(), begun, log, run_everything, begun)
        waiting.append(child)
        while "waiting for another refract" not in (log.read_text() if log.exists() else ""):
            assert child.poll() is None, log.read_text()
            time.sleep(0.05)
        turn(paths, settings)

    monkeypatch.setattr("flows.migrate.turn", turn_while_one_waits)
    migrate(begun)
    assert waiting[0].wait() == 0, log.read_text()
    assert_followed(begun, by_other)
