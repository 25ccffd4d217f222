"""The rows of a label file that can be learned from."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from tasks.core.documents import ID_NAMES, TEXT_NAMES, batches, find_column
from tasks.core.errors import InputError
from tasks.core.intake import text_hash
from tasks.core.label_files import label_format, parts
from tasks.core.label_sets import canonical, members
from tasks.core.label_sources import OVERRULED, described, rules, sift, source_of
from tasks.core.records import Reject, dump, excerpt

LABEL_NAMES = ("label", "labels", "value", "class", "category")
EXAMPLES = 3

SOURCE = "source"

EMPTY_LABEL = "empty label"
SINGLE = "label with a single text"
SEVERAL = "text with several labels"


@dataclass(frozen=True)
class LabelSet:
    """Usable labels in the order of the files: `labels[i]` is that of the text `ids[i]`.

    Where a text has several, they stand there as one string (see label_sets).
    `read` rows are those used plus all of `reasons`, which `rejects` lists; where texts, not ids,
    name the rows, a text that stands under several ids labels them all. `notes` counts what was
    used but deserves a look, such as whose labels they are and where two sources differ;
    `counts` the texts of each label, most frequent first.
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

    @property
    def label_of(self) -> dict[str, str]:
        """The label or labels of each text, by id."""
        return dict(zip(self.ids, self.labels, strict=True))

    @property
    def hash_of(self) -> dict[str, str]:
        """The hash of each text, by id."""
        return dict(zip(self.ids, self.text_hashes, strict=True))


@dataclass
class _Rows:
    """The rows of one label file before any is judged; `by` is 'id' or 'text'."""

    by: str = "id"
    keys: list[str | None] = field(default_factory=list)
    labels: list[str | None] = field(default_factory=list)
    sources: list[str | None] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)


def read_labels(
    path: Path,
    keys: pl.DataFrame,
    name: str,
    minimum_rows: int,
    minimum_labels: int = 2,
    separator: str | None = None,
) -> LabelSet:
    """Read the labels at `path` that belong to the texts in `keys` (columns id, text_hash).

    A folder stands for all files in it and those of its name beside it: of the labels of one id
    a person's wins over a model's (see label_sources). separator: stands between the labels of a
    text that has several. InputError if the whole cannot be used: a
    file is unreadable or changing meanwhile, or there are fewer than `minimum_rows` usable rows
    or `minimum_labels` labels.
    """
    files = parts(path)
    for file in files:
        label_format(file)
    read = [_steady_rows(file, name) for file in files]
    judged = [_judged(rows, keys, separator) for rows in read]
    every = _together([_with_ids(*both, keys) for both in zip(read, judged, strict=True)])
    rejects, unknown = [], []
    for at, (file, rows, frame) in enumerate(zip(files, read, judged, strict=True)):
        dropped = _dropped(frame, every.filter(pl.col("file") == at))
        rejects += rows.rejects + _listed(file, rows, dropped)
        if rows.by == "id":
            unknown += dropped.filter(pl.col("reason") == "id not in the corpus")["id"].to_list()
    used = every.filter(pl.col("reason").is_null())
    reasons = dict(sorted(Counter(each.reason for each in rejects).items()))
    each = [members(label) for label in used["label"].to_list()]
    counts = Counter(label for labels in each for label in labels)
    total = sum(len(rows.keys) + len(rows.rejects) for rows in read)
    _check_rows(path, len(used), unknown, reasons, total, minimum_rows)
    _check_labels(path, counts, len(used), minimum_labels)
    single = sum(count == 1 for count in counts.values())
    return LabelSet(
        name=name,
        read=total,
        ids=used["id"].to_list(),
        text_hashes=used["text_hash"].to_list(),
        labels=used["label"].to_list(),
        counts=dict(counts.most_common()),
        reasons=reasons,
        notes=_notes(single, sum(len(labels) > 1 for labels in each)) | described(every),
        rejects=rejects,
    )


def _notes(single: int, several: int) -> dict[str, int]:
    return {what: count for what, count in ((SINGLE, single), (SEVERAL, several)) if count}


def labelled_keys(path: Path, name: str) -> tuple[str, set[str]]:
    """Return 'id' or 'text_hash', and those of all rows at `path` that carry a label."""
    rows = _steady_rows(path, name)
    named = {
        key.strip() if rows.by == "id" else text_hash(key)
        for key, label in zip(rows.keys, rows.labels, strict=True)
        if key and key.strip() and canonical(label)
    }
    return _on(rows), named


def _on(rows: _Rows) -> str:
    return "id" if rows.by == "id" else "text_hash"


