"""Files of two fits side by side, by a kill or a power cut: known as such, and never recorded."""

import signal

import pytest
from prefect.settings import PREFECT_API_URL

from flows.embed import embed
from flows.fit import fit
from flows.ingest import ingest
from flows.materialise import materialise
from flows.rollback import rollback
from flows.run import run
from flows.state import staleness
from flows.state.staleness import Verdict
from flows.state.status import read_status
from tasks.core.settings.params import load_params
from tasks.core.store import tables
from tasks.core.transforms.base import load
from tasks.core.transforms.card import CARD, TENSORS, read_card
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import read_json, write_json
from tasks.core.workspace.paths import Paths
from tests.children import Child
from tests.flows.history import git
from tests.flows.test_kill import kill_at
from tests.same import assert_same, rows
from tests.world import documents, write_documents, write_labels

TENSORS_REASON = "its tensors are not those of its card"
SCORES_REASON = "its scores are not those of its transform"


def verdict(root, name="mood"):
    paths = Paths(root)
    return read_status(paths, load_params(paths.params)).instructions[name].transform


def of_others(root):
    """Fit by other labels; return the files of that fit, and leave those of before."""
    paths = Paths(root)
    places = [paths.metric("mood"), *(paths.transform("mood") / name for name in (TENSORS, CARD))]
    file, before = paths.labels / "mood.csv", [place.read_bytes() for place in places]
    kept = file.read_bytes()
    write_labels(root, "mood", documents()[:50])
    fit(root)
    other = [place.read_bytes() for place in places]
    file.write_bytes(kept)
    for place, content in zip(places, before, strict=True):
        place.write_bytes(content)
    return dict(zip(("scores", "tensors", "card"), zip(places, other, strict=True), strict=True))


@pytest.mark.parametrize(
    ("taken", "reason"),
    [
        (["scores"], SCORES_REASON),
        (["tensors"], TENSORS_REASON),
        (["scores", "tensors"], TENSORS_REASON),
    ],
)
def test_a_mixture_of_two_fits_is_told_and_made_again(made, _made, taken, reason):
    other = of_others(made)
    for name in taken:
        place, content = other[name]
        place.write_bytes(content)
    assert verdict(made) == Verdict(True, reason)
    run(made)
    assert_same(made, _made)


def test_a_transform_of_an_earlier_refract_is_used_as_it_is(made, _made):
    paths = Paths(made)
    for folder in (paths.transform("mood"), *paths.kept_transform("mood", "x").parent.iterdir()):
        card = read_json(folder / CARD)
        card.pop("scores")
        write_json(folder / CARD, card)
        load(folder)
    stamp = read_json(paths.view_stamp("mood"))
    stamp.pop("version")
    write_json(paths.view_stamp("mood"), stamp)
    assert not verdict(made).stale
    assert not staleness.any_view(paths, load_params(paths.params), [])


def test_a_mixture_that_no_label_file_can_heal_is_not_recorded(made):
    place, content = of_others(made)["scores"]
    place.write_bytes(content)
    (Paths(made).labels / "mood.csv").unlink()
    with pytest.raises(InputError, match=rf"'mood': {SCORES_REASON}; .* nothing is recorded"):
        run(made)


def test_notes_that_a_power_cut_has_emptied_are_made_again(made, _made):
    paths = Paths(made)
    stamp = read_json(paths.view_stamp("mood"))
    kept = paths.kept_transform("mood", stamp["transform"])
    for file in (
        *(paths.transform("mood") / CARD, paths.metric("topic"), paths.score_table),
        *(paths.stamp("ingest"), paths.stamp("embed"), paths.view_stamp("topic")),
        *(paths.hashes, paths.recorded, paths.corpus_figures, kept / CARD, paths.exchange),
        *(paths.unfinished_rollback, paths.unfinished_checkout, paths.bringing),
        *(paths.hold("mood"), paths.rejection("mood")),
    ):
        file.write_bytes(b"")
    run(made)
    paths.hold("mood").unlink(missing_ok=True)
    assert_same(made, _made)


