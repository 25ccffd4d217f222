"""What is known of each source file of the corpus, so that only those that changed are read."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tasks.core.documents.staging import Intake
from tasks.core.documents.tally import Tally
from tasks.core.workspace.files import replacing

_MOST = 1 << 32  # rows of a source
SCHEMA: dict[str, Any] = {
    "name": pl.String,  # as the corpus has it in the column `source`
    "content": pl.String,  # a hash of the file
    "read": pl.UInt32,
    "kept": pl.UInt32,
    "reasons": pl.String,  # of rejected rows, with their numbers: JSON, empty where none is
    "repeats": pl.List(pl.UInt64),  # see `Tally`
    "remarks": pl.List(pl.String),
    "shape": pl.String,
}


def described(names: Sequence[str], contents: Sequence[str], intake: Intake) -> pl.DataFrame:
    """Return a row for each of the sources that `intake` has read, `names` in its order."""
    nothing = Tally()
    found = [intake.tallies.get(name, nothing) for name in names]
    reasons = [json.dumps(each.reasons) if each.reasons else "" for each in found]
    columns = {
        "name": names,
        "content": contents,
        "read": intake.read,
        "kept": intake.kept,
        "reasons": reasons,
        "repeats": [each.repeats for each in found],
        "remarks": [each.remarks for each in found],
        "shape": [each.shape for each in found],
    }
    return pl.DataFrame(columns, schema=SCHEMA)


def save(path: Path, known: pl.DataFrame) -> None:
    """Write what is known: about 40 bytes a source, and 8 a repeated row."""
    with replacing(path) as file:
        known.write_parquet(file, compression="zstd")


def load(path: Path) -> pl.DataFrame:
    """Read what is known, in the order of the sources: nothing where it is spelled otherwise."""
    nothing = pl.DataFrame(schema=SCHEMA)
    try:
        known = pl.read_parquet(path, memory_map=False)
    except pl.exceptions.PolarsError:
        return nothing
    return known if known.schema == SCHEMA and _is_sound(known) else nothing


def _is_sound(known: pl.DataFrame) -> bool:
    """Tell whether each source is named once, and its JSON is what `described` writes."""
    if any(known.null_count().row(0)) or not known["name"].is_unique().all():
        return False
    return all(
        _is_object(text, kind)
        for name, kind in (("reasons", int), ("shape", str))
        for text in known[name].unique()
    )


def _is_object(text: str, kind: type) -> bool:
    try:
        found = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return False
    if not isinstance(found, dict) or any(type(value) is not kind for value in found.values()):
        return False
    return kind is str or all(0 < count < _MOST for count in found.values())


def shapes(known: pl.DataFrame) -> list[str]:
    """Return what the sources say of their columns, each kind of source once, the first first."""
    return known["shape"].unique(maintain_order=True).to_list()


def rejected(known: pl.DataFrame) -> Counter[str]:
    """Return how many rows were rejected, by reason."""
    found: Counter[str] = Counter()
    for text in known["reasons"].to_list():
        found.update(json.loads(text) if text else {})
    return found


def rejected_of(known: pl.DataFrame) -> dict[str, int]:
    """Return how many rows were rejected of each source, where any were, in their order."""
    some = known.filter(pl.col("reasons") != "")
    counts = (sum(json.loads(text).values()) for text in some["reasons"])
    return dict(zip(some["name"], counts, strict=True))


def remarks(known: pl.DataFrame) -> list[str]:
    """Return how sources were read that were not plain."""
    some = known.filter(pl.col("remarks").list.len() > 0)["remarks"]
    return [remark for each in some.to_list() for remark in each]


def that_repeat(known: pl.DataFrame, keys: np.ndarray) -> set[str]:
    """Return the sources of which a row was rejected for an id that is one of `keys`."""
    some = known.select("name", "repeats").explode("repeats").drop_nulls()
    if not len(some):
        return set()
    there = np.isin(some["repeats"].to_numpy(), keys)
    return set(some["name"].filter(pl.Series(there)).to_list())
