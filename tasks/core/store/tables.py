"""Tables of vectors on disk, in the Lance format.

A table is one folder `NAME.lance`. It is written in two phases: fragments first (by any number of
workers, each returning JSON), then one commit that makes them visible. Rows carry a `row_hash`;
what is new, changed or gone is decided by comparing hashes, never by history.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from tasks.core.remote.driving import check_noted, driving, is_again, opened, restore, settle
from tasks.core.remote.pointers import LIVE, answering, location_of, pointer_at, set_tag
from tasks.core.store import addresses, arrow
from tasks.core.store.addresses import predicates
from tasks.core.store.layout import exists, live_note
from tasks.core.text.brief import first_line
from tasks.core.workspace.errors import InputError, UnmadeError
from tasks.core.workspace.exhaustion import exhausted, naming_table, told_of
from tasks.core.workspace.files import read_json
from tasks.core.workspace.manifest import write_manifest

NOTE = b"refract"  # key of our own note in the schema's metadata
VECTOR = "vector"
FEATURES = "features"
READ_AHEAD = 32 << 20  # bytes; Lance's own are 2 GB: all of a column, where it is read slower
READINGS = ("label", "confidence", "novelty")  # what a view says of a text


@contextmanager
def readable(table: Path) -> Iterator[None]:
    """Turn what Lance says of a broken table into one line with the way on."""
    try:
        with told_of(table), answering(location_of(table)):  # a full disk is no fault of the table
            yield
    except InputError:
        raise
    except (ValueError, OSError, RuntimeError, pa.ArrowException) as error:
        if exhausted(error) is not None:
            raise
        raise InputError(
            f"{table}: not readable as a Lance table ({first_line(error)}); restore it with"
            " 'dvc checkout', or remove the folder and run 'refract run'"
        ) from error


def open_table(table: Path, version: int | str | None = None, cache: int | None = None) -> Any:
    """Open a table at a version or tag, by default the latest; InputError where it cannot be.

    cache: bytes of its indices that are held in memory; None: as many as Lance holds, 6 GB.

    Of a table in a store the latest is the one that the pointer means.
    """
    if not exists(table):
        raise UnmadeError(
            f"{table}: no such table; expected one made by an earlier verb; run 'refract run'"
        )
    pointer = pointer_at(table)
    if pointer is not None and (version is None or version == LIVE):
        version = pointer.version if version is None else pointer.live
        if version is None:
            raise UnmadeError(
                f"{table}: nothing is live there yet; expected a view; run 'refract run'"
            )
    with readable(table):
        dataset = opened(location_of(table), version, cache)
        if pointer is not None:
            check_noted(table, pointer, version, dataset)
        return dataset


def version(table: Path, tag: str | None = None) -> int:
    """Return the number of the latest version, or of the one that `tag` names."""
    pointer = pointer_at(table)
    known = None if pointer is None or tag is not None else pointer.version
    return int(open_table(table, tag).version) if known is None else known


def live_version(table: Path) -> int | None:
    """Return the version that readers see, or None before the first is whole."""
    pointer = pointer_at(table)
    if pointer is not None or not exists(table):
        return None if pointer is None else pointer.live
    with readable(table):
        tag = open_table(table).tags.list().get(LIVE)
    return None if tag is None else int(tag["version"])


def count(table: Path, version: int | str | None = None) -> int:
    """Return the number of rows."""
    return int(open_table(table, version).count_rows())


def note(table: Path, version: int | str | None = None) -> object:
    """Return what the writer noted about the table (encoder or transform), a JSON value."""
    return noted(open_table(table, version).schema)


def noted(schema: pa.Schema) -> object:
    """Return the JSON value that is noted in a table's schema; an empty object where none is."""
    found: object = json.loads((schema.metadata or {}).get(NOTE, b"{}"))
    return found


def columns(table: Path, version: int | str | None = None) -> dict[str, str]:
    """Return name → type of every column."""
    return {field.name: str(field.type) for field in open_table(table, version).schema}


def metadata_schema(
    table: Path, reserved: Iterable[str], version: int | str | None = None
) -> list[pa.Field]:
    """Return the fields that came with the documents: all but the `reserved` ones."""
    hidden = set(reserved)
    return [field for field in open_table(table, version).schema if field.name not in hidden]


def batches(
    table: Path,
    names: Sequence[str],
    *,
    version: int | str | None = None,
    start: int = 0,
    stop: int | None = None,
    rows: int = 65_536,
    addressed: bool = False,
) -> Iterator[pa.RecordBatch]:
    """Stream columns `names` of the rows from `start` to `stop` (positions, in table order).

    addressed: with a column `addresses.ADDRESS`, which says where each row lies.
    """
    limit = None if stop is None else stop - start
    scanner = open_table(table, version).scanner(
        columns=list(names),
        offset=start or None,
        limit=limit,
        batch_size=rows,
        io_buffer_size=READ_AHEAD,
        scan_in_order=True,
        with_row_address=addressed,
    )
    with readable(table):
        yield from scanner.to_batches()


