"""Corpus → base vectors, each text encoded once."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from prefect import flow

from flows.engine.choosing import engine, everywhere
from flows.engine.piece import Engine, Piece
from flows.late_labels import Arrivals
from flows.migration.upcoming import come, opened
from flows.runtime.lock import writer
from flows.runtime.prefect_artifacts import leave_table
from flows.state.staleness import base_digest
from flows.state.trust import ask
from flows.state.unwritten import sweep
from flows.stores.settling import settle
from tasks.core.encoding import base_table, planning, truncated
from tasks.core.encoding.encoder import TRIAL_FROM, trial_positions
from tasks.core.encoding.features import SAMPLE, load_layer_pca
from tasks.core.encoding.featurizer import space_of
from tasks.core.encoding.same_encoder import check_encoder
from tasks.core.encoding.vector_space import fingerprint
from tasks.core.query.encoder import static_of
from tasks.core.settings.table_sections import EmbedSettings
from tasks.core.store import checkpoints, layout, recall, tables
from tasks.core.store.checkpoints import Slice
from tasks.core.text.discretion import shown
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import write_bytes
from tasks.core.workspace.manifest import read_manifest, write_manifest
from tasks.core.workspace.manifests import EmbedStamp, IngestStamp
from tasks.core.workspace.paths import Paths
from tasks.core.workspace.state_manifests import PrecisionNote, RebuildNote
from tasks.embed import (
    EmbedCounts,
    EmbedJob,
    choose_precision,
    commit_shard,
    embed_shard,
    fit_features,
    index,
    index_keys,
    retire,
)
from tasks.progress import track


@dataclass(frozen=True)
class EmbedReport:
    """What became of the corpus's texts; windowed: those that were read by several windows."""

    rows: int
    written: int
    encoded: int
    reused: int
    retired: int
    truncated: int
    windowed: int
    dimensions: int
    precision: str
    seconds: float


@flow(name="embed", flow_run_name="embed")
def embed(
    root: Path, rebuild: bool = False, arrivals: bool = False, upcoming: bool = False
) -> EmbedReport:
    """Encode what is new or changed, retire what is gone; `rebuild` encodes everything anew.

    arrivals: between two chunks make the views of label files that have arrived meanwhile, where
    there were base vectors of this encoder to begin with. upcoming: by the next encoder, apart.
    """
    begun = time.perf_counter()
    paths, params = opened(root, upcoming=upcoming)
    paths = everywhere(paths, params.engine)
    ask(paths, "model")
    table, rebuilding = paths.base_table, paths.shards("embed") / checkpoints.REBUILD
    with writer(paths), engine(paths, params.engine) as workers:
        _, params = opened(root, upcoming=upcoming)  # as they are now that the lock is held
        settings, corpus = params.embed, _corpus(paths)
        settle(paths, params, table)
        if rebuild:
            space = f"{fingerprint(settings)} {settings.storage}"
            fresh = not _goes_on(table, space, rebuilding)
        else:
            rebuilding.unlink(missing_ok=True)
            check_encoder(table, settings)
            fresh = not layout.exists(table)
        made_of = _made_of(paths)
        _begin(paths, corpus.digest, fresh=fresh)
        unfinished = checkpoints.begun(paths.shards("embed"))
        base_table.prepare(paths.corpus_table, table, fresh=fresh)
        todo = planning.plan(paths.corpus_table, table, rebuild=fresh, made_of=made_of)
        shards = checkpoints.begin(paths.shards("embed"))
        job = EmbedJob(
            corpus=paths.corpus_table,
            digest=corpus.content,
            table=table,
            settings=settings,
            shards=shards,
            truncated=paths.truncated,
            windowed=paths.windowed if settings.long == "windows" else None,
            fresh=fresh,
            rows=len(todo.rows),
        )
        job = _with_precision(job, workers, todo)
        job = _with_features(job, workers, paths, len(todo.rows))
        known = paths.stamp("embed").is_file() and not fresh
        labels = Arrivals(paths) if arrivals and known else None
        counts = _embed_all(job, workers, todo.rows, _between(paths, len(todo.rows), labels))
        retired = retire(paths.corpus_table, table) if todo.gone else 0
        index(table, settings.index_from)
        _forget_replaced(paths, settings)
        report = _report(table, counts, retired, begun)
        _stamp(paths, settings, corpus, report)
        if unfinished or workers.apart:
            sweep(table)
        checkpoints.clear(shards)
    leave_table("embed", "Base vectors", [asdict(report)])
    return report


