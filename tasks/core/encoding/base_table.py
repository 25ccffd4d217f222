"""The base table: each text of the corpus encoded once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa

from tasks.core.encoding import evolving
from tasks.core.encoding.featurizer import Codes, Featurizer
from tasks.core.settings.table_sections import KINDS
from tasks.core.store import arrow, comparing, frames, layout, stable_rows, tables
from tasks.core.text.same_text import TextKeys, Texts
from tasks.core.workspace.manifest import manifest_of, object_of
from tasks.core.workspace.manifests import BaseNote
from tasks.core.workspace.state_manifests import Shard

KEYS = ("id", "text_hash", "row_hash")
FEW = 4_000  # values that are looked up one by one; of more all rows are read
CODES = (tables.VECTOR, tables.FEATURES)
OWN = (*KEYS, "text", *CODES)  # every other column came with the documents


def note_of(table: Path) -> BaseNote:
    """Return what the base table notes of itself: its vector space, and how it was made."""
    return manifest_of(tables.note(table), BaseNote, table) or BaseNote()


def prepare(corpus: Path, table: Path, *, fresh: bool) -> None:
    """Give an existing table the metadata columns of the corpus; see that a new one can be."""
    if fresh:
        layout.check_place(table)
    else:
        fields = [field for field in _corpus_schema(corpus) if field.name not in OWN]
        evolving.evolve(table, fields, OWN)


def _corpus_schema(corpus: Path) -> pa.Schema:
    schema = tables.open_table(corpus).schema
    plain = (pa.field(field.name, field.type) for field in schema)
    return pa.schema(map(arrow.named, plain, map(arrow.came_as, schema)))


def write_shard(
    corpus: Path,
    table: Path,
    rows: np.ndarray,
    coder: Featurizer,
    about: BaseNote,
    storage: str,
    *,
    fresh: bool,
    advance: Callable[[int], None],
    version: int | None = None,
) -> Shard:
    """Encode the corpus rows with the numbers `rows` and write them as fragments nobody sees yet.

    Texts that the table holds at `version` (by default the latest) under any id keep their vector.
    """
    frame = read_rows(corpus, rows)
    hashes = frame["text_hash"].unique().to_list()
    known = {} if fresh else _known(table, hashes, coder.columns, version)
    seen = {key: coder.seen[key] for key in hashes if key in coder.seen and key not in known}
    known |= seen
    unknown = frame.unique("text_hash", maintain_order=True).filter(
        ~pl.col("text_hash").is_in(list(known))
    )
    stored = dict(zip(coder.columns, KINDS[storage], strict=False))
    wide, cut, windowed = coder.code(unknown["text"].to_list(), advance)
    codes = [arrow.rounded(each, kind) for each, kind in zip(wide, stored.values(), strict=True)]
    known.update(zip(unknown["text_hash"], zip(*codes, strict=True), strict=True))
    del wide, codes  # 2 KB a text, and as much again from here on
    advance(len(frame) - len(unknown))
    made = {
        name: arrow.vector_array(np.stack([known[key][at] for key in frame["text_hash"]]), kind)
        for at, (name, kind) in enumerate(stored.items())
    }
    known.clear()
    ids = frame["id"].to_list()
    retired = [] if fresh else tables.where_in(table, "id", ids, ["id"], version)["id"].to_pylist()
    encoded = len(unknown) + len(seen)
    rows = arrow.assemble(frame, made)
    return Shard(
        fragments=tables.write_fragments(table, rows, object_of(about), fresh=fresh),
        retired=retired,
        written=len(frame),
        encoded=encoded,
        reused=len(frame) - encoded,
        cut=[*unknown["text_hash"].filter(cut), *sorted(coder.cut & seen.keys())],
        windowed=[*unknown["text_hash"].filter(windowed), *sorted(coder.windowed & seen.keys())],
        about=about,
    )


def holds_any(corpus: Path, table: Path, rows: np.ndarray, version: int | None) -> bool:
    """Tell whether the table knows an id or a text of the corpus rows at positions `rows`."""
    frame = read_rows(corpus, rows)
    return any(
        tables.where_in(table, name, frame[name].to_list(), [name], version).num_rows
        for name in ("id", "text_hash")
    )


def _known(
    table: Path, text_hashes: list[str], names: Sequence[str], version: int | None
) -> dict[str, Codes]:
    found = tables.where_in(table, "text_hash", text_hashes, ["text_hash", *names], version)
    codes = zip(*(arrow.vectors_of(found.column(name)) for name in names), strict=True)
    return dict(zip(found.column("text_hash").to_pylist(), codes, strict=True))


def commit_shard(
    corpus: Path,
    table: Path,
    shard: Shard,
    storage: str,
    *,
    fresh: bool,
) -> int:
    """Make a shard visible in one commit: the old rows of its ids leave as the new ones arrive."""
    if not fresh:
        return tables.commit_changes(table, shard.retired, shard.fragments)
    about = shard.about
    fields = list(_corpus_schema(corpus))
    vectors, features = map(arrow_type, KINDS[storage])
    fields.append(pa.field(tables.VECTOR, pa.list_(vectors, about.dimensions)))
    if about.features is not None:
        fields.append(pa.field(tables.FEATURES, pa.list_(features, about.features.dimensions)))
    return tables.commit_whole(table, pa.schema(fields), object_of(about), shard.fragments)


def arrow_type(kind: str) -> pa.DataType:
    """Return what Arrow calls the numbers of a kind, such as float16."""
    return pa.from_numpy_dtype(np.dtype(kind))


def retire_gone(corpus: Path, table: Path) -> int:
    """Remove rows whose id the corpus no longer holds; return how many."""
    ids = tables.hashes(corpus, "id")
    ids.sort()
    gone = comparing.strangers(table, "id", ids)
    if len(gone):
        tables.commit_rows(table, gone, [])
    return len(gone)


def read_rows(corpus: Path, rows: np.ndarray) -> pl.DataFrame:
    """Return the corpus rows with the numbers `rows`, in their order."""
    return pl.DataFrame(stable_rows.take(corpus, rows))


def sample(table: Path, size: int) -> Rows:
    """Return the rows with the smallest hashes, whatever their order, at most `size`.

    Read once a process for all fits on one version of the table: a million rows take half a second.
    """
    found = _sample(table, layout.state(table), size)
    features = None if found.features is None else found.features.copy()
    return replace(found, vectors=found.vectors.copy(), features=features)


def sample_ids(table: Path, size: int) -> list[str]:
    """Return the ids of the rows that `sample` reads."""
    found = tables.take(table, _sampled(table, layout.state(table), size), ["id"])
    ids: list[str] = found.column("id").to_pylist()
    return ids


@lru_cache(maxsize=1)
def _sample(table: Path, state: str, size: int) -> Rows:
    return _rows(tables.take(table, _sampled(table, state, size), _told(table)))


@lru_cache(maxsize=1)
def _sampled(table: Path, _: str, size: int) -> np.ndarray:
    """Return the positions of the rows with the smallest hashes, in order."""
    hashes, positions = np.empty(0, np.uint64), np.empty(0, np.int64)
    start = 0
    for batch in tables.batches(table, ["row_hash"]):
        hashes = np.concatenate((hashes, arrow.hash64(batch.column("row_hash"))))
        positions = np.concatenate((positions, np.arange(start, start + batch.num_rows)))
        order = np.argsort(hashes, kind="stable")[:size]
        hashes, positions = hashes[order], positions[order]
        start += batch.num_rows
    positions.sort()
    return positions


def sample_texts(corpus: Path, size: int) -> dict[str, str]:
    """Return at most `size` texts by text hash: those with the smallest hashes, in their order."""
    hashes, rows = np.empty(0, np.uint64), np.empty(0, np.uint64)
    for numbers, values in stable_rows.numbered(corpus, "text_hash"):
        hashes, first = np.unique(np.concatenate((hashes, arrow.hash64(values))), return_index=True)
        rows = np.concatenate((rows, numbers))[first][:size]
        hashes = hashes[:size]
    found = read_rows(corpus, rows)
    return dict(zip(found["text_hash"], found["text"], strict=True))


@dataclass(frozen=True)
class Rows:
    """Rows of the base table: ids, hashes of the texts, `vectors` (n, d), `features` (n, f) if any.

    Several ids may have one text, and so one hash. texts: n strings, where they were looked up.
    """

    ids: list[str]
    hashes: list[str]
    vectors: np.ndarray
    features: np.ndarray | None
    texts: list[str] | None = None

    def part(self, at: np.ndarray) -> Rows:
        """Return the rows at positions `at`."""
        features = None if self.features is None else self.features[at]
        ids, hashes = ([known[row] for row in at] for known in (self.ids, self.hashes))
        texts = None if self.texts is None else [self.texts[row] for row in at]
        return Rows(ids, hashes, self.vectors[at], features, texts)

    def without(self, hashes: Collection[str]) -> Rows:
        """Leave out the texts of these hashes."""
        gone = set(hashes)
        return self.part(np.flatnonzero([known not in gone for known in self.hashes]))


def lookup(table: Path, ids: list[str]) -> Rows:
    """Return the rows of those of `ids` that the table holds, sorted by id: tables differ."""
    return _rows(tables.where_in(table, "id", ids, _told(table)).sort_by("id"))


def _told(table: Path) -> list[str]:
    coded = (tables.VECTOR, tables.FEATURES)
    return ["id", "text_hash", "text", *(name for name in coded if name in tables.columns(table))]


def _rows(found: pa.Table) -> Rows:
    ids, hashes, texts = (found.column(name).to_pylist() for name in ("id", "text_hash", "text"))
    wide = [
        arrow.vectors_of(found.column(name)).astype(np.float32)
        for name in (tables.VECTOR, tables.FEATURES)
        if name in found.column_names
    ]
    return Rows(ids, hashes, wide[0], wide[1] if len(wide) > 1 else None, texts)


def keys(table: Path) -> TextKeys:
    """Return how to look up ids and hashes of texts: of some, or of all, batch by batch."""
    names = ["id", "text_hash"]

    def read(column: str, values: Iterable[str] | None) -> Iterator[pl.DataFrame]:
        wanted = None if values is None else sorted(set(values))
        if wanted is not None and len(wanted) <= FEW:
            yield pl.DataFrame(tables.where_in(table, column, wanted, names))
            return
        asked = None if wanted is None else pl.DataFrame({column: wanted})
        for part in frames.parts(table, names):
            yield part if asked is None else part.join(asked, on=column, how="semi")

    return read


def texts(table: Path) -> Texts:
    """Return how to read the texts of the table: those of some ids, or all, batch by batch."""
    names = ["id", "text", "text_hash"]

    def read(ids: Sequence[str] | None) -> Iterator[pl.DataFrame]:
        if ids is not None:
            yield pl.DataFrame(tables.where_in(table, "id", ids, names))
            return
        yield from frames.parts(table, names)

    return read
