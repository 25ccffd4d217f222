"""Tables of random vectors, and what a search of them is to find."""

import numpy as np
import polars as pl

from tasks.core.store import arrow, making, recall, tables
from tasks.core.store.searcher import Searcher

FROM = 1_000
SIZE = 8


def rows(names, seed=0):
    """Return a table of ids with random unit vectors, which lie in no clusters."""
    rng = np.random.default_rng([seed, len(names)])
    vectors = rng.standard_normal((len(names), SIZE)).astype(np.float32)
    frame = pl.DataFrame(
        {
            "id": pl.Series(names, dtype=pl.String),
            "text_hash": [f"t-{name}" for name in names],
            "kind": pl.Series([n % 200 for n in range(len(names))], dtype=pl.Int64),
        }
    )
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return arrow.assemble(frame, {tables.VECTOR: arrow.vector_array(vectors, "float32")})


def write(path, names, *, fresh=False, retired=(), seed=0):
    made = rows(names, seed)
    fragments = tables.write_fragments(path, made, {}, fresh=fresh)
    if fresh:
        return tables.commit_whole(path, made.schema, {}, fragments)
    return tables.commit_changes(path, list(retired), fragments)


def names(many, start=0):
    return [f"n{n:05}" for n in range(start, start + many)]


def segments(path, column):
    dataset = tables.open_table(path)
    made = making.of_column(dataset, column)
    return None if made is None else making.rows_of(dataset, made)


def exact(path, query, k, where=None):
    found = tables.open_table(path).to_table(
        columns=["id"], nearest=recall.nearest(None, query, k, None), filter=where, prefilter=True
    )
    return found["id"].to_pylist()


def found(path, query, k, where=None):
    return [hit.row["id"] for hit in Searcher(path, live=False).nearest(query, k, where, ["id"])]


QUERY = np.arange(1, SIZE + 1, dtype=np.float32)
