"""The rows of a label file that can be learned from."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from tasks.core.labels.answers import DISCARDED, EMPTY, ONE_HOT, SPANS
from tasks.core.labels.files import LabelFile, Part
from tasks.core.labels.matching import (
    CONFLICT,
    NEITHER,
    OTHER_TEXT,
    TWO_IDS,
    UNKNOWN_ID,
    Places,
    place,
)
from tasks.core.labels.matching import UNKNOWN_TEXT as UNKNOWN_TEXT
from tasks.core.labels.multilabel import joined, members
from tasks.core.labels.precedence import OVERRULED, described, source_of
from tasks.core.labels.rows import LabelRows, read_rows
from tasks.core.labels.votes import DECIDED, JOINED, OUTVOTED, settle, settle_files
from tasks.core.readers.records import INVALID, Reject, dump, excerpt
from tasks.core.text.same_text import Texts
from tasks.core.workspace.errors import InputError

EXAMPLES = 3
BLANK = 4_096  # bytes of a file that may hold blanks alone

EMPTY_LABEL = EMPTY
SINGLE = "label with a single text"
SEVERAL = "text with several labels"
NOTHING = "label file with nothing in it"
CASES = "label that another spells in other capitals"
_ANOTHER = (
    "these may be labels of another corpus, or ids and texts of two tables; take away the column"
    " that does not belong to the corpus, or give the right file"
)
ADVICE = {
    NEITHER: _ANOTHER,
    OTHER_TEXT: _ANOTHER,
    CONFLICT: _ANOTHER,
    TWO_IDS: "take away the column of ids that is not the corpus's, or add the texts",
    INVALID: "save the file as UTF-8",
    SPANS: "export labels of whole texts (text classification)",
    ONE_HOT: "write the labels by their names, or one column a label with its name above it",
    DISCARDED: "accept answers in the annotation tool, then export again",
}


@dataclass(frozen=True)
class LabelSet:
    """Usable labels in the order of the files: `labels[i]` is that of the text `ids[i]`.

    Where a text has several, they stand there as one string (see `multilabel`).
    `read` rows are those used plus all of `reasons`, which `rejects` lists; where texts, not ids,
    name the rows, a text that stands under several ids labels them all. `notes` counts what was
    used but deserves a look, such as whose labels they are, rows that were placed by their text
    although they name an id, and where two sources differ; `counts` the texts of each label, most
    frequent first.
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
        """The hash of each labelled text, by its id in the corpus."""
        return dict(zip(self.ids, self.text_hashes, strict=True))


def read_labels(
    file: LabelFile,
    keys: pl.DataFrame,
    minimum_rows: int,
    minimum_labels: int = 2,
    separator: str | None = None,
    texts: Texts | None = None,
) -> LabelSet:
    """Read the labels in `file` that belong to the texts in `keys` (columns id, text_hash).

    Of the labels of one id in its parts a person's wins over a model's (see `precedence`).
    separator: stands between the labels of a text that has several. texts: the texts of the corpus,
    for those of the file that are there in other blanks or entities (see `matching`).
    InputError if the whole cannot be used: a part is unreadable or changing meanwhile, or there
    are fewer than `minimum_rows` usable rows or `minimum_labels` labels.
    """
    filled = [part for part in file.parts if not is_blank(part.path)] or list(file.parts)
    read = [_steady_rows(part, file.instruction, separator) for part in filled]
    placed = [place(rows, keys, texts) for rows in read]
    judged = [_judged(*both, keys) for both in zip(read, placed, strict=True)]
    every = _together(judged)
    rejects: list[Reject] = []
    for at, (part, rows) in enumerate(zip(filled, read, strict=True)):
        rejects += rows.rejects + _listed(
            part.path, rows, _dropped(every.filter(pl.col("file") == at))
        )
    used = every.filter(pl.col("reason").is_null())
    reasons = dict(sorted(Counter(each.reason for each in rejects).items()))
    each = [members(label) for label in used["label"].to_list()]
    counts = Counter(label for labels in each for label in labels)
    total = sum(len(rows) + len(rows.rejects) for rows in read)
    _check_rows(file.path, len(used), _unknown(placed), reasons, total, minimum_rows)
    _check_labels(file.path, counts, len(used), minimum_labels)
    noted = _votes(every)
    for rows, places in zip(read, placed, strict=True):
        noted += rows.notes + places.notes
    noted[SINGLE] = sum(count == 1 for count in counts.values())
    noted[SEVERAL] = sum(len(labels) > 1 for labels in each)
    noted[NOTHING] = len(file.parts) - len(filled)
    forms = Counter(name.casefold() for name in counts)
    noted[CASES] = sum(forms[name.casefold()] > 1 for name in counts)
    return LabelSet(
        name=file.instruction,
        read=total,
        ids=used["id"].to_list(),
        text_hashes=used["text_hash"].to_list(),
        labels=used["label"].to_list(),
        counts=dict(counts.most_common()),
        reasons=reasons,
        notes=dict(+noted) | described(every.filter("stands")),
        rejects=rejects,
    )


