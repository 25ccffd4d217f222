"""The rows of one label file as they stand there, with what each says, before any is judged."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tasks.core.labels.cells import (
    BESIDE,
    DISCARDED,
    EMPTY,
    ONE_HOT,
    Answer,
    dropped,
    understood,
)
from tasks.core.labels.columns import NAMES, SPELLED, TOOLS, LabelColumns, label_columns
from tasks.core.labels.corpus_column import column_rows
from tasks.core.labels.exports.class_names import class_names, named
from tasks.core.labels.exports.json_list import whole_json
from tasks.core.labels.exports.questions import REFUSED, question_of
from tasks.core.labels.exports.tools import HUGGING_FACE, Tool, read_as, tool_of
from tasks.core.labels.exports.unfolding import Nested, lift, name_options, nested
from tasks.core.labels.files import JSON, NO_NAMES, OwnColumns, Part
from tasks.core.readers.read_documents import batches
from tasks.core.readers.records import Batch, Cell, Reject, dump
from tasks.core.workspace.files import check_regular

ROWS = 50_000
ABSENT = ("None", "NONE", "NA", "N/A", "NULL", "none given")
SEPARATORS = ("#", "|", ";", ",")  # of doccano's CSV, and others
SPELLED_OUT = "label by the name beside its number"
CLASS = "label that may mean none: {}"

Keys = dict[str, list[Cell]]


@dataclass
class LabelRows:
    """The rows of a label file by column: at i what row i holds, says, whose it is, where it stood.

    ids, texts: by column, several of which may be the one; others: of columns of unknown names.
    cells: labels as they stand in the file. annotators: who answered, where a column says so.
    joint: labels that seem to be several, by the note that says so. read_as: which tool's export
    it is, if any.
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
    joint: dict[str, list[str]] = field(default_factory=dict)
    read_as: str = ""

    def __len__(self) -> int:
        return len(self.positions)


def read_rows(
    part: Part, name: str, separator: str | None = None, own: OwnColumns = NO_NAMES
) -> LabelRows:
    """Read one file of labels for instruction `name`; InputError where it is none.

    own: names of the columns of ids and texts that only this workspace knows.
    """
    if part.column is None:
        check_regular(part.path)
    rows = LabelRows()
    columns: Keys = {}
    tool: Tool | None = None
    classes = class_names(part)
    read: list[tuple[Batch, Nested | None]] = []
    for batch in _batches(part):
        tool = tool or tool_of(batch.columns) or (HUGGING_FACE if classes else None)
        for column in classes.keys() & batch.columns.keys():
            batch.columns[column] = named(batch.columns[column], classes[column])
        name_options(batch.columns)
        read.append((batch, nested(batch.columns, lift(batch.columns, own))))
        rows.rejects += batch.rejected
        rows.notes.update(batch.remarks)
    asked = question_of(name, [found.met for _, found in read if found is not None])
    for batch, found in read:
        here: Keys = batch.columns
        origin: Sequence[int] = range(len(batch))
        if found is not None:
            here, origin = found.flat(asked)
        for column in here:
            columns.setdefault(column, [None] * len(rows.positions))
        for column in columns:
            columns[column] += here.get(column, [None] * len(origin))
        rows.positions += [batch.positions[at] for at in origin]
    _fill(rows, columns, label_columns(columns, name, part.path, own), separator)
    if tool is not None:
        doubted = sum(map(_is_on, columns.get("is_label_issue", ())))
        rows.read_as = read_as(tool, rows.answers, doubted)
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
    _judge_beside(rows, columns, chosen)
    for at, reason in enumerate(columns.get(REFUSED, ())):
        if reason:
            rows.answers[at] = Answer(reason=reason)


def _judge_beside(rows: LabelRows, columns: Keys, chosen: LabelColumns) -> None:
    """Tell rows without a label from those that may have one in another column."""
    own = {(chosen.label or "").lower(), (chosen.spelled or "").lower()}
    known = {*NAMES, *SPELLED, *TOOLS} - own
    others = [cells for name, cells in columns.items() if name.lower() in known]
    for at, answer in enumerate(rows.answers):
        if answer.reason == EMPTY and any(understood(each[at]).labels for each in others):
            rows.answers[at] = Answer(reason=BESIDE)


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
            note = f"label that may be several, parted by '{mark}' (fit.separator)"
            rows.notes[note], rows.joint[note] = count, sorted(joint)


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
    if part.column is not None:
        found = column_rows(part)
        columns: Keys = {"id": [key for _, key, _ in found], "label": [own for *_, own in found]}
        yield Batch(columns, [part.path] * len(found), [at for at, *_ in found])
        return
    whole = whole_json(part.path) if part.format == JSON else None
    if whole is not None:
        yield whole
    else:
        yield from batches(part.path, ROWS)
