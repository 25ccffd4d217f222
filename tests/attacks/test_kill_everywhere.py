"""SIGKILL at every file operation of every verb: afterwards all is as if nothing had happened."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from prefect.settings import PREFECT_API_URL

from flows.checkout import checkout
from flows.fit import fit
from flows.ingest import ingest
from flows.label import label
from flows.label_options import LabelOptions
from flows.materialise import materialise
from flows.migrate import migrate
from flows.migration.turning import was_stopped
from flows.rollback import rollback
from flows.run import run
from tasks.core.documents.copying import Incoming
from tasks.core.settings.params import load_params
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.paths import Paths
from tests.endpoint import KEY, Endpoint, Oracle
from tests.flows import conftest as worlds
from tests.flows.history import copy, git
from tests.kills import killed_at, operations
from tests.labelling import NAMES, PHRASES
from tests.same import leftovers, orphaned, truth
from tests.world import documents, make_model, set_params, write_csv, write_documents, write_labels

pytestmark = [pytest.mark.attack, pytest.mark.server, pytest.mark.timeout(14_400)]
prefect_server, _made, made = worlds.prefect_server, worlds._made, worlds.made
_history, root = worlds._history, worlds.root
STEP = int(os.environ.get("REFRACT_KILL_EVERY", "1"))  # 1: each operation; 7: each seventh


def do_run(root: Path) -> None:
    run(root)


def do_commit(root: Path) -> None:
    run(root, commit=True)


def do_rollback(root: Path) -> None:
    rollback(root, "mood")


def do_fit(root: Path) -> None:
    fit(root)


def do_materialise(root: Path) -> None:
    materialise(root)


def do_checkout(root: Path) -> None:
    checkout(root, "whole/v1")


def do_ingest(root: Path) -> None:
    ingest(root, [Incoming(root / "more.csv", Paths(root).raw / "more.csv")])


def do_migrate(root: Path) -> None:
    if not was_stopped(Paths(root)) and load_params(Paths(root).params).embed.next is not None:
        migrate(root)
    run(root)


OPTIONS = LabelOptions(instruction="the mood of the writer", clusters=8)


def do_label(root: Path) -> None:
    os.environ["OPENAI_API_KEY"] = KEY  # the server of forks is older than the endpoint
    label(root, "tone", OPTIONS)


@dataclass
class Series:
    """One verb, killed everywhere: how its workspace is made, and what is done after a kill."""

    prepare: Callable[[Path], Any]
    verb: Callable[[Path], Any]
    after: Callable[[Path], Any]


def _changed(root: Path) -> None:
    """Change documents and labels, take a label file away and bring a bad one."""
    write_documents(root, documents()[2:])
    write_labels(root, "mood", documents()[:50])
    set_params(root, materialise={"chunk": 16})


def _retired(root: Path) -> None:
    _changed(root)
    (root / "data" / "labels" / "topic.csv").unlink()
    set_params(root, materialise={"retire": True})


def _fitted(root: Path) -> None:
    _changed(root)
    fit(root)


def _arrived(root: Path) -> None:
    rows = [{**row, "id": f"n{n}"} for n, row in enumerate(documents()[:5])]
    write_csv(root / "more.csv", rows, ["id", "text", "channel", "stars"])


def _new_labels(root: Path) -> None:
    write_labels(root, "mood", documents()[:50])


def _next_encoder(root: Path) -> None:
    other = make_model(root.parent / "other-model", dimensions=32, seed=11)
    set_params(root, embed={"next": {"model": str(other)}})


def _as_it_was(_: Path) -> None:
    """Leave the workspace alone."""


PLAIN = {
    "run": Series(_retired, do_run, do_run),
    "fit": Series(_changed, do_fit, do_run),
    "materialise": Series(_fitted, do_materialise, do_run),
    "migrate": Series(_next_encoder, do_migrate, do_migrate),
}
RECORDED = {
    "commit": Series(_new_labels, do_commit, do_commit),
    "rollback": Series(_as_it_was, do_rollback, do_commit),
    "rollback again": Series(_as_it_was, do_rollback, do_rollback),
    "checkout": Series(_as_it_was, do_checkout, do_run),
    "checkout again": Series(_as_it_was, do_checkout, do_checkout),
}


def everywhere(
    root: Path, folder: Path, series: Series, allowed: list[Any], report: Callable[[str], None]
) -> None:
    """Kill at each operation in turn; AssertionError where the end is none of the `allowed`."""
    url = PREFECT_API_URL.value() or ""
    counted = copy(root, folder / "counted")
    done = operations(url, counted, folder / "kills.log", series.verb)
    allowed.append(truth(counted) if series.after == series.verb else _after(counted, series))
    wrong = []
    for last in range(1, len(done) + 1, STEP):
        victim = copy(root, folder / "victim")
        if killed_at(url, victim, last, series.verb):
            try:
                found = _after(victim, series)
            except (AssertionError, InputError, OSError, RuntimeError, ValueError) as error:
                found = repr(error)[:500]
            if found not in allowed:
                wrong.append(
                    f"{last} of {len(done)}, before {done[last - 1]}: {_unlike(found, allowed)}"
                )
                report(wrong[-1])
        shutil.rmtree(victim)
    report(f"{len(done)} operations, each {STEP}: {len(wrong)} ended otherwise")
    assert wrong == []


def _after(root: Path, series: Series) -> Any:
    series.after(root)
    assert leftovers(root) == orphaned(root) == []
    return truth(root)


def _unlike(found: Any, allowed: list[Any]) -> str:
    if not isinstance(found, dict):
        return str(found)
    return "; ".join(
        f"{key}: {found[key]!r:.300} and not {allowed[-1].get(key)!r:.300}"
        for key in found
        if all(found[key] != one.get(key) for one in allowed)
    )


@pytest.fixture
def report(request, capsys):
    """Print a line at once: a series takes minutes."""

    def say(line: str) -> None:
        with capsys.disabled():
            print(f"\n{request.node.name}: {line}", flush=True)

    return say


@pytest.mark.parametrize("name", PLAIN)
def test_a_verb_that_was_killed_anywhere(made, tmp_path, name, report):
    series = PLAIN[name]
    series.prepare(made)
    everywhere(made, tmp_path, series, [], report)


@pytest.mark.dvc
@pytest.mark.parametrize("name", RECORDED)
def test_a_recorded_verb_that_was_killed_anywhere(root, tmp_path, name, report):
    series = RECORDED[name]
    series.prepare(root)
    allowed = []
    if name in ("rollback", "checkout"):  # killed before it has begun, it has not happened
        calm = copy(root, tmp_path / "calm")
        series.after(calm)
        allowed.append(truth(calm))
    everywhere(root, tmp_path, series, allowed, report)
    assert git(root, "status", "--porcelain", "data/metrics") == ""


def test_documents_that_were_being_brought(made, tmp_path, report):
    def again(root: Path) -> None:
        assert not list(Paths(root).raw.glob(".*")) or run(root)
        assert not list(Paths(root).raw.glob(".*"))
        do_ingest(root)
        run(root)

    _arrived(made)
    everywhere(made, tmp_path, Series(_as_it_was, do_ingest, again), [], report)


def test_labels_that_were_being_made(made, tmp_path, report, monkeypatch):
    def again(root: Path) -> None:
        do_label(root)
        run(root)

    of = {row["text"]: NAMES[row["mood"]] for row in documents()}
    with Endpoint(Oracle(of, phrases=PHRASES)) as endpoint:
        monkeypatch.setenv("OPENAI_API_KEY", KEY)  # restored at the end
        set_params(made, label={"base_url": endpoint.url, "model": "oracle", "in_flight": 1})
        everywhere(made, tmp_path, Series(_as_it_was, do_label, again), [], report)
