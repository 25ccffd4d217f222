"""Which tool an export came from, told by its shape, and the line that says so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tasks.core.labels.cells import BESIDE, DISCARDED, EMPTY, Answer

Cells = Sequence[str | None]


@dataclass(frozen=True)
class Tool:
    """A tool by the columns of its exports: all of one set in `marks` are there.

    counted: what a row is called; passed: what its user has done with a row that does not count.
    """

    called: str
    marks: tuple[frozenset[str], ...]
    counted: str
    passed: str


def _tool(called: str, counted: str, passed: str, *marks: str) -> Tool:
    return Tool(called, tuple(frozenset(each.split()) for each in marks), counted, passed)


SKIPPED = "skipped by the annotator"
TOOLS = (
    _tool(
        *("a Label Studio export", "annotations", SKIPPED, "data annotations", "data completions"),
        *("annotation_id lead_time", "annotation_id annotator"),
    ),
    _tool("a Labelbox export", "annotations", SKIPPED, "data_row projects"),
    _tool("an Argilla export", "responses", "discarded or in draft", "fields responses"),
    _tool("a Prodigy export", "answers", "rejected or ignored", "_input_hash answer"),
    _tool("a Prodigy export", "answers", "rejected or ignored", "accept answer"),
    _tool("a doccano export", "texts", SKIPPED, "text annotation_approver", "text label comments"),
    _tool("a cleanlab frame", "rows", SKIPPED, "given_label predicted_label"),
    _tool("a SetFit frame", "rows", SKIPPED, "text label label_text"),
)
ARGILLA = TOOLS[2]
DOCCANO = TOOLS[5]
HUGGING_FACE = _tool("a Hugging Face frame", "rows", SKIPPED)


def tool_of(columns: Mapping[str, Cells]) -> Tool | None:
    """Return the tool that wrote these columns, or None for a table of no tool's."""
    there = {name.lower() for name in columns}
    if any(name.endswith(".responses") for name in there):
        return ARGILLA
    known = next((tool for tool in TOOLS if any(mark <= there for mark in tool.marks)), None)
    if known is None and {"text", "annotations"} <= there and _of_doccano(columns):
        return DOCCANO
    return known if known is not TOOLS[0] or "data" not in there or _nested(columns) else None


def _of_doccano(columns: Mapping[str, Cells]) -> bool:
    """Tell annotations as doccano wrote them at first: [{"label": 7, "user": 1}]."""
    cells = next(cells for name, cells in columns.items() if name.lower() == "annotations")
    first = next((cell for cell in cells if cell and cell.strip() not in ("[]", "")), "")
    return '"label"' in first and '"user"' in first


def _nested(columns: Mapping[str, Cells]) -> bool:
    cells = next(cells for name, cells in columns.items() if name.lower() == "data")
    return next((cell for cell in cells if cell), "").lstrip().startswith("{")


def read_as(tool: Tool, answers: Iterable[Answer], doubted: int = 0) -> str:
    """Return the line that says what was read as which export, and what of it counts.

    doubted: rows that the tool itself marks as label issues.
    """
    given = list(answers)
    counts = {
        tool.counted: sum(bool(answer.labels) for answer in given),
        tool.passed: sum(answer.reason == DISCARDED for answer in given),
        "without an answer": sum(answer.reason in (EMPTY, BESIDE) for answer in given),
        "of them marked as label issues": doubted,
    }
    first, *others = counts.items()
    said = [f"{first[1]:,} {first[0]}", *(f"{n:,} {what}" for what, n in others if n)]
    return f"read as {tool.called}: {', '.join(said)}"