def labelled_ids(file: LabelFile, keys: pl.DataFrame, texts: Texts | None = None) -> set[str]:
    """Return the ids of all texts of the corpus that a row of `file` gives any label."""
    found: set[str] = set()
    for part in file.parts:
        if not is_blank(part.path):
            rows = _steady_rows(part, file.instruction)
            frame = _judged(rows, place(rows, keys, texts), keys)
            named = frame.filter((pl.col("label") != "") & ~pl.col("unplaced"))
            found.update(named["id"].to_list())
    return found


def is_blank(path: Path) -> bool:
    """Tell whether a file is empty, or has nothing but blanks in it."""
    try:
        small = path.is_file() and path.stat().st_size <= BLANK
        return small and not path.read_bytes().strip(b"\xef\xbb\xbf \t\r\n")
    except OSError:
        return False


def _judged(rows: LabelRows, places: Places, keys: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with the ids that they name; a text may stand under several of them.

    Columns row, id, text_hash, label, source, reason, unplaced: without a text of the corpus.
    """
    labels = [joined(answer.labels) for answer in rows.answers]
    said = [
        answer.reason or (None if label else EMPTY)
        for answer, label in zip(rows.answers, labels, strict=True)
    ]
    frame = pl.DataFrame(
        {
            "id": pl.Series(places.ids, dtype=pl.String),
            "text_hash": pl.Series(places.hashes, dtype=pl.String),
            "label": pl.Series(labels, dtype=pl.String),
            "source": pl.Series(map(source_of, rows.sources), dtype=pl.String),
            "reason": pl.Series(
                (a or b for a, b in zip(said, places.reasons, strict=True)), dtype=pl.String
            ),
            "unplaced": pl.Series(
                (reason is not None for reason in places.reasons), dtype=pl.Boolean
            ),
        }
    ).with_row_index("row")
    known = keys.select("id", "text_hash")
    here = ~pl.col("unplaced")
    by_id = frame.filter(here & pl.col("text_hash").is_null()).drop("text_hash")
    by_text = frame.filter(here & pl.col("text_hash").is_not_null()).drop("id")
    found = [
        frame.filter(~here),
        by_id.join(known, on="id", how="inner"),
        by_text.join(known, on="text_hash", how="inner", maintain_order="left_right"),
    ]
    whole = pl.concat([each.select(frame.columns) for each in found]).sort(
        "row", maintain_order=True
    )
    return settle(whole, rows.annotators)


def _together(files: list[pl.DataFrame]) -> pl.DataFrame:
    """Return the rows of all files, settled once more where there are several."""
    stands = pl.col("reason").is_null() | (pl.col("reason") == OVERRULED)
    every = pl.concat(
        [each.with_columns(file=pl.lit(at), stands=stands) for at, each in enumerate(files)]
    )
    return every if len(files) == 1 else settle_files(every)


def _dropped(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of a file of which nothing is used, with the reason."""
    used = rows.filter(pl.col("reason").is_null() | (pl.col("reason") == JOINED))["row"].unique()
    left = rows.filter(~pl.col("row").is_in(used.implode()))
    return left.unique("row", keep="first", maintain_order=True).sort("row")


def _votes(every: pl.DataFrame) -> Counter[str]:
    rows = every.filter(pl.col("reason") == JOINED)["row"].n_unique()
    texts = every.filter(pl.col("reason") == OUTVOTED)["id"].n_unique()
    return Counter({JOINED: rows, DECIDED: texts})


def _unknown(placed: list[Places]) -> list[str]:
    return [
        key
        for places in placed
        for key, reason in zip(places.ids, places.reasons, strict=True)
        if key and reason == UNKNOWN_ID
    ]


def _steady_rows(part: Part, name: str, separator: str | None = None) -> LabelRows:
    path = part.path
    before = _state(path)
    try:
        rows = read_rows(part, name, separator)
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


def _listed(path: Path, rows: LabelRows, dropped: pl.DataFrame) -> list[Reject]:
    listed = []
    for row, reason in dropped.select("row", "reason").iter_rows():
        cells = {"id": rows.ids, "text": rows.texts}
        shown = {key: next(iter(c.values()))[row] for key, c in cells.items() if c}
        content = excerpt(dump(shown | {"label": rows.cells[row]}))
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
        f" expected at least {max(minimum, 1)}; {_likely(reasons, read)}"
    )


def _likely(reasons: dict[str, int], read: int) -> str:
    """Return what to do about the reason that most rows are dropped for."""
    most = max(reasons, key=lambda reason: reasons[reason], default="")
    known = ADVICE if 2 * reasons.get(most, 0) >= read else {}
    return known.get(most, "label more texts, or run 'refract ingest' if ids are missing")


def _check_labels(path: Path, counts: Counter[str], rows: int, minimum: int) -> None:
    if len(counts) < minimum:
        names = ", ".join(f"'{name}'" for name in list(counts)[:EXAMPLES])
        raise InputError(
            f"{path}: found {len(counts)} label ({names}) on {rows} rows; expected at least"
            f" {minimum} different ones; label some texts otherwise"
        )
