"""Encode a range of the corpus, and commit it to the base table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks import progress
from tasks.core.encoding import base_table, truncated
from tasks.core.encoding.encoder import Precision, faster_precision
from tasks.core.encoding.features import SAMPLE, load_layer_pca
from tasks.core.encoding.featurizer import Featurizer, describe, fit_coder, load_coder
from tasks.core.encoding.vector_space import fingerprint
from tasks.core.query.encoder import load_query_encoder, load_table_encoder
from tasks.core.settings.table_sections import EmbedSettings
from tasks.core.store import checkpoints, layout
from tasks.core.store import index as nearest
from tasks.core.store.checkpoints import Slice
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.state_manifests import Shard
from tasks.retries import RETRIES

FEW = 32  # rows of a change that numpy has encoded before sentence-transformers is loaded: 3 s


@dataclass(frozen=True)
class EmbedJob:
    """What every shard of one run shares."""

    corpus: Path
    digest: str  # of the corpus's table: numbers of rows in another are not those in this one
    table: Path
    settings: EmbedSettings  # its precision is decided
    shards: Path  # the folder that they are noted in
    truncated: Path  # the list of the texts that were cut
    windowed: Path | None  # and of those that were read by several windows, if any are
    fresh: bool  # nothing of what the table held before stays
    rows: int  # of all shards together
    version: int | None = None  # of the table that vectors of known texts are taken from
    reduction: Path | None = None  # the map of the features, if any are kept


@dataclass(frozen=True)
class EmbedCounts:
    """What became of a shard's texts."""

    written: int
    encoded: int
    reused: int
    truncated: int
    windowed: int
    precision: str


@task(name="choose precision", cache_policy=NO_CACHE, **RETRIES)
def choose_precision(job: EmbedJob, rows: np.ndarray) -> Precision:
    """Measure on the texts at `rows` which precision is faster where this runs."""
    return faster_precision(job.settings, base_table.read_rows(job.corpus, rows)["text"].to_list())


@task(name="fit features", cache_policy=NO_CACHE, **RETRIES)
def fit_features(job: EmbedJob, file: Path) -> bool:
    """Fit the map of the features on a sample of the corpus, and write it to `file`.

    False for an encoder without layers.
    """
    texts = base_table.sample_texts(job.corpus, SAMPLE)
    encoder, size = load_table_encoder(job.settings), job.settings.feature_size
    made = fit_coder(encoder, texts, size, _memory(job), progress.advance).reduction
    if made is not None:
        made.save(file)
    return made is not None


def _memory(job: EmbedJob) -> Path:
    return job.shards / "sample.safetensors"


def _coder(job: EmbedJob) -> Featurizer:
    exact = job.settings.precision == "float32"
    load = load_query_encoder if exact and job.rows <= FEW else load_table_encoder
    encoder = load(job.settings)
    if job.reduction is None:
        return Featurizer(encoder)
    reduction = load_layer_pca(job.reduction)
    return load_coder(encoder, reduction, _memory(job))


@task(name="embed shard", task_run_name="embed {part}", cache_policy=NO_CACHE, **RETRIES)
def embed_shard(job: EmbedJob, part: Slice) -> Shard:
    """Encode the planned rows of `part`; a shard finished before a kill is not repeated."""
    known = _finished(job, part)
    if known is not None:
        return known
    coder = _coder(job)
    shard = base_table.write_shard(
        job.corpus,
        job.table,
        part.rows,
        coder,
        describe(job.settings, coder),
        job.settings.storage,
        fresh=job.fresh,
        advance=progress.advance,
        version=job.version,
    )
    checkpoints.save(job.shards, _key(job, part, fresh=job.fresh), shard)
    return shard


def _finished(job: EmbedJob, part: Slice) -> Shard | None:
    """Return the shard if it was finished before; of a fresh table that was begun before, too."""
    found = checkpoints.load(job.shards, _key(job, part, fresh=job.fresh), job.table)
    if found is not None or job.fresh:
        return found
    found = checkpoints.load(job.shards, _key(job, part, fresh=True), job.table)
    if found is None or base_table.holds_any(job.corpus, job.table, part.rows, job.version):
        return None
    return found


def _key(job: EmbedJob, part: Slice, *, fresh: bool) -> str:
    reduction = job.reduction and job.reduction.name
    space, precision = fingerprint(job.settings), job.settings.precision
    purpose = f"long {job.digest} {space} {precision} {reduction} {job.settings.storage} {fresh}"
    return checkpoints.key_of(purpose, part.rows)


@task(name="commit shard", cache_policy=NO_CACHE)
def commit_shard(job: EmbedJob, shard: Shard, first: bool) -> EmbedCounts:
    """Make a shard's rows visible in one commit; the `first` of a fresh table replaces all of it.

    InputError for vectors of another precision than was decided.
    """
    made, decided = shard.about.settings.precision, job.settings.precision
    if shard.encoded and made != decided:
        raise InputError(
            f"embed: a worker has encoded in {made}, expected {decided} as all the others; let all"
            " workers run the same version of Refract, or set embed.precision: float32"
        )
    truncated.add(job.truncated, shard.cut, fresh=first)
    if job.windowed is not None:
        truncated.add(job.windowed, shard.windowed, fresh=first)
    storage = job.settings.storage
    base_table.commit_shard(job.corpus, job.table, shard, storage, fresh=first)
    if not job.fresh:
        nearest.index_keys(job.table)  # the next shard's ids are looked for among what is here
    return EmbedCounts(
        shard.written,
        shard.encoded,
        shard.reused,
        len(shard.cut),
        len(shard.windowed),
        shard.about.settings.precision,
    )


@task(name="retire", cache_policy=NO_CACHE)
def retire(corpus: Path, table: Path) -> int:
    """Remove the rows of texts that the corpus no longer holds."""
    return base_table.retire_gone(corpus, table) if layout.exists(table) else 0


@task(name="index keys", cache_policy=NO_CACHE)
def index_keys(table: Path) -> None:
    """Index the ids and texts of the table, where many are not: shards look theirs up."""
    nearest.index_keys(table)


@task(name="index", cache_policy=NO_CACHE)
def index(table: Path, from_rows: int) -> bool:
    """Index the table, or take its new rows into the index; False below `from_rows` rows."""
    return nearest.index(table, from_rows)
