"""The rows of one label file as they stand there, with what each says, before any is judged."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tasks.core.labels.cells import DISCARDED, EMPTY, ONE_HOT, Answer, dropped, understood
from tasks.core.labels.columns import LabelColumns, label_columns
from tasks.core.labels.files import JSON, Part
from tasks.core.labels.tool_exports import REFUSED, unfold
from tasks.core.readers.reader import batches
from tasks.core.readers.records import Batch, Cell, Reject, dump, encodable
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import check_regular

ROWS = 50_000
JSON_LIMIT = 1 << 29  # bytes of a .json file, which is read whole
LISTS = ("data", "rows", "records", "items", "examples", "results", "annotations", "tasks")
ABSENT = ("None", "NONE", "NA", "N/A", "NULL", "none given")
SEPARATORS = ("#", "|", ";", ",")  # of doccano's CSV, and others
SPELLED_OUT = "label by the name beside its number"
CLASS = "label that may mean none: {}"

Keys = dict[str, list[Cell]]


@dataclass
class LabelRows:
    """The rows of a label file by column: at i what row i holds, says, whose it is, where it stood.

    ids, texts: by column, several of which may be the one; others: of columns of unknown names.
    cells: labels as they stand in the file.
    annotators: who answered, where a column says so.
    """

    ids: Keys = field(default_factory=dict)
    texts: Keys = field(default_factory=dict)
    others: Keys = field(default_factory=dict)
    cells: list[Cell] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    sources: list[Cell] = field(default_factory=list)
    annotators: list[Cell] | None = None
    positions: list[int] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)

    def __len__(self) -> int:
        return len(self.positions)


def read_rows(part: Part, name: str, separator: str | None = None) -> LabelRows:
    """Read one file of labels for instruction `name`; InputError where it is none."""
    check_regular(part.path)
    rows = LabelRows()
    columns: Keys = {}
    positions: list[int] = []
    for batch in _batches(part):
        rows.rejects += batch.rejected
        rows.notes.update(batch.remarks)
        flat = unfold(batch.columns, name)
        here, origin = flat if flat is not None else (batch.columns, range(len(batch)))
        for column in here:
            columns.setdefault(column, [None] * len(positions))
        for column in columns:
            columns[column] += here.get(column, [None] * len(origin))
        positions += [batch.positions[at] for at in origin]
    rows.positions = positions
    _fill(rows, columns, label_columns(columns, name, part.path), separator)
    return rows


def _fill(rows: LabelRows, columns: Keys, chosen: LabelColumns, separator: str | None) -> None:
    nothing: list[Cell] = [None] * len(rows)
    rows.ids = {column: columns[column] for column in chosen.ids}
    rows.texts = {column: columns[column] for column in chosen.texts}
    rows.others = {column: columns[column] for column in chosen.others}
    rows.sources = columns[chosen.source] if chosen.source else nothing
    rows.annotators = columns[chosen.annotator] if chosen.annotator else None
    rows.cells = _cells(columns, chosen, len(rows))
    if chosen.label and chosen.spelled:
        named = _spelled(rows.cells, columns[chosen.spelled])
        if named is not None:
            rows.cells = named
            rows.notes[SPELLED_OUT] = sum(cell is not None for cell in named)
    rows.answers = [understood(cell, separator) for cell in rows.cells]
    _judge_lists(rows)
    if not separator:
        _note_joined(rows)
    _judge_absent(rows)
    for column in chosen.statuses:
        for at, status in enumerate(columns[column]):
            if _says_no(status):
                rows.answers[at] = Answer(reason=DISCARDED)
    for at, reason in enumerate(columns.get(REFUSED, ())):
        if reason:
            rows.answers[at] = Answer(reason=reason)


def _cells(columns: Keys, chosen: LabelColumns, count: int) -> list[Cell]:
    """Return the cells of the label column, or a JSON list a row of what one-hot columns say."""
    if chosen.label is not None:
        return columns[chosen.label]
    flags = {column: columns[column] for column in chosen.flags}
    return [dump([name for name, on in flags.items() if _is_on(on[at])]) for at in range(count)]


def _is_on(cell: Cell) -> bool:
    return (cell or "").strip().lower() in ("1", "1.0", "true", "yes")


def _says_no(status: Cell) -> bool:
    return dropped(status) or _is_on(status)


def _spelled(cells: list[Cell], names: list[Cell]) -> list[Cell] | None:
    """Return names in place of labels written as numbers, if each number has one name only."""
    name_of: dict[str, set[str]] = defaultdict(set)
    for cell, name in zip(cells, names, strict=True):
        if cell and cell.strip() and name and name.strip():
            name_of[cell.strip()].add(name.strip())
    numbers = all(key.removeprefix("-").replace(".", "", 1).isdigit() for key in name_of)
    if not name_of or not numbers or any(len(found) > 1 for found in name_of.values()):
        return None
    return [next(iter(name_of.get((cell or "").strip(), {cell})), None) for cell in cells]


def _judge_lists(rows: LabelRows) -> None:
    """Take lists of zeros and ones for one-hot if all have one length, else for labels 0 and 1."""
    lists = [at for at, answer in enumerate(rows.answers) if answer.binary]
    lengths = {rows.answers[at].binary for at in lists}
    others = any(len(a.labels) > 1 and not a.binary for a in rows.answers)
    singles = any((cell or "").strip() in ("[0]", "[1]", "[]") for cell in rows.cells)
    if lists and len(lengths) == 1 and not others and not singles:
        for at in lists:
            rows.answers[at] = Answer(reason=ONE_HOT)


def _note_joined(rows: LabelRows) -> None:
    """Note names that seem to be several: all parts of "a#b" are labels of other texts, too."""
    single = {answer.labels[0] for answer in rows.answers if len(answer.labels) == 1}
    for mark in SEPARATORS:
        apart = {name: [part.strip() for part in name.split(mark)] for name in single}
        joint = {name for name, parts in apart.items() if len(parts) > 1 and single >= set(parts)}
        count = sum(answer.labels[0] in joint for answer in rows.answers if len(answer.labels) == 1)
        if count:
            rows.notes[f"label that may be several, parted by '{mark}' (fit.separator)"] = count


def _judge_absent(rows: LabelRows) -> None:
    """Tell None that Python wrote for nothing from a class of that name, by how the others look."""
    names = {label for answer in rows.answers for label in answer.labels}
    for absent in names & set(ABSENT):
        others = [name for name in names if name not in ABSENT and name[:1].isalpha()]
        alike = str.isupper if absent.isupper() else str.istitle
        of_its_kind = any(alike(name[:1] if alike is str.istitle else name) for name in others)
        hits = [at for at, answer in enumerate(rows.answers) if answer.labels == (absent,)]
        if of_its_kind:
            rows.notes[CLASS.format(absent)] = len(hits)
            continue
        for at in hits:
            rows.answers[at] = Answer(reason=EMPTY)


def _batches(part: Part) -> Iterator[Batch]:
    whole = _whole(part.path) if part.format == JSON else None
    if whole is not None:
        yield whole
    else:
        yield from batches(part.path, ROWS)


def _whole(path: Path) -> Batch | None:
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
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        if str(error).startswith("Extra data"):
            return None
        raise InputError(
            f"{path}: found no JSON ({str(error)[:80]}); expected a list of objects; export it"
            " again, or as JSON Lines (.jsonl)"
        ) from error
    records = _records(value)
    if records is None:
        raise InputError(
            f"{path}: found JSON that is no list of objects; expected one object a text, with its"
            " id or text and its label; export it otherwise, or as CSV"
        )
    return _batch(path, records)


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
    batch.columns = {key: [_cell(record.get(key)) for record in good] for key in names}
    return batch


def _cell(value: object) -> Cell:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return dump(value)
