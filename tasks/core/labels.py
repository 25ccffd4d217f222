"""The rows of a label file that can be learned from."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from tasks.core.documents import ID_NAMES, TEXT_NAMES, batches, find_column
from tasks.core.errors import InputError
from tasks.core.intake import text_hash
from tasks.core.label_files import label_format
from tasks.core.records import Reject, dump, excerpt

LABEL_NAMES = ("label", "value", "class", "category")
EXAMPLES = 3

EMPTY_LABEL = "empty label"
CONFLICT = "conflicting labels for one id"
REPEATED = "repeated row"
SINGLE = "label with a single text"


@dataclass(frozen=True)
class LabelSet:
    """Usable labels in the order of the file: `labels[i]` is that of the text `ids[i]`.

    `read` rows are those used plus all of `reasons`, which `rejects` lists; where texts, not ids,
    name the rows, a text that stands under several ids labels them all. `notes` counts what was
    used but deserves a look; `counts` the texts of each label, most frequent first.
    """

    name: str
    read: int
    ids: list[str]
    text_hashes: list[str]
    labels: list[str]
    counts: dict[str, int]
    reasons: dict[str, int]
    notes: dict[str, int]
    rejects: list[Reject]


@dataclass
class _Rows:
    """The rows of one label file before any is judged; `by` is 'id' or 'text'."""

    by: str = "id"
    keys: list[str | None] = field(default_factory=list)
    labels: list[str | None] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)


def read_labels(
    path: Path, keys: pl.DataFrame, name: str, minimum_rows: int, minimum_labels: int = 2
) -> LabelSet:
    """Read the labels at `path` that belong to the texts in `keys` (columns id, text_hash).

    InputError if the file as a whole cannot be used: unreadable, changing meanwhile, or with
    fewer than `minimum_rows` usable rows or `minimum_labels` labels.
    """
    label_format(path)
    rows = _steady_rows(path, name)
    judged = _judged(rows, keys)
    used = judged.filter(pl.col("reason").is_null())
    used = used.join(
        keys.select("id", "text_hash"), on=_on(rows), how="inner", maintain_order="left"
    )
    dropped = judged.filter(pl.col("reason").is_not_null())
    rejects = rows.rejects + _listed(path, rows, dropped)
    reasons = dict(sorted(Counter(each.reason for each in rejects).items()))
    counts = Counter(used["label"].to_list())
    read = len(judged) + len(rows.rejects)
    _check_rows(path, used, dropped, reasons, read, minimum_rows)
    _check_labels(path, counts, len(used), minimum_labels)
    single = sum(count == 1 for count in counts.values())
    return LabelSet(
        name=name,
        read=read,
        ids=used["id"].to_list(),
        text_hashes=used["text_hash"].to_list(),
        labels=used["label"].to_list(),
        counts=dict(counts.most_common()),
        reasons=reasons,
        notes={SINGLE: single} if single else {},
        rejects=rejects,
    )


def labelled(path: Path, name: str) -> tuple[str, set[str]]:
    """Return 'id' or 'text_hash', and those of all rows at `path` that carry a label."""
    rows = _steady_rows(path, name)
    named = {
        key.strip() if rows.by == "id" else text_hash(key)
        for key, label in zip(rows.keys, rows.labels, strict=True)
        if key and key.strip() and label and label.strip()
    }
    return _on(rows), named


def _on(rows: _Rows) -> str:
    return "id" if rows.by == "id" else "text_hash"


def _steady_rows(path: Path, name: str) -> _Rows:
    before = _state(path)
    try:
        rows = _rows(path, name)
    except InputError:
        if _state(path) == before:
            raise
    else:
        if _state(path) == before:
            return rows
    raise InputError(
        f"{path}: found the file still being written; expected one that rests; write it under"
        " another name, then rename it, or wait"
    )


def _state(path: Path) -> tuple[int, int]:
    try:
        stat = path.stat()
    except OSError as error:
        raise InputError(
            f"{path}: not readable ({error.strerror}); expected a label file; put it there"
        ) from error
    return stat.st_size, stat.st_mtime_ns


def _rows(path: Path, name: str) -> _Rows:
    rows = _Rows()
    chosen: tuple[str, str] | None = None
    for batch in batches(path):
        rows.rejects += batch.rejected
        if chosen is None and batch.columns:
            rows.by, *columns = _label_columns(list(batch.columns), name, path)
            chosen = columns[0], columns[1]
        if chosen is not None and len(batch):
            nothing: list[str | None] = [None] * len(batch)
            rows.keys += batch.columns.get(chosen[0], nothing)
            rows.labels += batch.columns.get(chosen[1], nothing)
            rows.positions += batch.positions
    return rows


def _label_columns(header: list[str], name: str, path: Path) -> tuple[str, str, str]:
    """Return 'id' or 'text', the column of it, and that of the label."""
    found_id = find_column(header, ID_NAMES)
    key = found_id or find_column(header, TEXT_NAMES)
    rest = [column for column in header if column != key]
    label = find_column(rest, (name, name.replace("-", "_"), *LABEL_NAMES))
    if label is None and len(rest) == 1:
        label = rest[0]
    if key is None or label is None:
        found = ", ".join(f"'{column}'" for column in header[:20])
        raise InputError(
            f"{path}: found columns {found}; expected 'id' (or 'text') and 'label' (or '{name}');"
            " rename the columns"
        )
    return ("id" if found_id else "text"), key, label


def _judged(rows: _Rows, keys: pl.DataFrame) -> pl.DataFrame:
    """Give each row its reason to be dropped, or null; columns row, id or text_hash, label."""
    on = _on(rows)
    if rows.by == "id":
        named = [key.strip() if key else None for key in rows.keys]
    else:
        named = [text_hash(key) if key and key.strip() else None for key in rows.keys]
    labels = [label.strip() if label else None for label in rows.labels]
    frame = pl.DataFrame(
        {on: pl.Series(named, dtype=pl.String), "label": pl.Series(labels, dtype=pl.String)}
    ).with_row_index("row")
    rules = [
        (pl.col(on).fill_null("") == "", f"empty {rows.by}"),
        (pl.col("label").fill_null("") == "", EMPTY_LABEL),
        (~pl.col(on).is_in(keys[on].implode()), f"{rows.by} not in the corpus"),
        (pl.col("label").n_unique().over(on) > 1, CONFLICT),
        (~pl.col(on).is_first_distinct(), REPEATED),
    ]
    dropped = []
    for rule, reason in rules:
        marked = frame.with_columns(rule.alias("hit"))
        dropped.append(marked.filter("hit").drop("hit").with_columns(reason=pl.lit(reason)))
        frame = marked.filter(~pl.col("hit")).drop("hit")
    kept = frame.with_columns(reason=pl.lit(None, pl.String))
    return pl.concat([kept, *dropped]).sort("row")


def _listed(path: Path, rows: _Rows, dropped: pl.DataFrame) -> list[Reject]:
    listed = []
    for row, reason in dropped.select("row", "reason").iter_rows():
        cells = {rows.by: rows.keys[row], "label": rows.labels[row]}
        content = excerpt(dump(cells))
        listed.append(Reject(path, rows.positions[row], reason, content))
    return listed


def _check_rows(
    path: Path,
    used: pl.DataFrame,
    dropped: pl.DataFrame,
    reasons: dict[str, int],
    read: int,
    minimum: int,
) -> None:
    if len(used) >= minimum and len(used):
        return
    detail = "; ".join(f"{count} {reason}" for reason, count in reasons.items())
    unknown = dropped.filter(pl.col("reason") == "id not in the corpus")
    if len(unknown):
        detail += f", such as {', '.join(unknown['id'].unique(maintain_order=True)[:EXAMPLES])}"
    raise InputError(
        f"{path}: found {len(used)} usable of {read} rows{f' ({detail})' if detail else ''};"
        f" expected at least {max(minimum, 1)}; label more texts, or run 'refract ingest' if ids"
        " are missing"
    )


def _check_labels(path: Path, counts: Counter[str], rows: int, minimum: int) -> None:
    if len(counts) < minimum:
        names = ", ".join(f"'{name}'" for name in list(counts)[:EXAMPLES])
        raise InputError(
            f"{path}: found {len(counts)} label ({names}) on {rows} rows; expected at least"
            f" {minimum} different ones; label some texts otherwise"
        )
