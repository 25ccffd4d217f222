"""Nested exports of annotation tools, unfolded into a row per answer.

Label Studio's JSON (`data`, `annotations[].result[].value`), Labelbox's NDJSON (`data_row`,
`projects`), Argilla's records (`fields`, `responses`, or columns `question.responses`). What a tool
writes flat (JSON-MIN, CSV, Prodigy, doccano) needs no unfolding.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from tasks.core.labels.cells import CONTAINER, OTHER_KIND
from tasks.core.labels.exports.questions import REFUSED, Question
from tasks.core.labels.files import NO_NAMES, OwnColumns
from tasks.core.readers.read_documents import ID_NAMES, TEXT_NAMES
from tasks.core.readers.records import Cell, cell_of, dump

Columns = dict[str, list[Cell]]
Row = dict[str, Any]
HOLDERS = ("data", "meta", "metadata", "fields", "data_row")
NUMBERS = ("id", "external_id")  # that tools give their tasks themselves
SKIPPED = "skipped"  # a column that unfolding adds


def lift(columns: Columns, own: OwnColumns) -> OwnColumns:
    """Make columns of the corpus's own id and text, which a tool keeps inside its tasks.

    Label Studio keeps them in `data` or `meta`, Argilla in `fields` or `metadata`, doccano and
    Prodigy in `meta`. What is a column already stays as it is; numbers of the tool, which may be
    ids of the corpus by chance, go where its own is there. Returns what was found.
    """
    there = {each.lower(): each for each in columns}

    def inside(name: str | None) -> str | None:
        if not name or name.lower() in there:
            return None
        flat = (there.get(f"{holder}.{name.lower()}") for holder in HOLDERS)
        cells = [columns[each] for each in flat if each]
        cells += [_kept(columns[there[each]], name) for each in HOLDERS if each in there]
        found = next((each for each in cells if any(each)), None)
        if found is None:
            return None
        columns[name] = found
        return name

    lifted = OwnColumns(inside(own.id), inside(own.text))
    if lifted.id:
        for each in (there[name] for name in NUMBERS if name in there):
            rows = zip(columns[each], columns[lifted.id], strict=True)
            columns[each] = [None if key else number for number, key in rows]
    return lifted


def _kept(cells: list[Cell], name: str) -> list[Cell]:
    """Return what objects have under a name of any case; None where they have no word or number."""
    low = ({str(k).lower(): v for k, v in _object(_value(cell)).items()} for cell in cells)
    found = (each.get(name.lower()) for each in low)
    return [cell_of(each) if isinstance(each, str | int | float) else None for each in found]


@dataclass(frozen=True)
class Nested:
    """A part of an export, its records taken apart; see `nested`."""

    columns: Columns
    lifted: OwnColumns
    form: Form
    records: list[Row]
    met: Question

    def flat(self, question: Question) -> tuple[Columns, list[int]]:
        """Return flat columns and the row that each of their rows comes from."""
        there = {each.lower(): each for each in self.columns}
        rows: list[Row] = []
        origin: list[int] = []
        for at, record in enumerate(self.records):
            lifted = (self.lifted.id, self.lifted.text)
            own = {each: self.columns[each][at] for each in lifted if each}
            for row in self.form(record, question):
                same = [key for key in row if row[key] is record.get(key) and key in record]
                made = row | {key: self.columns[there[key]][at] for key in same}
                rows.append(_owned(made, own, self.lifted.id))
                origin.append(at)
        names = list(dict.fromkeys(key for row in rows for key in row))
        flat: Columns = {key: [cell_of(row.get(key)) for row in rows] for key in names}
        return (flat or {"id": [], "text": [], "label": []}), origin


def nested(columns: Columns, lifted: OwnColumns = NO_NAMES) -> Nested | None:
    """Take apart the records of an export; None where nothing is nested in these columns.

    lifted: the columns that `lift` made.
    """
    there = {each.lower(): each for each in columns}
    form = _form(there, columns)
    if form is None:
        return None
    length = max(map(len, columns.values()), default=0)
    records = [
        {low: _value(columns[own][at]) for low, own in there.items()} for at in range(length)
    ]
    met = Question()
    for record in records:  # which question it is, all parts of the export decide together
        for _ in form(record, met):
            pass
    return Nested(columns, lifted, form, records, met)


def _owned(row: Row, own: Row, key: str | None) -> Row:
    """Add what is the corpus's own; beside its id no other is wanted, and it is no text."""
    known = own[key] if key else None
    if known:
        row = {k: v for k, v in row.items() if k not in NUMBERS and (k, v) != ("text", known)}
    return row | own


def name_options(columns: Columns) -> None:
    """Put the texts of options in place of ids that are numbers, as Prodigy's `accept` has them."""
    there = {each.lower(): each for each in columns}
    if not {"options", "accept"} <= there.keys():
        return
    accepted = columns[there["accept"]]
    for at, cell in enumerate(columns[there["options"]]):
        options, accept = _value(cell), _value(accepted[at])
        if isinstance(options, list) and isinstance(accept, list):
            known = {str(o.get("id")): o.get("text") for o in options if isinstance(o, dict)}
            if known and all(key.isdigit() and text for key, text in known.items()):
                accepted[at] = dump([known.get(str(each), each) for each in accept])


Form = Callable[[Row, Question], Iterator[Row]]


def _form(there: Mapping[str, str], columns: Columns) -> Form | None:
    forms = (
        ({"data", "annotations"}, "data", _label_studio),
        ({"data", "completions"}, "data", _label_studio),
        ({"data_row", "projects"}, "data_row", _labelbox),
        ({"fields", "responses"}, "fields", _argilla),
    )
    for names, nested, form in forms:
        if names <= there.keys() and _is_object(columns[there[nested]]):
            return partial(_of_its_kind, nested, form)
    return _argilla_flat if any(key.endswith(".responses") for key in there) else None


