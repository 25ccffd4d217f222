"""The base table: each text of the corpus encoded once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from tasks.core import store
from tasks.core.encoder import Encoder
from tasks.core.errors import InputError

KEYS = ("id", "text_hash", "row_hash")
STORED = {"float16": ": halffloat>", "float32": ": float>"}  # as Arrow spells a list of them
OWN = (*KEYS, "text", "vector", "features")  # every other column came with the documents


@dataclass(frozen=True)
class Plan:
    """What separates the base table from the corpus."""

    rows: np.ndarray  # positions in the corpus of rows that are new or changed
    to_encode: int  # of these, rows whose text has no vector yet
    gone: int  # rows of the table that the corpus no longer holds


def check_encoder(table: Path, fingerprint: str, storage: str) -> None:
    """Refuse to mix two encoders, or two storage types, in one table."""
    if not store.exists(table):
        return
    made = store.note(table)
    stored = store.columns(table)[store.VECTOR]
    if STORED[storage] not in stored:
        raise InputError(
            f"{table.name}: its vectors are {stored}, but params.yaml says embed.storage:"
            f" {storage}; set it back, or run 'refract embed --rebuild'"
        )
    if made.get("fingerprint") != fingerprint:
        settings = made.get("settings", {})
        raise InputError(
            f"{table.name}: made by encoder {settings.get('model')!r} (prompt"
            f" {settings.get('prompt')!r}, max_length {settings.get('max_length')}), but"
            " params.yaml now says otherwise; set 'embed' back, or run 'refract embed --rebuild'"
        )


def plan(corpus: Path, table: Path, *, rebuild: bool) -> Plan:
    """Compare corpus and table by row hash; 24 bytes of memory a row."""
    wanted = {name: np.concatenate(list(_corpus_hashes(corpus, name))) for name in KEYS[1:]}
    total = len(wanted["row_hash"])
    if rebuild or not store.exists(table):
        return Plan(np.arange(total), total, 0)
    have = store.hashes(table, "row_hash")
    rows = np.flatnonzero(~np.isin(wanted["row_hash"], have))
    known_texts = store.hashes(table, "text_hash") if len(rows) else np.empty(0, np.uint64)
    to_encode = int((~np.isin(wanted["text_hash"][rows], known_texts)).sum())
    ids = np.concatenate(list(_corpus_hashes(corpus, "id")))
    gone = int((~np.isin(store.hashes(table, "id"), ids)).sum())
    return Plan(rows, to_encode, gone)


def _corpus_hashes(corpus: Path, name: str) -> Iterator[np.ndarray]:
    for batch in pq.ParquetFile(corpus).iter_batches(columns=[name]):
        yield store.hash64(batch.column(0))


def prepare(corpus: Path, table: Path, *, fresh: bool) -> None:
    """Give an existing table the metadata columns of the corpus."""
    if not fresh:
        fields = [field for field in _corpus_schema(corpus) if field.name not in OWN]
        store.evolve(table, fields, OWN)


def _corpus_schema(corpus: Path) -> pa.Schema:
    schema = pq.read_schema(corpus)
    return pa.schema(
        [
            pa.field(field.name, pa.string() if _is_text(field.type) else field.type)
            for field in schema
        ]
    )


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_large_string(kind) or pa.types.is_string(kind))


def write_shard(
    corpus: Path,
    table: Path,
    rows: np.ndarray,
    encoder: Encoder,
    about: dict[str, Any],
    storage: str,
    *,
    fresh: bool,
    advance: Callable[[int], None],
) -> dict[str, Any]:
    """Encode the corpus rows at positions `rows` and write them as fragments nobody sees yet.

    Texts that the table already holds under any id keep their vector.
    """
    frame = read_rows(corpus, rows)
    known = {} if fresh else _known_vectors(table, frame["text_hash"].unique().to_list())
    unknown = frame.unique("text_hash", maintain_order=True).filter(
        ~pl.col("text_hash").is_in(list(known))
    )
    encoded = encoder.encode(unknown["text"].to_list(), advance)
    known.update(zip(unknown["text_hash"], encoded.vectors, strict=True))
    vectors = np.stack([known[text_hash] for text_hash in frame["text_hash"]])
    advance(len(frame) - len(unknown))
    made = store.assemble(frame, {store.VECTOR: store.vector_array(vectors, storage)})
    stored = (
        []
        if fresh
        else store.where_in(table, "id", frame["id"].to_list(), ["id"])["id"].to_pylist()
    )
    return {
        "fragments": store.write_fragments(table, made, about, fresh=fresh),
        "retired": stored,
        "written": len(frame),
        "encoded": len(unknown),
        "reused": len(frame) - len(unknown),
        "truncated": encoded.truncated,
    }


def _known_vectors(table: Path, text_hashes: list[str]) -> dict[str, np.ndarray]:
    found = store.where_in(table, "text_hash", text_hashes, ["text_hash", store.VECTOR])
    vectors = store.vectors_of(found.column(store.VECTOR))
    return dict(zip(found.column("text_hash").to_pylist(), vectors, strict=True))


def commit_shard(
    corpus: Path,
    table: Path,
    shard: dict[str, Any],
    about: dict[str, Any],
    storage: str,
    *,
    fresh: bool,
) -> int:
    """Make a shard visible in one commit: the old rows of its ids leave as the new ones arrive."""
    if not fresh:
        return store.commit_changes(table, shard["retired"], shard["fragments"])
    fields = list(_corpus_schema(corpus))
    kind = pa.float16() if storage == "float16" else pa.float32()
    fields.append(pa.field(store.VECTOR, pa.list_(kind, int(about["dimensions"]))))
    return store.commit_whole(table, pa.schema(fields), about, shard["fragments"])


def retire_gone(corpus: Path, table: Path) -> int:
    """Remove rows whose id the corpus no longer holds; return how many."""
    ids = np.concatenate(list(_corpus_hashes(corpus, "id")))
    gone: list[str] = []
    for batch in store.batches(table, ["id"]):
        column = batch.column("id")
        missing = ~np.isin(store.hash64(column), ids)
        gone += column.filter(pa.array(missing)).to_pylist()
    if gone:
        store.commit_changes(table, gone, [])
    return len(gone)


def read_rows(corpus: Path, rows: np.ndarray) -> pl.DataFrame:
    """Return the corpus rows at ascending positions `rows`, reading only their row groups."""
    file = pq.ParquetFile(corpus)
    parts, begin = [], 0
    for group in range(file.num_row_groups):
        end = begin + file.metadata.row_group(group).num_rows
        inside = rows[(rows >= begin) & (rows < end)] - begin
        if len(inside):
            parts.append(file.read_row_group(group).take(pa.array(inside)))
        begin = end
    return pl.DataFrame(pa.concat_tables(parts))


def sample(table: Path, size: int) -> np.ndarray:
    """Return vectors (≤ size, d) of the rows with the smallest hashes, whatever their order."""
    order = store.hashes(table, "row_hash")
    positions = np.argsort(order, kind="stable")[:size]
    return vectors_at(table, np.sort(positions))


def vectors_at(table: Path, positions: np.ndarray) -> np.ndarray:
    return store.vectors_of(store.take(table, positions, [store.VECTOR]).column(store.VECTOR))


def lookup(table: Path, ids: list[str]) -> tuple[list[str], np.ndarray]:
    """Return those of `ids` that the table holds, and their vectors (n, d), in the same order."""
    found = store.where_in(table, "id", ids, ["id", store.VECTOR])
    return found.column("id").to_pylist(), store.vectors_of(found.column(store.VECTOR))


def keys(table: Path) -> pl.DataFrame:
    """Return id and text_hash of every row."""
    return pl.concat(
        [pl.DataFrame(pa.table(batch)) for batch in store.batches(table, ["id", "text_hash"])]
    )