def _with_ids(rows: _Rows, judged: pl.DataFrame, keys: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with the ids that they name; a text may stand under several of them."""
    named = judged.filter(pl.col("reason").is_null() | (pl.col("reason") == OVERRULED))
    columns = ["row", "id", "text_hash", "label", "source", "reason"]
    return named.join(
        keys.select("id", "text_hash"), on=_on(rows), how="inner", maintain_order="left"
    ).select(columns)


def _together(files: list[pl.DataFrame]) -> pl.DataFrame:
    """Return the rows of all files, sifted once more where there are several."""
    every = pl.concat([each.with_columns(file=pl.lit(at)) for at, each in enumerate(files)])
    if len(files) == 1:
        return every
    used = pl.col("reason").is_null()
    left = sift(every.filter(used).drop("reason"), rules("id"))
    return pl.concat([left, every.filter(~used)], how="diagonal")


def _dropped(judged: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of a file of which nothing is used, with the reason."""
    used = rows.filter(pl.col("reason").is_null())["row"].unique()
    later = rows.select("row", later="reason").unique("row", keep="first")
    return (
        judged.filter(~pl.col("row").is_in(used.implode()))
        .join(later, on="row", how="left", maintain_order="left")
        .with_columns(reason=pl.coalesce("reason", "later"))
    )


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
    source: str | None = None
    for batch in batches(path):
        rows.rejects += batch.rejected
        if chosen is None and batch.columns:
            rows.by, *columns = _label_columns(list(batch.columns), name, path)
            chosen = columns[0], columns[1]
            source = find_column([each for each in batch.columns if each not in chosen], [SOURCE])
        if chosen is not None and len(batch):
            nothing: list[str | None] = [None] * len(batch)
            rows.keys += batch.columns.get(chosen[0], nothing)
            rows.labels += batch.columns.get(chosen[1], nothing)
            rows.sources += batch.columns.get(source or SOURCE, nothing)
            rows.positions += batch.positions
    return rows


def _label_columns(header: list[str], name: str, path: Path) -> tuple[str, str, str]:
    """Return 'id' or 'text', the column of it, and that of the label."""
    found_id = find_column(header, ID_NAMES)
    key = found_id or find_column(header, TEXT_NAMES)
    rest = [column for column in header if column != key]
    label = _label_column([each for each in rest if each.lower() != SOURCE], name)
    label = label or _label_column(rest, name)
    if key is None or label is None:
        found = ", ".join(f"'{column}'" for column in header[:20])
        raise InputError(
            f"{path}: found columns {found}; expected 'id' (or 'text') and 'label' (or '{name}');"
            " rename the columns"
        )
    return ("id" if found_id else "text"), key, label


def _label_column(header: list[str], name: str) -> str | None:
    found = find_column(header, (name, name.replace("-", "_"), *LABEL_NAMES))
    return header[0] if found is None and len(header) == 1 else found


def _judged(rows: _Rows, keys: pl.DataFrame, separator: str | None) -> pl.DataFrame:
    """Give each row its reason to be dropped, or null.

    Columns row, id or text_hash, label, source, reason.
    """
    on = _on(rows)
    if rows.by == "id":
        named = [key.strip() if key else None for key in rows.keys]
    else:
        named = [text_hash(key) if key and key.strip() else None for key in rows.keys]
    labels = [canonical(label, separator) for label in rows.labels]
    frame = pl.DataFrame(
        {
            on: pl.Series(named, dtype=pl.String),
            "label": pl.Series(labels, dtype=pl.String),
            "source": pl.Series(map(source_of, rows.sources), dtype=pl.String),
        }
    ).with_row_index("row")
    unusable = [
        (pl.col(on).fill_null("") == "", f"empty {rows.by}"),
        (pl.col("label") == "", EMPTY_LABEL),
        (~pl.col(on).is_in(keys[on].implode()), f"{rows.by} not in the corpus"),
    ]
    return sift(frame, [*unusable, *rules(on)])


def _listed(path: Path, rows: _Rows, dropped: pl.DataFrame) -> list[Reject]:
    listed = []
    for row, reason in dropped.select("row", "reason").iter_rows():
        cells = {rows.by: rows.keys[row], "label": rows.labels[row]}
        content = excerpt(dump(cells))
        listed.append(Reject(path, rows.positions[row], reason, content))
    return listed


def _check_rows(
    path: Path,
    used: int,
    unknown: list[str],
    reasons: dict[str, int],
    read: int,
    minimum: int,
) -> None:
    if used >= max(minimum, 1):
        return
    detail = "; ".join(f"{count} {reason}" for reason, count in reasons.items())
    if unknown:
        detail += f", such as {', '.join(list(dict.fromkeys(unknown))[:EXAMPLES])}"
    raise InputError(
        f"{path}: found {used} usable of {read} rows{f' ({detail})' if detail else ''};"
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
