"""Encode a range of the corpus, and commit it to the base table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.core import base, nearest, shards, store
from tasks.core.encoder import EncoderSettings, describe, load_encoder
from tasks.patience import RETRIES


@dataclass(frozen=True)
class EmbedJob:
    """What every shard of one run shares."""

    corpus: Path
    digest: str  # of the corpus's rows: a shard of another corpus is never taken for this one's
    table: Path
    settings: EncoderSettings
    storage: str
    plan: Path


@dataclass(frozen=True)
class EmbedCounts:
    """What became of a shard's texts."""

    written: int
    encoded: int
    reused: int
    truncated: int
    precision: str


@task(name="embed shard", task_run_name="embed {start}-{stop}", cache_policy=NO_CACHE, **RETRIES)
def embed_shard(
    job: EmbedJob, start: int, stop: int, fresh: bool, advance: Callable[[int], None]
) -> dict[str, Any]:
    """Encode the planned rows `start` to `stop`; a shard finished before a kill is not repeated."""
    rows = shards.read_plan(job.plan, start, stop)
    purpose = f"{job.digest} {job.settings.fingerprint()} {job.storage} {fresh}"
    key = shards.key_of(purpose, rows)
    known = shards.recall(job.plan.parent, key, job.table)
    if known is not None:
        advance(stop - start)
        return known
    encoder = load_encoder(job.settings)
    shard = base.write_shard(
        job.corpus,
        job.table,
        rows,
        encoder,
        describe(job.settings, encoder),
        job.storage,
        fresh=fresh,
        advance=advance,
    )
    shard |= {"about": describe(job.settings, encoder)}
    shards.remember(job.plan.parent, key, shard)
    return shard


@task(name="commit shard", cache_policy=NO_CACHE)
def commit_shard(job: EmbedJob, shard: dict[str, Any], fresh: bool) -> EmbedCounts:
    """Make a shard's rows visible in one commit."""
    base.commit_shard(job.corpus, job.table, shard, shard["about"], job.storage, fresh=fresh)
    return EmbedCounts(
        shard["written"],
        shard["encoded"],
        shard["reused"],
        shard["truncated"],
        shard["about"]["settings"]["precision"],
    )


@task(name="retire", cache_policy=NO_CACHE)
def retire(corpus: Path, table: Path) -> int:
    """Remove the rows of texts that the corpus no longer holds."""
    return base.retire_gone(corpus, table) if store.exists(table) else 0


@task(name="index", cache_policy=NO_CACHE)
def index(table: Path, from_rows: int) -> bool:
    """Index the table, or take its new rows into the index; False below `from_rows` rows."""
    return nearest.index(table, from_rows)
