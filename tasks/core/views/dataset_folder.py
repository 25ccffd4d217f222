"""A folder that `datasets.load_dataset` reads: Parquet shards, and a card with their features.

The card is what Hugging Face's hub shows, too (huggingface.co/docs/hub/datasets-cards).
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from tasks.core.store import tables
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import naming, remove, sync_folder, write_text

CARD = "README.md"
_SHARD = 500_000_000  # bytes of a shard in memory; Hugging Face's own default
_KINDS = {"bool": "bool", "double": "float64", "float": "float32", "halffloat": "float16"}
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


def export_dataset(
    rows: pl.DataFrame, folder: Path, title: str, labels: Sequence[str], facts: Mapping[str, str]
) -> None:
    """Write `rows` as a dataset into `folder`, whole or not at all; an earlier export is replaced.

    labels: the names of the column `label`, in the order of their numbers there; none for a table
    without it. facts: how the rows came about, for the card. InputError where the folder holds
    anything else.
    """
    _check(folder)
    new = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.tmp")
    try:
        with naming(folder):
            (new / "data").mkdir(parents=True)
            table = _plain(rows)
            shards = max(1, -(-table.nbytes // _SHARD))
            each = -(-len(rows) // shards)
            for n in range(shards):
                file = new / "data" / f"train-{n:05}-of-{shards:05}.parquet"
                pq.write_table(table.slice(n * each, each), file)
            write_text(new / CARD, _card(table, title, labels, facts))
            remove(folder)
            new.replace(folder)
            sync_folder(folder.parent)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _check(folder: Path) -> None:
    if not folder.parent.is_dir() or (folder.exists() and not folder.is_dir()):
        found = "a file" if folder.exists() else f"no folder {folder.parent}"
        raise InputError(f"{folder}: found {found}; expected a new folder in an existing one")
    inside = sorted(folder.rglob("*")) if folder.is_dir() else []
    ours = {folder / CARD, folder / "data", *folder.glob("data/train-*-of-*.parquet")}
    strange = [path for path in inside if path not in ours]
    if strange or folder.is_symlink():
        raise InputError(
            f"{folder}: found {strange[0].relative_to(folder) if strange else 'a link'} in it;"
            " expected a new folder, or an earlier export; choose another name"
        )


def _plain(rows: pl.DataFrame) -> pa.Table:
    """Return Arrow's table with strings as Hugging Face knows them."""
    table = rows.to_arrow()
    long = (pa.large_string(), pa.string_view())
    fields = [
        pa.field(field.name, pa.string() if field.type in long else field.type)
        for field in table.schema
    ]
    return table.cast(pa.schema(fields))


def _card(table: pa.Table, title: str, labels: Sequence[str], facts: Mapping[str, str]) -> str:
    size = next((name for most, name in _SIZES if table.num_rows < most), "n>1M")
    about = {
        "pretty_name": title,
        "tags": ["refract", "embeddings"],
        "task_categories": ["text-classification" if labels else "feature-extraction"],
        "size_categories": [size],
        "configs": [
            {
                "config_name": "default",
                "data_files": [{"split": "train", "path": "data/train-*.parquet"}],
            }
        ],
        "dataset_info": {"features": [_feature(field, labels) for field in table.schema]},
    }
    head = yaml.safe_dump(about, sort_keys=False, allow_unicode=True)
    body = "".join(f"- {name}: {' '.join(fact.split())}\n" for name, fact in facts.items())
    return f"---\n{head}---\n\n# {title}\n\n{body}"


def _feature(field: Any, labels: Sequence[str]) -> dict[str, object]:
    if field.name == "label" and labels:
        names = {str(n): label for n, label in enumerate(labels)}
        return {"name": field.name, "dtype": {"class_label": {"names": names}}}
    kind = field.type
    if field.name == tables.VECTOR:
        return {"name": field.name, "list": _name(kind.value_type), "length": kind.list_size}
    return {"name": field.name, "dtype": _name(kind)}


def _name(kind: Any) -> str:
    return _KINDS.get(str(kind), str(kind))
