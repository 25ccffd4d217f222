"""Between Arrow, Polars and numpy: vectors as columns, tables from frames, hashes of strings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from tasks.core.numerics.rows import whole_rows

if TYPE_CHECKING:
    import polars as pl


_CAME_AS = b"refract:column"


def named(field: pa.Field, came_as: str | None) -> pa.Field:
    """Return a field that says which column of the documents it is, where the names differ."""
    if came_as is None:
        return field
    return field.with_metadata({**(field.metadata or {}), _CAME_AS: came_as.encode()})


def came_as(field: pa.Field) -> str | None:
    """Return what `named` was told of a field."""
    found = (field.metadata or {}).get(_CAME_AS)
    return None if found is None else found.decode("utf-8", "replace")


def kinds(fields: Iterable[pa.Field]) -> dict[str, tuple[str, str | None]]:
    """Return the type of each column, and its name in the documents where that is another."""
    return {field.name: (str(field.type), came_as(field)) for field in fields}


def hash64(values: pa.Array | pl.Series) -> np.ndarray:
    """Return the 64-bit hash of each string, (n,) uint64."""
    import polars as pl

    series = values if isinstance(values, pl.Series) else pl.Series(values)
    return series.cast(pl.String).hash(seed=0).to_numpy()


def rounded(vectors: np.ndarray, storage: str) -> np.ndarray:
    """Return `vectors` (n, d) as a column of type `storage` holds them; int8 keeps directions."""
    return whole_rows(vectors) if storage == "int8" else vectors.astype(storage, copy=False)


def vector_array(vectors: np.ndarray, storage: str) -> pa.FixedSizeListArray:
    """Pack `vectors` (n, d) as a fixed-size list column of type `storage`."""
    flat = np.ascontiguousarray(rounded(vectors, storage)).ravel()
    return pa.FixedSizeListArray.from_arrays(pa.array(flat), vectors.shape[1])


def vectors_of(column: pa.Array | pa.ChunkedArray) -> np.ndarray:
    """Return a vector column as an array (n, d) without copying where one chunk allows it."""
    if isinstance(column, pa.ChunkedArray):
        parts = [vectors_of(chunk) for chunk in column.chunks]
        if len(parts) == 1:
            return parts[0]
        width = column.type.list_size
        return np.concatenate(parts) if parts else np.empty((0, width), dtype=np.float32)
    width = column.type.list_size
    flat: np.ndarray = column.flatten().to_numpy(zero_copy_only=True)
    return flat.reshape(-1, width)


def assemble(frame: pl.DataFrame, more: Mapping[str, pa.Array]) -> pa.Table:
    """Join a frame's columns and `more` (vectors among them) into one Arrow table."""
    import polars as pl

    table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
    names, arrays = list(table.column_names), list(table.columns)
    for at, column in enumerate(arrays):
        if pa.types.is_large_string(column.type):
            arrays[at] = column.cast(pa.string())
    return pa.table([*arrays, *more.values()], names=[*names, *more])
