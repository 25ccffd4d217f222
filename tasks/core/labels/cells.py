"""What one cell of a label file says: the labels of a whole text, or why it says none.

Annotation tools write a choice in many ways: `fee`, `["fee"]`, `['fee']`, `{"choices": ["fee"]}`,
`[{"value": "fee", "status": "submitted"}]`. A container is read as what it means, or refused; it is
never taken for the name of a class.
"""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tasks.core.labels.notations import NOTHING, is_notation, looks_closed, parsed
from tasks.core.readers.records import encodable
from tasks.core.text.characters import for_label

EMPTY = "empty label"
SPANS = "labels of parts of a text, not of the whole"
ONE_HOT = "one-hot list without the names of its labels"
SCORES = "scores of labels, not an answer"
CONTAINER = "list or object that is no label"
DISCARDED = "answer rejected, ignored or skipped in the annotation tool"
BESIDE = "empty label, though another column has one"
QUESTIONS = "several questions"  # and which, none of them the instruction
OTHER_KIND = "row of another kind than the export's: its label stands under another name"
DIFFER = "annotators differ without a majority"

DROPPED = {
    *("reject", "rejected", "ignore", "ignored", "skip", "skipped", "discard", "discarded"),
    *("cancel", "cancelled", "canceled", "draft", "invalid", "deleted", "flagged"),
}
MISSING = {  # as pandas, JSON, databases and spreadsheets write nothing, or that a formula failed
    *("nan", "NaN", "<NA>", "NaT", "null", "-nan", "\\N"),
    *("#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!"),
}
CHOICES = (
    *("choices", "choice", "labels", "label", "radio_answer", "checklist_answers", "answers"),
    *("answer", "classifications", "annotations", "selected", "value", "values", "name", "title"),
    *("class", "category", "categories", "option", "rating", "number", "cats"),
)
_PARTS = (  # keys of an object that says where in a text, or in a picture, its label stands
    *({"start", "end"}, {"start_offset", "end_offset"}, {"startoffset", "endoffset"}),
    *({"x", "y"}, {"bbox"}, {"points"}, {"polygon"}, {"location"}, {"token_start"}),
)
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200e\u200f\u2060\ufeff"))


@dataclass(frozen=True)
class Answer:
    """The labels of a text, or the reason why there are none.

    binary: the length of a list of zeros and ones, which may be one-hot or name labels 0 and 1.
    """

    labels: tuple[str, ...] = ()
    reason: str | None = None
    binary: int = 0


def understood(cell: str | None, separator: str | None = None) -> Answer:
    """Return what a cell says; `separator` stands between the labels of a text with several."""
    text = tidy(cell or "")
    if text in MISSING:
        return Answer(reason=EMPTY)
    if is_notation(text):
        value = parsed(text)
        if value is not NOTHING:
            return meaning(value)
        if looks_closed(text):
            return Answer(reason=CONTAINER)
    return _named(text.split(separator) if separator else [text])


def tidy(name: str) -> str:
    """Return a label in one spelling: composed characters, no blanks around it or doubled.

    Characters that no label may hold are left out; `for_label` says which.
    """
    name = for_label(name)
    if not name.isascii():
        name = unicodedata.normalize("NFC", name).translate(_INVISIBLE)
    return " ".join(name.split())


def meaning(value: Any) -> Answer:
    """Return the labels that a parsed value of JSON or Python says, or why it says none."""
    if isinstance(value, str):
        nested = tidy(value)
        return understood(nested) if nested.startswith(("[", "{")) else _named([nested])
    if value is None or isinstance(value, bool | int | float):
        return _named([] if value is None else [_spelled(value)])
    if isinstance(value, dict):
        return _of_object(value)
    if isinstance(value, list | tuple | set | frozenset):
        kept = [each for each in value if each not in (None, "")]
        return _of_list(sorted(kept, key=repr) if isinstance(value, set | frozenset) else kept)
    return Answer(reason=CONTAINER)


def dropped(status: Any) -> bool:
    """Tell whether a status or flag says that an answer does not count."""
    if isinstance(status, bool):
        return status
    return isinstance(status, str) and status.strip().lower() in DROPPED


