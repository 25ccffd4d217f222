"""A .json file of labels, read whole: a list of objects, as annotation tools export it."""

from __future__ import annotations

import json
from pathlib import Path

from tasks.core.readers.records import Batch, Reject, cell_of, dump, encodable
from tasks.core.workspace.errors import InputError

JSON_LIMIT = 1 << 29  # bytes of a .json file, which is read whole
LISTS = ("data", "rows", "records", "items", "examples", "results", "annotations", "tasks")


def whole_json(path: Path) -> Batch | None:
    """Read a .json file: a list of objects, alone or under a usual key, or a label by id.

    None where several values stand there, one behind the other, as `datasets` writes them.
    """
    size = path.stat().st_size
    try:
        text = path.read_text("utf-8-sig") if size <= JSON_LIMIT else None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path}: not readable ({error}); expected JSON in UTF-8; export it again"
        ) from error
    if text is None:
        raise InputError(
            f"{path}: found {size:,} bytes of JSON; expected at most {JSON_LIMIT:,}; write it as"
            " JSON Lines (.jsonl)"
        )
    try:
        value = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        if str(error).startswith("Extra data"):
            return None
        raise InputError(
            f"{path}: found no usable JSON ({str(error)[:80]}); expected a list of objects; export"
            " it again, or as JSON Lines (.jsonl)"
        ) from error
    records = _records(value)
    if records is None:
        raise InputError(
            f"{path}: found JSON that is no list of objects; expected one object a text, with its"
            " id or text and its label; export it otherwise, or as CSV"
        )
    return _batch(path, records)


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return an object; of a key that stands there twice one value would be lost."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _records(value: object) -> list[object] | None:
    if isinstance(value, dict):
        listed = next((value[key] for key in LISTS if isinstance(value.get(key), list)), None)
        if listed is not None:
            value = listed
        elif value and all(isinstance(each, str | int) for each in value.values()):
            value = [{"id": key, "label": label} for key, label in value.items()]
    if not isinstance(value, list) or not any(isinstance(each, dict) for each in value):
        return [] if value == [] else None
    return value


def _batch(path: Path, records: list[object]) -> Batch:
    batch = Batch(paths=[], positions=[])
    good: list[dict[str, object]] = []
    for position, record in enumerate(records, 1):
        if isinstance(record, dict) and encodable(dump(record)):
            good.append(record)
            batch.positions.append(position)
            batch.paths.append(path)
        else:
            reason = "JSON that is not an object" if not isinstance(record, dict) else "bad text"
            batch.rejected.append(Reject(path, position, reason, dump(record)[:2_000]))
    names = dict.fromkeys(key for record in good for key in record)
    batch.columns = {key: [cell_of(record.get(key)) for record in good] for key in names}
    return batch
