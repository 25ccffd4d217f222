"""A map as it is kept on this machine: one file a version of a view, whole or not at all."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.core.atlas.plane import Plane
from tasks.core.atlas.rows import Rows
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import replacing
from tasks.core.workspace.manifest import manifest_bytes, parse_manifest
from tasks.core.workspace.state_manifests import MapNote

KEPT = 2  # maps of a view: what is live, and what it was laid upon
_NOTE = b"refract:map"
_ENDING = ".arrow"
_ABANDONED = 3_600.0  # seconds; nobody writes a map for so long
_SCHEMA = pa.schema(
    [
        pa.field("id", pa.string()),
        pa.field("x", pa.float32()),
        pa.field("y", pa.float32()),
        pa.field("row", pa.uint32()),
        pa.field("hash", pa.uint64()),
        pa.field("drawn", pa.bool_()),
    ]
)


@dataclass(frozen=True)
class ViewMap:
    """Where n rows of a table lie: rows in the order of their ids, places (n, 2) in [-1, 1].

    drawn: (n,), whether a row was laid out itself; the others lie among those that were.
    """

    rows: Rows
    places: Plane
    drawn: NDArray[np.bool_]
    note: MapNote

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def corpus(self) -> str:
        """A fingerprint: where it is the same, the same ids come in the same order."""
        return self.note.corpus

    @property
    def total(self) -> int:
        """Rows of the table; of more than a million not all are on the map."""
        return self.note.total


def write(folder: Path, state: str, made: ViewMap) -> None:
    """Keep a map under the state of the table that it is of, and let older ones go."""
    rows = made.rows
    columns = [
        rows.ids,
        *(pa.array(np.ascontiguousarray(made.places[:, axis])) for axis in (0, 1)),
        *(pa.array(values) for values in (rows.row, rows.hashes, made.drawn)),
    ]
    note = manifest_bytes(made.note)
    table = pa.table(columns, schema=_SCHEMA.with_metadata({_NOTE: note}))
    with replacing(folder / f"{state}{_ENDING}") as file, pa.ipc.new_file(file, table.schema) as to:
        to.write_table(table, max_chunksize=max(1, len(table)))
    _let_go(folder)


def read(folder: Path, state: str) -> ViewMap | None:
    """Return the map that is kept for this state of a table, or None where there is none."""
    return _read(folder / f"{state}{_ENDING}")


def any_in(folder: Path) -> bool:
    """Tell whether a map is kept, without a look into it."""
    return any(folder.glob(f"*{_ENDING}"))


def latest(folder: Path) -> ViewMap | None:
    """Return the map that was kept last and can be read, or None."""
    found = (_read(file) for file in _newest_first(folder))
    return next((made for made in found if made is not None), None)


def _newest_first(folder: Path) -> list[Path]:
    times = []
    for file in folder.glob(f"*{_ENDING}"):
        try:
            times.append((file.stat().st_mtime_ns, file.name))
        except FileNotFoundError:  # let go by another process meanwhile
            continue
    return [folder / name for _, name in sorted(times)[::-1]]


def _let_go(folder: Path) -> None:
    for old in _newest_first(folder)[KEPT:]:
        old.unlink(missing_ok=True)
    for half in folder.glob(".*.tmp"):
        try:
            if time.time() - half.stat().st_mtime > _ABANDONED:
                half.unlink(missing_ok=True)
        except FileNotFoundError:  # it has become a map
            continue


def _read(file: Path) -> ViewMap | None:
    """Return what lies in a file, mapped into memory; None where that is no map of this format."""
    try:
        with pa.memory_map(str(file)) as source:
            table = pa.ipc.open_file(source).read_all()
        table.validate(full=True)
        note = parse_manifest((table.schema.metadata or {}).get(_NOTE), MapNote, str(file))
    except (OSError, pa.ArrowException, InputError):  # a newer Refract's are made anew as well
        return None
    if note is None or note.odd or not table.schema.equals(_SCHEMA):
        return None
    whole = table.combine_chunks()
    columns = {name: whole.column(name) for name in _SCHEMA.names}
    if any(column.null_count for column in columns.values()):
        return None
    ids = columns["id"].chunk(0) if len(whole) else pa.array([], pa.string())
    values = {name: columns[name].to_numpy() for name in _SCHEMA.names[1:]}
    places = np.column_stack((values["x"], values["y"])).astype(np.float32)
    rows = Rows(ids, values["row"], values["hash"], note.total)
    return ViewMap(rows, places, values["drawn"].astype(bool), note)
