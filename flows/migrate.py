"""The next encoder brought: all that it is to see is made apart, then the workspace turns over."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path

from prefect import flow

from flows.embed import embed
from flows.engine.choosing import engine
from flows.fit import fit
from flows.materialise import materialise
from flows.migration.checking import CALL_OFF, check
from flows.migration.next_paths import NextPaths
from flows.migration.turning import turn
from flows.migration.upcoming import alone
from flows.runtime.lock import writer
from flows.runtime.prefect_artifacts import leave_table
from flows.state import staleness
from flows.state.label_sources import label_sources
from flows.state.trust import ask
from tasks.core.evaluation.measures import MEASURES
from tasks.core.settings.params import load_params
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.hardlinks import link_folder
from tasks.core.workspace.manifest import read_manifest
from tasks.core.workspace.manifests import ByMeasure, EmbedStamp, Scores
from tasks.core.workspace.paths import Paths


@dataclass(frozen=True)
class MigratedView:
    """A view's scores by the encoder before (`before`) and by the one that followed (`after`)."""

    name: str
    before: ByMeasure
    after: ByMeasure


@dataclass(frozen=True)
class MigrationReport:
    """What the next encoder has other than the one before, and what is there by it.

    turned: whether it is the one at work now.
    """

    settings: dict[str, object]
    turned: bool
    rows: int
    dimensions: int
    views: list[MigratedView]
    seconds: float


@flow(name="migrate", flow_run_name="migrate")
def migrate(root: Path, look_first: bool = False) -> MigrationReport:
    """Bring the encoder that `embed.next` names, while the one before answers until all is there.

    Vectors, transforms and views are made apart; documents and labels that arrive meanwhile are
    taken in by both. Then the workspace turns over at once, and `embed` in params.yaml says so.
    After a kill it goes on where it was. look_first: tell how the views would do, and turn nothing
    over. InputError where a view cannot be made anew: then nothing turns over, either.
    """
    begun, paths = time.perf_counter(), Paths(root)
    params = load_params(paths.params)
    check(paths, params)
    ask(paths, "model", "links")
    with alone(paths), engine(paths, params.engine):
        with writer(paths):
            _copy_corpus(paths)
        embed(root, upcoming=True)
        if label_sources(paths):
            fit(root, upcoming=True)
        _refuse_missing(paths)
        if look_first:
            report = _report(paths, params.embed.next or {}, turned=False)
        else:
            with writer(paths):
                report = _turn(paths)
    leave_table("migrate", "Views by the next encoder", [_row(view) for view in report.views])
    return replace(report, seconds=time.perf_counter() - begun)


def _copy_corpus(paths: Paths) -> None:
    """Let the next encoder have the corpus as it is now; the caller holds the write lock."""
    copy = NextPaths(paths.root).corpus
    shutil.rmtree(copy, ignore_errors=True)
    copy.parent.mkdir(parents=True, exist_ok=True)
    link_folder(paths.corpus, copy)


def _turn(paths: Paths) -> MigrationReport:
    """Take in what has changed meanwhile, write the views, and turn over, all under one lock."""
    root, new, params = paths.root, NextPaths(paths.root), load_params(paths.params)
    settings, own = check(paths, params), params.embed.next or {}
    _copy_corpus(paths)
    _forget_retired(paths)
    then = params.model_copy(update={"embed": settings})
    if staleness.embed_verdict(new, then).stale:
        embed(root, upcoming=True)
    if label_sources(paths) and staleness.any_fit(new, then, []):
        fit(root, upcoming=True)
    _refuse_missing(paths)
    shutil.rmtree(new.views, ignore_errors=True)
    if paths.views.is_dir():
        link_folder(paths.views, new.views)  # so that the numbers of their versions go on
    materialise(root, upcoming=True)
    report = _report(paths, own, turned=True)
    turn(paths, own)
    return report


def _forget_retired(paths: Paths) -> None:
    """Remove from what the next encoder has made what has neither labels nor a transform here."""
    new, files = NextPaths(paths.root), label_sources(paths)
    for name in {*staleness.fitted(new)} - {*files, *files.errors, *staleness.fitted(paths)}:
        shutil.rmtree(new.transform(name))
        new.metric(name).unlink(missing_ok=True)


def _refuse_missing(paths: Paths) -> None:
    """Refuse to turn over where a view that there is would be none by the next encoder."""
    new = NextPaths(paths.root)
    missing = sorted({*staleness.fitted(paths)} - {*staleness.fitted(new)})
    if not missing:
        return
    why = staleness.rejections(new, load_params(paths.params), missing)
    said = "; ".join(f"{name}: {why.get(name, 'not fitted')}" for name in missing)
    raise InputError(
        f"embed --migrate: found views that cannot be made by the next encoder: {said}; expected"
        f" all of them, so nothing has turned over; mend these and run it again, or {CALL_OFF}"
    )


def _report(paths: Paths, settings: dict[str, object], *, turned: bool) -> MigrationReport:
    new = NextPaths(paths.root)
    stamp = read_manifest(new.stamp("embed"), EmbedStamp) or EmbedStamp()
    views = [
        MigratedView(name, _after(paths, name), _after(new, name)) for name in staleness.fitted(new)
    ]
    return MigrationReport(settings, turned, stamp.rows, stamp.dimensions or 0, views, 0.0)


def _after(paths: Paths, name: str) -> ByMeasure:
    return (read_manifest(paths.metric(name), Scores) or Scores()).after


def _row(view: MigratedView) -> dict[str, object]:
    sides = {"before": view.before, "after": view.after}
    return {"view": view.name} | {
        f"{measure} {when}": figures.get(measure)
        for measure in MEASURES
        for when, figures in sides.items()
    }