def take(
    table: Path, positions: np.ndarray, names: Sequence[str], version: int | str | None = None
) -> pa.Table:
    """Return columns `names` of the rows at `positions` (any order, kept)."""
    return open_table(table, version).take(positions, columns=list(names))


def where_in(
    table: Path,
    column: str,
    values: Sequence[str],
    names: Sequence[str],
    version: int | str | None = None,
) -> pa.Table:
    """Return the rows whose `column` is one of `values`."""
    dataset = open_table(table, version)
    parts = [
        dataset.to_table(columns=list(names), filter=predicate)
        for predicate in predicates(column, values)
    ]
    if not parts:
        return dataset.to_table(columns=list(names), limit=0)
    return pa.concat_tables(parts)


def hashes(table: Path, name: str, version: int | str | None = None) -> np.ndarray:
    """Return one 64-bit hash per row of string column `name`: 8 bytes a row, whatever its length.

    Two different values share a hash with probability n²/2⁶⁵: 10⁻⁷ at two million rows.
    """
    dataset = open_table(table, version)
    found, at = np.empty(dataset.count_rows(), dtype=np.uint64), 0
    for batch in batches(table, [name], version=dataset.version):
        found[at : at + batch.num_rows] = arrow.hash64(batch.column(name))
        at += batch.num_rows
    return found


@naming_table
def write_fragments(
    table: Path,
    rows: pa.Table | pa.RecordBatchReader,
    about: Mapping[str, object],
    *,
    fresh: bool,
) -> list[str]:
    """Write `rows` as fragments nobody sees yet and return their metadata as JSON (phase one)."""
    import lance

    table.parent.mkdir(parents=True, exist_ok=True)
    schema = _schema(rows.schema, about)
    mode = "append" if not fresh else ("overwrite" if exists(table) else "create")
    if isinstance(rows, pa.Table):
        rows = rows.replace_schema_metadata(schema.metadata)
    where = location_of(table)
    with answering(where):
        made = lance.fragment.write_fragments(
            rows, where.uri, schema=schema, mode=mode, storage_options=where.options
        )
    return [json.dumps(fragment.to_json()) for fragment in made]


@naming_table
def commit_whole(
    table: Path,
    schema: pa.Schema,
    about: Mapping[str, object],
    fragments: Sequence[str],
    *,
    stable: bool = False,
) -> int:
    """Replace the content of `table` by `fragments` in one commit (phase two).

    stable: its rows keep their numbers (see `stable_rows`), if it is new or did so before.
    """
    import lance

    operation = lance.LanceOperation.Overwrite(_schema(schema, about), _parse(fragments))
    with driving(table) as how:
        uri, stably = location_of(table).uri, stable or None
        commit = lance.LanceDataset.commit
        return int(commit(uri, operation, enable_stable_row_ids=stably, **how).version)


def commit_changes(table: Path, retired: Sequence[str], fragments: Sequence[str]) -> int:
    """Remove the rows with the ids `retired` and add `fragments`, in one commit (phase two)."""
    return commit_rows(table, addresses.of_ids(open_table(table), retired), fragments)


@naming_table
def commit_rows(table: Path, retired: np.ndarray, fragments: Sequence[str]) -> int:
    """Remove the rows at the addresses `retired` and add `fragments`, in one commit (phase two)."""
    import lance

    if not len(retired) and not fragments:
        return version(table)
    with driving(table) as how:
        dataset = open_table(table)
        if not len(retired):
            operation: Any = lance.LanceOperation.Append(_parse(fragments))
        else:
            removed, updated = addresses.without(dataset, retired)
            operation = lance.LanceOperation.Update(
                removed_fragment_ids=removed,
                updated_fragments=updated,
                new_fragments=_parse(fragments),
            )
        where, read = location_of(table), {"read_version": dataset.version}
        return int(lance.LanceDataset.commit(where.uri, operation, **(read | how)).version)


@naming_table
def publish(table: Path, version: int) -> None:
    """Let readers see `version` from now on; one small file is replaced, all or nothing."""
    with readable(table):
        set_tag(open_table(table, version), LIVE, version)
    pointer = pointer_at(table)
    if pointer is not None and pointer.live != version:
        write_manifest(table, pointer.changed(live=version))


@naming_table
def rewind(table: Path) -> None:
    """Make what readers see the latest version again, if a killed writer committed beyond it.

    A tag that a power cut has left unreadable is removed: then nothing is live.
    """
    pointer = pointer_at(table)
    if pointer is not None:
        settle(table, pointer)
    tag = live_note(table)
    if tag.is_file() and read_json(tag) is None:
        tag.unlink()
    live = live_version(table)
    if live is not None and live != version(table) and not is_again(table, live):
        restore(table, live)


def _schema(schema: pa.Schema, about: Mapping[str, object]) -> pa.Schema:
    note = json.dumps(dict(about), sort_keys=True).encode()
    return schema.with_metadata({**(schema.metadata or {}), NOTE: note})


def _parse(fragments: Sequence[str]) -> list[Any]:
    import lance

    return [lance.FragmentMetadata.from_json(text) for text in fragments]
