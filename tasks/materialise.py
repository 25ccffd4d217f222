"""Apply a transform to a range of the base table, and publish the view."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks import progress
from tasks.core.settings.table_sections import MaterialiseSettings
from tasks.core.store import checkpoints, maintenance, tables
from tasks.core.store.checkpoints import Slice
from tasks.core.views import publishing
from tasks.core.views.transforming import Reader, reader_of
from tasks.core.workspace.files import remove
from tasks.core.workspace.manifest import object_of
from tasks.core.workspace.manifests import ViewNote
from tasks.core.workspace.state_manifests import Shard
from tasks.retries import RETRIES

FEW = 256  # rows of a change that numpy has read before torch is loaded, which takes a second


@dataclass(frozen=True)
class ViewJob:
    """What every shard of one view shares."""

    name: str
    base: Path
    base_version: int
    view: Path
    transform: Path
    about: ViewNote
    settings: MaterialiseSettings
    shards: Path  # the folder that they are noted in
    whole: bool
    rows: int  # of all shards together


@lru_cache(maxsize=8)
def _load(transform: Path, fingerprint: str, *, light: bool) -> Reader:
    return reader_of(transform, light=light)


@task(
    name="materialise shard",
    task_run_name="{job.name} {part}",
    cache_policy=NO_CACHE,
    **RETRIES,
)
def materialise_shard(job: ViewJob, part: Slice) -> Shard:
    """Transform the planned rows of `part`; what was finished before a kill is kept."""
    purpose = f"{sorted(object_of(job.about).items())} {job.base_version} {job.whole}"
    key = checkpoints.key_of(purpose, part.rows)
    known = checkpoints.load(job.shards, key, job.view)
    if known is not None:
        return known
    shard = publishing.write_shard(
        job.base,
        job.base_version,
        job.view,
        part.rows,
        _load(job.transform, job.about.transform, light=not job.whole and job.rows <= FEW),
        job.about,
        whole=job.whole,
        advance=progress.advance,
    )
    checkpoints.save(job.shards, key, shard)
    return shard


@task(name="retire view", cache_policy=NO_CACHE)
def retire_view(parts: list[Path]) -> None:
    """Remove all that belongs to an instruction, in this order; repeat it after a kill."""
    for part in parts:
        remove(part)


@task(name="publish view", task_run_name="publish {job.name}", cache_policy=NO_CACHE)
def publish_view(job: ViewJob, todo: publishing.Plan, written: list[Shard]) -> int:
    """Make the new rows the view that readers see; return its row count."""
    version = publishing.publish(
        job.base,
        job.base_version,
        job.view,
        todo,
        written,
        job.about,
        job.settings.index_from,
    )
    return tables.count(job.view, version)


@task(name="publish lazy view", task_run_name="publish {name}", cache_policy=NO_CACHE)
def publish_lazy_view(name: str, view: Path, transform: Path, about: ViewNote, keep: int) -> None:
    """Make a table without rows the view that readers see; rows of an earlier one go at once."""
    publishing.publish_lazy(view, about)
    maintenance.bound_versions(view, 1)
    maintenance.bound_transforms(transform.parent, transform.name, keep)


@task(name="forget earlier", task_run_name="forget earlier {job.name}", cache_policy=NO_CACHE)
def forget_earlier(job: ViewJob) -> None:
    """Keep of a view that was just published its newest versions and transforms."""
    keep = job.settings.keep
    maintenance.bound_versions(job.view, keep)
    maintenance.bound_transforms(job.transform.parent, job.transform.name, keep)