def _named(names: Iterable[str]) -> Answer:
    labels = tuple(sorted({label for name in names if (label := tidy(name))} - MISSING))
    if not all(map(encodable, labels)):
        return Answer(reason=CONTAINER)
    return Answer(labels) if labels else Answer(reason=EMPTY)


def _spelled(value: Any) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return value if isinstance(value, str) else json.dumps(value)


def _of_list(items: list[Any]) -> Answer:
    if all(isinstance(one, str | int | float) for one in items):
        return _of_scalars(items)
    if all(isinstance(one, dict) for one in items):
        return _of_objects(items)
    return Answer(reason=SPANS if any(map(_is_span, items)) else CONTAINER)


def _of_scalars(items: list[Any]) -> Answer:
    if len(items) > 1 and not any(isinstance(one, str) for one in items):
        if all(isinstance(one, bool) for one in items):
            return Answer(reason=ONE_HOT)
        if all(0 <= one <= 1 for one in items):
            if any(one not in (0, 1) for one in items):
                return Answer(reason=SCORES)
            if len(set(items)) < len(items):
                return Answer(reason=ONE_HOT)
            return Answer(_named(map(_spelled, items)).labels, binary=len(items))
    return _named(map(_spelled, items))


def _is_span(value: Any) -> bool:
    """Tell whether a list marks a part of a text, as [0, 3, "PER"] does by its start and end."""
    if not isinstance(value, list | tuple) or len(value) < 3:
        return False
    return all(isinstance(one, int | float) for one in value[:2])


def _of_objects(items: list[Mapping[str, object]]) -> Answer:
    if len(items) > 1 and any("score" in one or "confidence" in one for one in items):
        return Answer(reason=SCORES)
    each = [_of_object(one) for one in items]
    said = [one for one in each if one.labels]
    if not said:
        return next((one for one in each if one.reason != EMPTY), Answer(reason=EMPTY))
    if any(one.reason in (SPANS, CONTAINER) for one in each):
        return Answer(reason=SPANS if any(one.reason == SPANS for one in each) else CONTAINER)
    if any({"user_id", "user", "status"} & one.keys() for one in items):
        return majority([one.labels for one in said])
    return _named(label for one in said for label in one.labels)


def majority(answers: list[tuple[str, ...]]) -> Answer:
    """Return the labels that more than half of several annotators give."""
    counts = Counter(label for labels in answers for label in set(labels))
    won = [label for label, votes in counts.items() if 2 * votes > len(answers)]
    return _named(won) if won else Answer(reason=DIFFER)


def _of_object(value: Mapping[str, object]) -> Answer:
    if not value:
        return Answer(reason=EMPTY)
    known = {str(key).lower(): each for key, each in value.items()}
    if any(keys <= known.keys() for keys in _PARTS):
        return Answer(reason=SPANS)
    if dropped(known.get("status")) or dropped(known.get("was_cancelled")):
        return Answer(reason=DISCARDED)
    ranked = known.get("labels")
    if isinstance(ranked, list) and len(ranked) > 1 and {"scores", "probabilities"} & known.keys():
        return Answer(reason=SCORES)
    paths = known.get("taxonomy")
    if isinstance(paths, list):
        return _named(" > ".join(map(str, path)) for path in paths)
    for key in CHOICES:
        if key in known:
            return _inside(known[key])
    return _of_flags(value)


def _inside(value: Any) -> Answer:
    """Return what the value under a key such as `choices` says; two questions in it are refused."""
    if isinstance(value, list) and len(value) > 1 and all(isinstance(v, dict) for v in value):
        questions = {str(v.get("name", v.get("title"))) for v in value if _asks(v)}
        if len(questions) > 1:
            return Answer(reason=CONTAINER)
    return meaning(value)


def _asks(value: Mapping[str, object]) -> bool:
    return bool({"answer", "answers", "radio_answer", "checklist_answers"} & value.keys())


def _of_flags(value: Mapping[str, object]) -> Answer:
    """Return as labels the keys of an object that are set: {"fee": 1, "late": 0} says fee."""
    flags = list(value.values())
    if all(isinstance(flag, bool | int | float) and flag in (0, 1) for flag in flags):
        return _named(key for key, flag in value.items() if flag)
    numbers = all(isinstance(flag, int | float) for flag in flags)
    return Answer(reason=SCORES if numbers else CONTAINER)
