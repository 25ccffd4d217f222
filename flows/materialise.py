"""Transforms → views of the whole corpus."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from prefect import flow

from flows.engine.choosing import engine, everywhere
from flows.engine.piece import Engine, Piece
from flows.migration.upcoming import opened
from flows.runtime.lock import writer
from flows.runtime.prefect_artifacts import leave_table, leave_view
from flows.runtime.under_way import under_way
from flows.state.label_sources import label_sources
from flows.state.staleness import to_retire, view_mode, view_verdict, wanted_views
from flows.state.unwritten import sweep
from flows.stores.settling import let_go, settle
from tasks.core.labels.files import LabelFile
from tasks.core.settings.params import Params
from tasks.core.store import checkpoints, recall, tables
from tasks.core.store.checkpoints import Slice
from tasks.core.views import publishing
from tasks.core.views.kept_versions import keep_labels
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.manifest import object_of, read_manifest, write_manifest
from tasks.core.workspace.manifests import FULL, LAZY, EmbedStamp, ViewNote, ViewStamp
from tasks.core.workspace.one_look import one_look
from tasks.core.workspace.paths import Paths
from tasks.core.workspace.state_manifests import Shard
from tasks.materialise import (
    ViewJob,
    forget_earlier,
    materialise_shard,
    publish_lazy_view,
    publish_view,
    retire_view,
)
from tasks.progress import track


@dataclass(frozen=True)
class ViewReport:
    """What one view holds now, and what was written for it."""

    name: str
    rows: int
    written: int
    retired: int
    dimensions: int
    whole: bool
    mode: str
    seconds: float


@flow(name="materialise", flow_run_name="materialise")
def materialise(
    root: Path, names: list[str] | None = None, upcoming: bool = False
) -> list[ViewReport]:
    """Write every view that is out of date; readers see the old one until the new one is whole.

    upcoming: of the next encoder's vectors, apart.
    """
    paths, params = opened(root, upcoming=upcoming)
    paths = everywhere(paths, params.engine)
    paths.views.mkdir(parents=True, exist_ok=True)
    reports, failed = [], {}
    with writer(paths), engine(paths, params.engine) as workers:
        _, params = opened(root, upcoming=upcoming)  # as they are now that the lock is held
        gone = [] if names else to_retire(paths, params)
        for name in gone:
            let_go(paths.view_table(name))
            retire_view(_parts(paths, name))
        with one_look():
            wanted = wanted_views(paths, names or [])
            stale = [name for name in wanted if view_verdict(paths, params, name).stale]
            modes = {name: view_mode(paths, params, name) for name in stale}
        files, how = label_sources(paths), params.materialise
        with under_way(paths, "materialise", stale):
            for name, mode in modes.items():
                try:
                    about = publishing.describe(
                        paths.transform(name), how.storage, text=how.text, mode=mode
                    )
                    _prepare(paths, params, name, about, files.get(name))
                    make = _lazy if about.lazy else partial(_full, workers=workers)
                    reports.append(make(paths, params, name, about))
                except InputError as error:
                    failed[name] = error
    rows: list[dict[str, object]] = [asdict(report) for report in reports]
    rows += [{"name": name, "retired": "its label file is gone"} for name in gone]
    leave_table("materialise", "Views", rows)
    for report in reports:
        lazy = report.mode == LAZY
        leave_view(report.name, None if lazy else paths.view_table(report.name))
    if failed:
        raise InputError("; ".join(str(error) for error in failed.values()))
    return reports


def _prepare(
    paths: Paths, params: Params, name: str, about: ViewNote, file: LabelFile | None
) -> None:
    """Keep the transform and its labels beside the view, and take back what a kill has left."""
    kept = paths.kept_transform(name, about.transform)
    publishing.keep_transform(kept.parent, paths.transform(name), about.transform)
    keep_labels(kept, file)
    settle(paths, params, paths.view_table(name))
    tables.rewind(paths.view_table(name))


def _lazy(paths: Paths, params: Params, name: str, about: ViewNote) -> ViewReport:
    begun, shards = time.perf_counter(), paths.shards(f"materialise/{name}")
    unfinished = checkpoints.begun(shards)
    kept = paths.kept_transform(name, about.transform)
    publish_lazy_view(name, paths.view_table(name), kept, about, params.materialise.keep)
    write_manifest(paths.view_stamp(name), _made(paths, name, about))
    if unfinished:
        sweep(paths.view_table(name))
        checkpoints.clear(shards)
    rows = tables.count(paths.base_table)
    return ViewReport(name, rows, 0, 0, about.size or 0, False, LAZY, time.perf_counter() - begun)


def _full(
    paths: Paths, params: Params, name: str, about: ViewNote, *, workers: Engine
) -> ViewReport:
    begun, settings = time.perf_counter(), params.materialise
    base_version = tables.version(paths.base_table)
    unfinished = checkpoints.begun(paths.shards(f"materialise/{name}"))
    todo = publishing.plan(paths.base_table, base_version, paths.view_table(name), about)
    shards = checkpoints.begin(paths.shards(f"materialise/{name}"))
    job = ViewJob(
        name=name,
        base=paths.base_table,
        base_version=base_version,
        view=paths.view_table(name),
        transform=paths.kept_transform(name, about.transform),
        about=about,
        settings=settings,
        shards=shards,
        whole=todo.whole,
        rows=len(todo.rows),
    )
    with track(f"materialise {name}", len(todo.rows), "rows") as advance:
        pieces = map(partial(_piece, job), checkpoints.slices(todo.rows, settings.chunk))
        written: list[Shard] = []
        for _, shard in workers.run(materialise_shard, pieces, advance):
            written.append(shard())
    rows = publish_view(job, todo, written)
    _stamp(paths, name, about, rows)
    forget_earlier(job)
    if unfinished or workers.apart:
        sweep(paths.view_table(name))
    checkpoints.clear(shards)
    return ViewReport(
        name=name,
        rows=rows,
        written=len(todo.rows),
        retired=len(todo.retired),
        dimensions=about.size or 0,
        whole=todo.whole,
        mode=FULL,
        seconds=time.perf_counter() - begun,
    )


def _piece(job: ViewJob, part: Slice) -> Piece:
    def named() -> str:
        return f"view {job.name!r}, rows {part} of the base vectors"

    return Piece({"job": job, "part": part}, len(part.rows), named)


def _parts(paths: Paths, name: str) -> list[Path]:
    """Return all that belongs to an instruction; its transform, which says that it is, last."""
    kept = paths.kept_transform(name, "any").parent
    return [
        paths.view_stamp(name),
        paths.view_table(name),
        kept,
        paths.metric(name),
        paths.transform(name),
    ]


def _stamp(paths: Paths, name: str, about: ViewNote, rows: int) -> None:
    base = read_manifest(paths.stamp("embed"), EmbedStamp)
    stamp = _made(paths, name, about).changed(base=base and base.digest, rows=rows)
    measured = recall.noted(paths.view_table(name), stamp.version)
    write_manifest(paths.view_stamp(name), stamp.changed(index=measured) if measured else stamp)


def _made(paths: Paths, name: str, about: ViewNote) -> ViewStamp:
    version = tables.live_version(paths.view_table(name))
    return ViewStamp.model_validate(object_of(about) | {"version": version})
