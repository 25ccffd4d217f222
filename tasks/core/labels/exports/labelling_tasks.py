"""Texts to label as the tools of people take them in; what these export, Refract reads back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import quoteattr

Row = Mapping[str, Any]
KEY = "doc_id"  # of the document: tools number their tasks themselves, and call that `id`


def label_studio(rows: Sequence[Row], name: str, labels: Sequence[str]) -> str:
    """Return a JSON list of tasks, the suggested label of each, if any, as a prediction."""
    return json.dumps([_task(row, name) for row in rows], ensure_ascii=False, indent=1) + "\n"


def doccano(rows: Sequence[Row], name: str, labels: Sequence[str]) -> str:
    """Return JSON Lines, a text and no label yet; the other keys become its metadata."""
    return _lines({"text": row["text"], "label": [], **_about(row)} for row in rows)


def prodigy(rows: Sequence[Row], name: str, labels: Sequence[str]) -> str:
    """Return JSON Lines for the interface `choice`, with the labels known so far as options."""
    options = [{"id": label, "text": label} for label in labels]
    return _lines(
        {
            "text": row["text"],
            KEY: row["id"],
            "options": options,
            "meta": {"suggested": row["suggested"], "why": row["why"]},
        }
        for row in rows
    )


FORMATS: dict[str, Callable[[Sequence[Row], str, Sequence[str]], str]] = {
    "label-studio": label_studio,
    "doccano": doccano,
    "prodigy": prodigy,
}


def interface(name: str, labels: Sequence[str]) -> str:
    """Return the labelling interface by which Label Studio asks for one of `labels`."""
    choices = "".join(f"<Choice value={quoteattr(label)}/>" for label in labels)
    return (
        f'<View><Text name="text" value="$text"/><Choices name={quoteattr(name)} toName="text"'
        f' choice="single">{choices}</Choices></View>'
    )


def _about(row: Row) -> dict[str, object]:
    return {KEY: row["id"], "suggested": row["suggested"]}


def _task(row: Row, name: str) -> dict[str, object]:
    about = {"text": row["text"], **_about(row)}
    if row["suggested"] is None:
        return {"data": about, "predictions": []}
    chosen = {"choices": [row["suggested"]]}
    result = {"from_name": name, "to_name": "text", "type": "choices", "value": chosen}
    score = round(float(row["confidence"]), 3)
    guess = {"model_version": "refract", "score": score, "result": [result]}
    return {"data": about, "predictions": [guess]}


def _lines(rows: Iterator[dict[str, object]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
