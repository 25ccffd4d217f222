"""Names of labels that stand as integers in Parquet, as `datasets` of Hugging Face keeps them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tasks.core.labels.files import Part
from tasks.core.labels.notations import NOTHING, parsed
from tasks.core.readers.records import Cell, dump

KEY = b"huggingface"  # of the schema's metadata
LIMIT = 100_000  # names of one column


def class_names(part: Part) -> dict[str, list[str]]:
    """Return the names of the classes by column; none in a file that keeps none."""
    if part.format.kind != "parquet" or part.column is not None:
        return {}
    features = _features(part.path)
    found = {name: _names(feature) for name, feature in features.items()}
    return {name: names for name, names in found.items() if names}


def named(cells: Sequence[Cell], names: Sequence[str]) -> list[Cell]:
    """Return cells with names in place of integers, also in lists; -1 is no label."""
    known = {str(n): name for n, name in enumerate(names)} | {"-1": None}
    return [_named(cell, known) for cell in cells]


def _named(cell: Cell, known: Mapping[str, str | None]) -> Cell:
    text = (cell or "").strip()
    if text.startswith("["):
        value = parsed(text)
        if value is NOTHING or not isinstance(value, list):
            return cell
        return dump([known.get(str(each), str(each)) for each in value if each is not None])
    return known.get(text, cell)


def _features(path: Path) -> dict[str, object]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        about = json.loads((pq.read_schema(path).metadata or {}).get(KEY, b"{}"))
        found = about["info"]["features"]
    except (OSError, pa.ArrowException, ValueError, LookupError, TypeError, RecursionError):
        return {}  # no such note; whether the file can be read at all, its reader says
    return found if isinstance(found, dict) else {}


def _names(feature: Any) -> list[str]:
    """Return the names of a ClassLabel, alone or as what a list holds."""
    while isinstance(feature, dict) and isinstance(feature.get("feature"), dict):
        feature = feature["feature"]
    while isinstance(feature, list) and len(feature) == 1:
        feature = feature[0]
    if not isinstance(feature, dict) or feature.get("_type") != "ClassLabel":
        return []
    names = feature.get("names")
    if not isinstance(names, list) or len(names) > LIMIT:
        return []
    return [str(name) for name in names]