@pytest.mark.parametrize("part", ["_refs/tags/live.json", "transform.safetensors"])
def test_a_view_whose_parts_were_cut_short_is_written_again(made, _made, part):
    paths = Paths(made)
    kept = paths.kept_transform("mood", read_json(paths.view_stamp("mood"))["transform"])
    file = kept / part if part == TENSORS else paths.view_table("mood") / part
    file.write_bytes(file.read_bytes()[:9])
    run(made)
    assert_same(made, _made)


class Killed(BaseException):
    """Stands for SIGKILL: no code of ours runs between it and the next command."""


def interrupted(monkeypatch, owner, name, call):
    """Let `call()` end right after `owner.name` has done its work."""
    real = getattr(owner, name)

    def last(*arguments, **options):
        real(*arguments, **options)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(owner, name, last)
        with pytest.raises(BaseException):  # noqa: B017 - Prefect passes on what it was given
            call()


def test_documents_put_back_after_a_kill_leave_no_row_of_the_others(made, _made, monkeypatch):
    import flows.embed

    write_documents(made, [row | {"text": f"again: {row['text']}"} for row in documents()])
    ingest(made)
    interrupted(monkeypatch, flows.embed, "commit_shard", lambda: embed(made))
    write_documents(made, documents())
    run(made)
    assert_same(made, _made)


def test_a_rebuild_that_was_killed_is_completed_by_a_run(made, _made, monkeypatch):
    import flows.embed

    interrupted(monkeypatch, flows.embed, "commit_shard", lambda: embed(made, rebuild=True))
    assert len(rows(made, "base")) == 16
    run(made)
    assert_same(made, _made)


def test_labels_put_back_after_a_kill_leave_no_view_of_the_others(made, _made, monkeypatch):
    file = Paths(made).labels / "mood.csv"
    kept = file.read_bytes()
    write_labels(made, "mood", documents()[:50])
    fit(made)
    interrupted(monkeypatch, tables, "publish", lambda: materialise(made))
    file.write_bytes(kept)
    run(made)
    assert_same(made, _made)


def rolled_back(root, target, nth, when):
    kill_at(target, nth, when)
    rollback(root, "mood")


@pytest.mark.dvc
@pytest.mark.parametrize("again", [True, False])
def test_a_rollback_killed_between_two_files_is_finished_and_recorded_as_it_is(root, again):
    paths = Paths(root)
    scores = [git(root, "show", f"view/mood/v{n}:data/metrics/scores/mood.json") for n in (1, 2)]
    assert scores[0] != scores[1]
    place = (
        "tasks.core.workspace.exchange.sync_folder",
        8,
        "after",
    )  # two of the new files are in place
    child = Child(PREFECT_API_URL.value(), root, None, rolled_back, root, *place)
    assert child.wait() == -signal.SIGKILL
    assert read_status(paths, load_params(paths.params)).unfinished != []
    made = rollback(root, "mood") if again else run(root, commit=True)
    assert made.record.tags == ("view/mood/v3",)
    assert git(root, "show", "HEAD:data/metrics/scores/mood.json") == scores[0]
    card = read_card(paths.transform("mood"))
    assert card.fingerprint == read_json(paths.metric("mood"))["fingerprint"]
    assert sum(card.counts.values()) == 20
    assert read_json(paths.view_stamp("mood"))["transform"] == card.fingerprint
    assert read_status(paths, load_params(paths.params)).unfinished == []


@pytest.mark.dvc
def test_what_an_older_refract_mixed_is_undone_and_gets_no_tag(root):
    paths = Paths(root)
    file = "data/metrics/scores/mood.json"
    paths.metric("mood").write_text(git(root, "show", f"view/mood/v1:{file}") + "\n")
    made = run(root, commit=True)
    assert made.record.tags == ()
    assert read_json(paths.metric("mood"))["texts"] == 30
    assert sum(read_card(paths.transform("mood")).counts.values()) == 30
