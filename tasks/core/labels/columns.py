"""Which columns of a label file hold ids, texts and labels, and what annotation tools add."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks.core.labels.cells import DROPPED
from tasks.core.labels.files import NO_NAMES, OwnColumns
from tasks.core.labels.precedence import SOURCE
from tasks.core.readers.read_documents import ID_NAMES, TEXT_NAMES, find_column
from tasks.core.workspace.errors import InputError

IDS = (*ID_NAMES, "external_id", "example_id", "data_id", "row_id", "_unit_id")
TEXTS = (*TEXT_NAMES, "data", "row_data", "labeled data", "utterance", "post")
REMARKS = frozenset(("comment", "description", "review", "message", "data", "body"))
NAMES = ("label", "labels", "value", "class", "category")
SPELLED = ("label_text", "label_name", "label_str", "labels_text", "class_name", "category_name")
TOOLS = (
    *("annotation", "accept", "cats", "choice", "choices", "sentiment", "annotations"),
    "given_label",
)
ANNOTATORS = (
    *("annotator", "annotator_id", "_annotator_id", "_session_id", "annotation_agent", "rater"),
    *("rater_id", "worker", "worker_id", "workerid", "_worker_id", "username", "user", "user_id"),
    *("annotated_by", "labeled_by", "labelled_by", "completed_by", "created_by", "coder", "email"),
)
STATUSES = ("answer", "status", "annotation_status", "assignmentstatus", "state", "action")
FLAGS = (
    *("was_cancelled", "cancelled", "skipped", "is_skipped", "rejected", "is_rejected"),
    *("ignored", "discarded", "is_discarded", "was_skipped", "_skipped"),
)
PARTS = ("spans", "entities", "tokens", "bbox", "relations")
INDEX = "column_1"  # without a name, as pandas and R write the numbers of rows
_ASIDE = (  # what tools write beside, and what is never a label
    *("lead_time", "created_at", "updated_at", "annotation_id", "timestamp", "meta", "metadata"),
    *("confidence", "novelty", "suggested", "why", "score", "priority", "options", "prediction"),
    *("_input_hash", "_task_hash", "_view_id", "_timestamp", "comments", "_is_binary"),
    *("predicted_label", "is_label_issue", "label_score", "label_quality", "sample_weight"),
)


@dataclass(frozen=True)
class LabelColumns:
    """Which columns of a label file hold what; all that may hold ids or texts, likeliest first.

    label: None where `flags` are columns of zeros and ones, a label each. spelled: the name of a
    label that stands as a number in `label`. others: of no known name; one may hold the texts.
    """

    ids: tuple[str, ...]
    texts: tuple[str, ...]
    label: str | None
    spelled: str | None = None
    flags: tuple[str, ...] = ()
    source: str | None = None
    annotator: str | None = None
    statuses: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


def label_columns(
    columns: Mapping[str, Sequence[str | None]],
    name: str,
    path: Path,
    own_names: OwnColumns = NO_NAMES,
) -> LabelColumns:
    """Choose a label file's columns by their names, where these leave it open by first values.

    InputError where neither ids nor texts, or no labels, are found.
    """
    header = [each for each in columns if not each.startswith("Unnamed:")]
    own_id, own_text = ([each.lower()] if each else [] for each in (own_names.id, own_names.text))
    keys = {*_all(header, ID_NAMES), *own_id, *own_text, "text", SOURCE}
    own = _label([each for each in header if each.lower() not in keys], name, known=False)
    rest = [each for each in header if each != own]
    ids, texts = _all(rest, [*own_id, *IDS]), _all(rest, [*own_text, *TEXTS])
    ids = tuple(each for each in ids if each.lower() not in own_text)
    texts = tuple(each for each in texts if each.lower() not in own_id)
    left = [each for each in rest if each not in (*ids, *texts)]
    source, annotator = find_column(left, [SOURCE]), find_column(left, ANNOTATORS)
    label = own or _label([each for each in left if each != source], name) or _label(left, name)
    statuses = _statuses(columns, [each for each in left if each != label])
    if label == source:
        source = None
    aside = (source, annotator, *statuses, label, *_all(left, _ASIDE))
    others = [each for each in left if each not in aside]
    if label is None and len(others) == 1 and not _all(others, PARTS):
        label = others[0]
    flags = _flags(columns, [each for each in others if each != INDEX]) if label is None else ()
    if not (ids or texts) or not (label or flags):
        _refuse(header, name, path)
    spelled = find_column(
        [each for each in left if each != label], (f"{name}_text", f"{name}_name", *SPELLED)
    )
    left = [each for each in others if each not in (label, spelled, *flags)]
    return LabelColumns(ids, texts, label, spelled, flags, source, annotator, statuses, tuple(left))


def _label(header: Sequence[str], name: str, *, known: bool = True) -> str | None:
    own = (name, name.replace("-", "_"))
    asked = {_bare(each): each for each in reversed(header)}
    names = (*own, *(f"{each}.{end}" for each in own for end in ("label", "labels", "choices")))
    if known:
        names = (*names, *NAMES, *SPELLED, *TOOLS)
    found = next((asked[each] for each in names if each in asked), None)
    if found is None and known:
        answers = [each for each in header if each.lower().startswith("answer.")]
        return answers[0] if len(answers) == 1 else None
    return found


def _bare(column: str) -> str:
    return column.lower().removeprefix("input.").removeprefix("answer.")


def _all(header: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    asked = {_bare(each): each for each in reversed(header)}
    return tuple(asked[name] for name in names if name in asked)


def _statuses(
    columns: Mapping[str, Sequence[str | None]], header: Sequence[str]
) -> tuple[str, ...]:
    """Return the columns that say whether an answer counts, by name and by what stands there."""
    named = [each for each in _all(header, STATUSES) if _says(columns[each])]
    return (*named, *(each for each in _all(header, FLAGS) if _is_flag(columns[each])))


_VERDICTS = {
    *DROPPED,
    *("accept", "accepted", "submitted", "pending", "completed", "validated", "default"),
    *("approved", "done", "valid", "annotated", "labeled", "labelled", "reviewed", "finished"),
}


def _says(cells: Sequence[str | None]) -> bool:
    said = {cell.strip().lower() for cell in cells if cell and cell.strip()}
    return bool(said) and said <= _VERDICTS


def _is_flag(cells: Sequence[str | None]) -> bool:
    said = {cell.strip().lower() for cell in cells if cell and cell.strip()}
    return bool(said) and said <= {"true", "false", "0", "1", "0.0", "1.0", "yes", "no"}


def _flags(columns: Mapping[str, Sequence[str | None]], header: list[str]) -> tuple[str, ...]:
    """Return one-hot columns: two or more, nothing but zeros and ones in them, nothing beside."""
    return tuple(header) if len(header) > 1 and all(_is_flag(columns[c]) for c in header) else ()


def _refuse(header: Sequence[str], name: str, path: Path) -> None:
    found = ", ".join(f"'{column}'" for column in header[:20])
    parts = _all(header, PARTS)
    why = f" ('{parts[0]}' are labels of parts of a text)" if parts else ""
    raise InputError(
        f"{path}: found columns {found}{why}; expected 'id' (or 'text') and 'label' (or '{name}');"
        " rename the columns"
    )
