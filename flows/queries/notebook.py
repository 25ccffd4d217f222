"""What a notebook shows of workspaces, views and results: tables, in which text is text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

import polars as pl

from flows.state.live_transform import live_rows, live_transform
from tasks.core.evaluation.measures import BRIEF
from tasks.core.report.prediction_rows import likeliest
from tasks.core.store import tables
from tasks.core.text.brief import shift, short
from tasks.core.text.characters import visible
from tasks.core.transforms.card import CARD
from tasks.core.workspace.instruction_name import BASE
from tasks.core.workspace.manifest import read_manifest
from tasks.core.workspace.manifests import Card, EmbedStamp, Scores
from tasks.core.workspace.paths import Paths

EXCERPT = 240  # characters of a text
MOST = 50  # rows of a table
_FIRST = ("score", "label", "confidence", "id", "text")


class Results(pl.DataFrame):
    """A frame of what was found, of which a notebook shows the texts, and not 30 letters of each.

    What is made of it by Polars is a plain frame again.
    """

    def _repr_html_(self, *_: object, **__: object) -> str:
        names = [name for name in _FIRST if name in self.columns]
        rows = [[_shown(row[name]) for name in names] for row in self.head(MOST).to_dicts()]
        more = len(self) - len(rows)
        others = [name for name in self.columns if name not in names]
        told = [f"{more:,} more"] if more else []
        told += [f"further columns: {', '.join(others)}"] if others else []
        return _table("", names, rows, "; ".join(told))


def workspace_html(paths: Paths, names: Sequence[str]) -> str:
    """Return a table of the views with their scores on held-out labels, before → after."""
    stamp = read_manifest(paths.stamp("embed"), EmbedStamp) or EmbedStamp()
    rows = []
    for name in names:
        scores = read_manifest(paths.metric(name), Scores) or Scores()
        shifts = [shift(scores.before.get(key), scores.after.get(key)) for key in BRIEF]
        rows.append([name, f"{scores.texts or 0:,}", *shifts])
    title = f"{paths.root.resolve().name}: {stamp.rows:,} texts"
    empty = "" if rows else "no views yet: labels into data/labels/NAME.csv, then refract run"
    return _table(title, ["view", "labelled texts", *BRIEF.values()], rows, empty)


def view_html(paths: Paths, name: str) -> str:
    """Return a table of the labels of a view: given to how many texts, and read in how many."""
    if name == BASE:
        return _table(f"{name}: {tables.count(paths.base_table):,} texts", [], [], "no labels")
    counts = likeliest(live_rows(paths, name))
    card = read_manifest(live_transform(paths, name) / CARD, Card) or Card()
    given = card.counts
    labels = sorted({*counts, *given}, key=lambda label: -counts.get(label, 0))
    rows = [[label, f"{given.get(label, 0):,}", f"{counts.get(label, 0):,}"] for label in labels]
    more = f"{len(rows) - MOST:,} more labels" if len(rows) > MOST else ""
    title = f"{name}: {sum(counts.values()):,} texts"
    return _table(title, ["label", "labelled texts", "texts in the view"], rows[:MOST], more)


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    return short("" if value is None else str(value), EXCERPT)


def _table(title: str, names: Iterable[str], rows: Iterable[Sequence[str]], note: str) -> str:
    head = "".join(f"<th>{_safe(name)}</th>" for name in names)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    parts = [f"<b>{_safe(title)}</b>" if title else ""]
    parts.append(f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")
    parts.append(f"<small>{_safe(note)}</small>" if note else "")
    return f"<div>{''.join(parts)}</div>"


def _cell(text: str) -> str:
    return f'<td style="text-align: left">{_safe(text)}</td>'


def _safe(text: str) -> str:
    return escape(visible(text))