def _corpus(paths: Paths) -> IngestStamp:
    """Return what is noted of the corpus; InputError where it is not there, or another."""
    corpus = read_manifest(paths.stamp("ingest"), IngestStamp)
    if corpus is None or not layout.exists(paths.corpus_table):
        raise InputError("data/corpus: no corpus yet; expected one; run 'refract ingest'")
    if corpus.content != layout.state(paths.corpus_table):
        raise InputError(
            "data/corpus: found another corpus than was noted, as an ingest that was stopped leaves"
            " it; expected the one that was; run 'refract ingest'"
        )
    return corpus


def _made_of(paths: Paths) -> planning.Made | None:
    """Return the version of the corpus that the table holds; None where it holds no one version."""
    stamp = read_manifest(paths.stamp("embed"), EmbedStamp)
    if stamp is None or stamp.corpus is None or stamp.corpus_version is None:
        return None
    return planning.Made(stamp.corpus_version, stamp.corpus_content)


def _begin(paths: Paths, corpus: str, *, fresh: bool) -> None:
    """Note that the table is neither of the old corpus any more nor of the new one yet."""
    stamp = read_manifest(paths.stamp("embed"), EmbedStamp)
    if stamp is not None and (fresh or stamp.corpus != corpus):
        digest = base_digest(stamp.digest, corpus, "under way")
        write_manifest(paths.stamp("embed"), stamp.changed(corpus=None, digest=digest))


def _goes_on(table: Path, space: str, note: Path) -> bool:
    """Tell whether a killed rebuild has replaced the table already; else note that one begins."""
    now = tables.version(table) if layout.exists(table) else 0
    begun = read_manifest(note, RebuildNote)
    if begun is not None and begun.space == space and begun.version < now:
        return True
    write_manifest(note, RebuildNote(space=space, version=now))
    return False


def _with_precision(job: EmbedJob, workers: Engine, todo: planning.Plan) -> EmbedJob:
    """Return the job with one precision for all shards, also of those that follow a kill."""
    settings, note = job.settings, job.shards / "precision.json"
    if settings.precision != "auto":
        return job
    noted = read_manifest(note, PrecisionNote)
    if noted is not None and noted.space == fingerprint(settings):
        precision = noted.precision
    elif todo.to_encode < TRIAL_FROM or static_of(settings) is not None:
        precision = "float32"
    else:
        first = todo.rows[: settings.chunk]
        rows = first[trial_positions(len(first))]
        piece = Piece({"job": job, "rows": rows}, 0, lambda: "the choice of the precision")
        [(_, chosen)] = workers.run(choose_precision, [piece], lambda _: None)
        precision = chosen()
        write_manifest(note, PrecisionNote(space=fingerprint(settings), precision=precision))
    return replace(job, settings=settings.model_copy(update={"precision": precision}))


def _with_features(job: EmbedJob, workers: Engine, paths: Paths, rows: int) -> EmbedJob:
    """Return the job with the file of the feature map; a new table gets a map of its own."""
    if job.settings.features == "last":
        return job
    if not job.fresh:
        known = base_table.note_of(job.table).features
        return replace(job, reduction=paths.reduction(known.fingerprint) if known else None)
    file, size = job.shards / "reduction.safetensors", min(SAMPLE, rows)
    piece = Piece({"job": job, "file": file}, size, lambda: "the sample for the features")
    with track("features", size, "texts") as advance:
        [(_, made)] = workers.run(fit_features, [piece], advance)
        if not made():
            return job
    kept = paths.reduction(load_layer_pca(file).fingerprint)
    write_bytes(kept, file.read_bytes())
    return replace(job, reduction=kept)


