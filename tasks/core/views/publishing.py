"""A view made and published: what it lacks, shards that nobody sees yet, one commit, one tag moved.

A view is the whole corpus under one transform, one table per instruction. Readers follow the tag
`live` of its table, which moves last: they see the old view or the new one, never a mixture. The
table of a lazy view holds no row, only the note of which transform makes them (`view_rows`).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from tasks.core.encoding.base_table import OWN as BASE_OWN
from tasks.core.store import arrow, comparing, index, tables
from tasks.core.transforms.card import CARD, TENSORS, is_whole, read_artifact, read_card, refuse
from tasks.core.views.transforming import BLOCK, Reader, columns_read, transformed
from tasks.core.workspace.files import write_bytes
from tasks.core.workspace.manifest import manifest_of, object_of
from tasks.core.workspace.manifests import FULL, ViewNote
from tasks.core.workspace.state_manifests import Shard

OWN = ("id", "row_hash", "text", "vector", *tables.READINGS)  # others came with the documents
FUNCTION = "refract"  # what LanceDB's registry of embedding functions calls ours
_FUNCTIONS = b"embedding_functions"  # where LanceDB looks for them in a table's metadata


@dataclass(frozen=True)
class Plan:
    """What separates a view from the base table."""

    whole: bool  # another transform or other columns: every row is written anew
    rows: np.ndarray  # positions in the base table of the rows to write
    retired: np.ndarray  # addresses of the rows in the view that are out of date


def plan(base: Path, base_version: int, view: Path, about: ViewNote) -> Plan:
    """Decide what the view lacks: all of it under a new transform, else only rows that changed.

    Rows are compared by hash: 16 bytes of memory a row. The addresses that retire are those of the
    live version, which has to be the latest when they go: see `tables.rewind`.
    """
    total = tables.count(base, base_version)
    live = tables.live_version(view)
    everything = Plan(True, np.arange(total), np.empty(0, np.uint64))
    if live is None or note_of(view, live) != about:
        return everything
    if _metadata(base, BASE_OWN, base_version) != _metadata(view, OWN, live):
        return everything
    want = tables.hashes(base, "row_hash", base_version)
    want.sort()
    have = tables.hashes(view, "row_hash", live)
    have.sort()
    new, gone = comparing.apart(want, have)
    del want, have
    rows, retired = np.empty(0, np.int64), np.empty(0, np.uint64)
    if len(new):
        rows = comparing.positions(base, "row_hash", new, base_version)
    if len(gone):
        retired = comparing.places(view, "row_hash", gone, live)
    return Plan(False, rows, retired)


def _metadata(table: Path, own: tuple[str, ...], version: int) -> dict[str, tuple[str, str | None]]:
    return arrow.kinds(tables.metadata_schema(table, own, version))


def write_shard(
    base: Path,
    base_version: int,
    view: Path,
    rows: np.ndarray,
    transform: Reader,
    about: ViewNote,
    *,
    whole: bool,
    advance: Callable[[int], None],
) -> Shard:
    """Transform the base rows at positions `rows` into fragments that nobody sees yet."""
    names = [*_keys(about), *_metadata(base, BASE_OWN, base_version)]
    parts = []
    read = columns_read(transform)
    for batch in _read(base, base_version, rows, list(dict.fromkeys([*names, *read]))):
        parts.append(transformed(batch, names, transform, about.storage))
        advance(batch.num_rows)
    made = pa.concat_tables(parts)
    fragments = tables.write_fragments(view, made, object_of(about), fresh=whole)
    return Shard(fragments=fragments, written=made.num_rows)


def _keys(about: ViewNote) -> list[str]:
    return ["id", "row_hash", *(["text"] if about.text else [])]


def _read(base: Path, version: int, rows: np.ndarray, names: list[str]) -> Any:
    start, stop = int(rows[0]), int(rows[-1]) + 1
    if stop - start == len(rows):
        return tables.batches(base, names, version=version, start=start, stop=stop, rows=BLOCK)
    return tables.take(base, rows, names, version).to_batches(max_chunksize=BLOCK)


def publish(
    base: Path,
    base_version: int,
    view: Path,
    todo: Plan,
    written: list[Shard],
    about: ViewNote,
    index_from: int,
) -> int:
    """Commit the shards at once, index them, then move the tag that readers follow."""
    fragments = [text for shard in written for text in shard.fragments]
    if todo.whole:
        schema = _schema(tables.metadata_schema(base, BASE_OWN, base_version), about)
        tables.commit_whole(view, schema, object_of(about), fragments)
    else:
        tables.commit_rows(view, todo.retired, fragments)
    if about.text:
        index.index_words(view)
    index.index(view, index_from)
    version = tables.version(view)
    tables.publish(view, version)
    return version


def publish_lazy(view: Path, about: ViewNote) -> int:
    """Let readers see a table without rows, whose note says what makes them; return its version.

    One commit, and the tag moved, as with rows: readers see the old view or this one.
    """
    live = tables.live_version(view)
    if live is not None and note_of(view, live) == about:
        return live
    version = tables.commit_whole(view, _schema([], about), object_of(about), [])
    tables.publish(view, version)
    return version


def _schema(metadata: list[pa.Field], about: ViewNote) -> pa.Schema:
    kind = pa.float16() if about.storage == "float16" else pa.float32()
    schema = pa.schema(
        [
            *(pa.field(name, pa.string()) for name in _keys(about)),
            *metadata,
            pa.field(tables.VECTOR, pa.list_(kind, about.size)),
            pa.field("label", pa.string()),
            pa.field("confidence", pa.float32()),
            pa.field("novelty", pa.float32()),
        ]
    )
    return schema.with_metadata({_FUNCTIONS: json.dumps([_function(about)]).encode()})


def _function(about: ViewNote) -> dict[str, object]:
    """Return the function by which LanceDB's own clients make a text its vector (see `refract`)."""
    return {
        "name": FUNCTION,
        "model": {"size": about.size},
        "source_column": "text",
        "vector_column": tables.VECTOR,
    }


def keep_transform(folder: Path, transform: Path, fingerprint: str) -> None:
    """Lay a copy of the transform beside its view: a query must meet the same map as the rows."""
    kept = folder / fingerprint
    if is_whole(kept):
        return
    read_artifact(transform)  # a broken one is refused under its own name, and not copied
    for name in (TENSORS, CARD):
        write_bytes(kept / name, (transform / name).read_bytes())


def describe(transform: Path, storage: str, *, text: bool = False, mode: str = FULL) -> ViewNote:
    """Return what is noted with a view: which transform made it, of which encoder, how stored.

    text: whether the texts are there, too. mode: FULL or LAZY.
    """
    card = read_card(transform)
    if card.fingerprint is None:
        raise refuse(transform, "no fingerprint", "that of all that made it")
    note = ViewNote(
        transform=card.fingerprint,
        encoder=card.encoder,
        method=card.method,
        dimensions=card.dimensions,
        size=card.size,
        storage=storage,
    )
    note = note.changed(text=True) if text else note
    return note if mode == FULL else note.changed(mode=mode)


def note_of(view: Path, version: int) -> ViewNote:
    """Return what a version of a view's table notes of itself."""
    return manifest_of(tables.note(view, version), ViewNote, view) or ViewNote()