def _of_its_kind(nested: str, form: Form, record: Row, question: Question) -> Iterator[Row]:
    """Unfold a record; one that lacks what the export's records have is of another kind."""
    if isinstance(record[nested], dict):
        yield from form(record, question)
    else:
        yield {"text": record.get("text"), "id": record.get("id"), REFUSED: OTHER_KIND}


def _is_object(cells: list[Cell]) -> bool:
    return isinstance(_value(next((each for each in cells if each), None)), dict)


def _value(cell: Cell) -> Any:
    if cell and cell.lstrip()[:1] in ("{", "["):
        try:
            return json.loads(cell)
        except (ValueError, RecursionError):
            return cell
    return cell


def _object(value: Any) -> Row:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _objects(values: Any) -> list[Row]:
    return [each for each in _list(values) if isinstance(each, dict)]


def _label_studio(task: Row, question: Question) -> Iterator[Row]:
    shown = _object(task["data"])
    keys = {"text": _text(shown)} | _ids(shown, task.get("id"))
    answers = task.get("annotations") or task.get("completions")
    if not isinstance(answers, list) or not answers:
        yield keys
        return
    for answer in answers:
        if not isinstance(answer, dict):
            yield keys | {REFUSED: CONTAINER}
            continue
        flags = {SKIPPED: bool(answer.get("was_cancelled") or answer.get("skipped"))}
        who = {"annotator": _who(answer.get("completed_by"))}
        yield keys | flags | who | _results(answer.get("result"), question)


def _results(results: Any, question: Question) -> Row:
    """Return what an annotation's results say to the question that the instruction is."""
    told = [each for each in _objects(results) if "value" in each]
    names = [
        question.meet(each.get("from_name"), free=_object(each["value"]).keys() == {"text"})
        for each in told
    ]
    own = [each["value"] for each, name in zip(told, names, strict=True) if name == question.own]
    return question.says(own, told=bool(told))


def _text(shown: Mapping[str, Any]) -> Any:
    low = {str(key).lower(): value for key, value in shown.items()}
    found = next((low[key] for key in TEXT_NAMES if isinstance(low.get(key), str)), None)
    texts = [each for each in shown.values() if isinstance(each, str)]
    return found if found is not None or not texts else max(texts, key=len)


def _ids(shown: Mapping[str, Any], own: Any) -> Row:
    """Return the id of the tool and, first, the document's own where the tool was given it."""
    low = {str(key).lower(): value for key, value in shown.items()}
    given = next((low[key] for key in ID_NAMES if isinstance(low.get(key), str | int)), None)
    return {"id": own} if given is None else {"id": given, "external_id": own}


def _who(value: Any) -> Any:
    return value.get("email", value.get("id")) if isinstance(value, dict) else value


def _labelbox(row: Row, question: Question) -> Iterator[Row]:
    data = _object(row["data_row"])
    keys = {"text": data.get("row_data"), "id": data.get("external_id") or data.get("global_key")}
    keys["external_id"] = data.get("id")
    projects = _objects(list(_object(row["projects"]).values()))
    answers = [answer for project in projects for answer in _objects(project.get("labels"))]
    if not answers:
        yield keys
    for answer in answers:
        given = _object(answer.get("annotations"))
        told = _objects(given.get("classifications"))
        names = [question.meet(each.get("name"), free="text_answer" in each) for each in told]
        own = [each for each, name in zip(told, names, strict=True) if name == question.own]
        said = question.says(own or (given.get("objects") if not told else None), told=bool(told))
        who = _object(answer.get("label_details")).get("created_by")
        skipped = bool(_object(answer.get("performance_details")).get("skipped"))
        yield keys | said | {"annotator": who, SKIPPED: skipped}


def _argilla(record: Row, question: Question) -> Iterator[Row]:
    fields = _object(record["fields"])
    keys = {"text": _text(fields), "id": record.get("external_id") or record.get("id")}
    responses = record["responses"]
    told: list[tuple[str, Any, Any, Any]] = []
    if isinstance(responses, dict):
        for asked, each in responses.items():
            listed = _objects(each if isinstance(each, list) else [each])
            told += [(asked, r.get("value"), r.get("status"), r.get("user_id")) for r in listed]
    else:
        for r in _objects(responses):
            for asked, each in _object(r.get("values")).items():
                value = each.get("value") if isinstance(each, dict) else each
                told.append((asked, value, r.get("status"), r.get("user_id")))
    yield from _told(told, keys, question)


def _argilla_flat(record: Row, question: Question) -> Iterator[Row]:
    ends = (".responses", ".responses.status", ".responses.users")
    others = {key: each for key, each in record.items() if not key.endswith((*ends, ".suggestion"))}
    others = {key: each for key, each in others.items() if "." not in key and key != "status"}
    told: list[tuple[str, Any, Any, Any]] = []
    for key, values in record.items():
        if key.endswith(ends[0]) and isinstance(values, list):
            asked = key.removesuffix(ends[0])
            states = _list(record.get(asked + ends[1]))
            users = _list(record.get(asked + ends[2]))
            for at, value in enumerate(values):
                state = states[at] if at < len(states) else None
                user = users[at] if at < len(users) else str(at)
                told.append((asked, value, state, user))
    yield from _told(told, others, question)


def _told(told: list[tuple[str, Any, Any, Any]], keys: Row, question: Question) -> Iterator[Row]:
    """Return a row for each answer to the question, one for those who answered others alone."""
    own = [each for each in told if question.meet(each[0]) == question.own]
    for _, value, state, user in own:
        yield keys | {"label": value, "answer": state, "annotator": user}
    if not own:
        yield keys | question.says(None, told=bool(told))
