"""Encode a range of the corpus, and commit it to the base table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.core.encoding import base_table, truncated
from tasks.core.encoding.encoder import load_encoder
from tasks.core.encoding.features import SAMPLE, LayerPca, load_layer_pca
from tasks.core.encoding.featurizer import Featurizer, describe, fit_coder, load_coder
from tasks.core.encoding.vector_space import fingerprint
from tasks.core.settings.table_sections import EmbedSettings
from tasks.core.store import checkpoints, layout
from tasks.core.store import index as nearest
from tasks.core.workspace.state_manifests import Shard
from tasks.retries import RETRIES


@dataclass(frozen=True)
class EmbedJob:
    """What every shard of one run shares."""

    corpus: Path
    digest: str  # of the corpus's table: numbers of rows in another are not those in this one
    table: Path
    settings: EmbedSettings
    plan: Path
    truncated: Path  # the list of the texts that were cut
    reduction: Path | None = None  # the map of the features, if any are kept


@dataclass(frozen=True)
class EmbedCounts:
    """What became of a shard's texts."""

    written: int
    encoded: int
    reused: int
    truncated: int
    precision: str


@task(name="fit features", cache_policy=NO_CACHE, **RETRIES)
def fit_features(job: EmbedJob, advance: Callable[[int], None]) -> LayerPca | None:
    """Fit the map of the features on a sample of the corpus; None for an encoder without layers."""
    texts = base_table.sample_texts(job.corpus, SAMPLE)
    encoder = load_encoder(job.settings)
    size = job.settings.feature_size
    return fit_coder(encoder, texts, size, _memory(job), advance).reduction


def _memory(job: EmbedJob) -> Path:
    return job.plan.parent / "sample.safetensors"


def _coder(job: EmbedJob) -> Featurizer:
    encoder = load_encoder(job.settings)
    if job.reduction is None:
        return Featurizer(encoder)
    reduction = load_layer_pca(job.reduction)
    return load_coder(encoder, reduction, _memory(job))


@task(name="embed shard", task_run_name="embed {start}-{stop}", cache_policy=NO_CACHE, **RETRIES)
def embed_shard(
    job: EmbedJob, start: int, stop: int, fresh: bool, advance: Callable[[int], None]
) -> Shard:
    """Encode the planned rows `start` to `stop`; a shard finished before a kill is not repeated."""
    rows = checkpoints.read_plan(job.plan, start, stop)
    reduction = job.reduction and job.reduction.name
    space, storage = fingerprint(job.settings), job.settings.storage
    purpose = f"cut {job.digest} {space} {reduction} {storage} {fresh}"
    key = checkpoints.key_of(purpose, rows)
    known = checkpoints.load(job.plan.parent, key, job.table)
    if known is not None:
        advance(stop - start)
        return known
    coder = _coder(job)
    shard = base_table.write_shard(
        job.corpus,
        job.table,
        rows,
        coder,
        describe(job.settings, coder),
        storage,
        fresh=fresh,
        advance=advance,
    )
    checkpoints.save(job.plan.parent, key, shard)
    return shard


@task(name="commit shard", cache_policy=NO_CACHE)
def commit_shard(job: EmbedJob, shard: Shard, fresh: bool) -> EmbedCounts:
    """Make a shard's rows visible in one commit."""
    truncated.add(job.truncated, shard.cut, fresh=fresh)
    storage = job.settings.storage
    base_table.commit_shard(job.corpus, job.table, shard, storage, fresh=fresh)
    return EmbedCounts(
        shard.written,
        shard.encoded,
        shard.reused,
        len(shard.cut),
        shard.about.settings.precision,
    )


@task(name="retire", cache_policy=NO_CACHE)
def retire(corpus: Path, table: Path) -> int:
    """Remove the rows of texts that the corpus no longer holds."""
    return base_table.retire_gone(corpus, table) if layout.exists(table) else 0


@task(name="index", cache_policy=NO_CACHE)
def index(table: Path, from_rows: int) -> bool:
    """Index the table, or take its new rows into the index; False below `from_rows` rows."""
    return nearest.index(table, from_rows)