def _forget_replaced(paths: Paths, settings: EmbedSettings) -> None:
    """Remove the maps, and the list of texts read by windows, of tables that were replaced."""
    if settings.long != "windows":
        paths.windowed.unlink(missing_ok=True)
    used = base_table.note_of(paths.base_table).features
    for file in paths.vectors.glob(paths.reduction("*").name):
        if used is None or file != paths.reduction(used.fingerprint):
            file.unlink()


def _between(paths: Paths, rows: int, labels: Arrivals | None) -> Callable[[int], None]:
    """Return what is done between two chunks, told how many of the `rows` are written."""
    come(paths, rows)

    def between(written: int) -> None:
        come(paths, rows - written)
        if labels is not None and written < rows:
            labels.take_in()

    return between


def _embed_all(
    job: EmbedJob, workers: Engine, rows: np.ndarray, between: Callable[[int], None]
) -> list[EmbedCounts]:
    """Encode chunk by chunk, each one commit: a kill costs at most the chunks at work.

    Texts that repeat others come last, when these have their vectors. between: see `_between`.
    """
    counts: list[EmbedCounts] = []
    first, repeats = planning.parted(job.corpus, rows) if len(rows) else (rows, rows)
    with track("embed", len(rows), "texts") as advance:
        for part in filter(len, (first, repeats)):
            if layout.exists(job.table):
                if not job.fresh:
                    index_keys(job.table)
                job = replace(job, version=tables.version(job.table))
            slices = checkpoints.slices(part, job.settings.chunk)
            pieces = map(partial(_piece, job), slices)
            for _, shard in workers.run(embed_shard, pieces, advance):
                counts.append(commit_shard(job, shard(), job.fresh and not counts))
                between(sum(each.written for each in counts))
            job = replace(job, fresh=False)
    return counts


def _piece(job: EmbedJob, part: Slice) -> Piece:
    def named() -> str:
        ids = base_table.read_rows(job.corpus, part.rows[[0, -1]])["id"]
        return f"the {len(part.rows):,} texts from id {shown(ids[0])} to {shown(ids[-1])}"

    return Piece({"job": job, "part": part}, len(part.rows), named)


def _report(table: Path, counts: list[EmbedCounts], retired: int, begun: float) -> EmbedReport:
    note = base_table.note_of(table)
    used = [count.precision for count in counts if count.encoded]  # no other has been measured
    return EmbedReport(
        rows=tables.count(table),
        written=sum(count.written for count in counts),
        encoded=sum(count.encoded for count in counts),
        reused=sum(count.reused for count in counts),
        retired=retired,
        truncated=sum(count.truncated for count in counts),
        windowed=sum(count.windowed for count in counts),
        dimensions=note.dimensions,
        precision=used[-1] if used else note.settings.precision,
        seconds=time.perf_counter() - begun,
    )


def _stamp(paths: Paths, settings: EmbedSettings, corpus: IngestStamp, report: EmbedReport) -> None:
    encoder, space = fingerprint(settings), space_of(base_table.note_of(paths.base_table))
    stamp = EmbedStamp(
        corpus=corpus.digest,
        corpus_version=tables.version(paths.corpus_table),
        corpus_content=layout.state(paths.corpus_table),
        encoder=encoder,
        space=space,
        digest=base_digest(corpus.digest, space, settings.storage),
        model=settings.model,
        rows=report.rows,
        dimensions=report.dimensions,
        precision=report.precision,
        storage=settings.storage,
        long=settings.long,
        truncated=truncated.total(paths.truncated, paths.base_table),
        windowed=truncated.total(paths.windowed, paths.base_table),
    )
    measured = recall.noted(paths.base_table)
    if measured is not None:
        stamp = stamp.changed(index=measured)
    write_manifest(paths.stamp("embed"), stamp)
