"""The rows of a label file that can be learned from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from tasks.core.labels.cells import EMPTY, Answer
from tasks.core.labels.enough import check_labels, check_rows, check_shared
from tasks.core.labels.files import LabelFile, Part
from tasks.core.labels.known_parts import KnownParts
from tasks.core.labels.matching import UNKNOWN_TEXT as UNKNOWN_TEXT
from tasks.core.labels.matching import Places, place
from tasks.core.labels.multilabel import members
from tasks.core.labels.notes import WAITING, odd_labels
from tasks.core.labels.precedence import described
from tasks.core.labels.rows import LabelRows, read_rows
from tasks.core.labels.standing import decided, dropped, judged, together
from tasks.core.labels.taxonomy import read_taxonomy
from tasks.core.readers.records import Reject, dump, excerpt
from tasks.core.text.same_text import TextKeys, Texts
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import digest

BLANK = 4_096  # bytes of a file that may hold blanks alone

EMPTY_LABEL = EMPTY
SEVERAL = "text with several labels"
NOTHING = "label file with nothing in it"


@dataclass(frozen=True)
class LabelSet:
    """Usable labels in the order of the files: `labels[i]` is that of the text `ids[i]`.

    Where a text has several, they stand there as one string (see `multilabel`).
    `read` rows are those used plus all of `reasons`, which `rejects` lists; where texts, not ids,
    name the rows, a text that stands under several ids labels them all. `notes` counts what was
    used but deserves a look, such as whose labels they are, rows that were placed by their text
    although they name an id, and where two sources differ; `noted_labels` has the labels that a
    note is about, `counts` the texts of each label, most frequent first. `read_as` says in a line
    which tool a file came from, and what of it counts.
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
    noted_labels: dict[str, list[str]]
    read_as: tuple[str, ...] = ()

    @property
    def label_of(self) -> dict[str, str]:
        """The label of each text by its id; several as `multilabel.joined` writes them."""
        return dict(zip(self.ids, self.labels, strict=True))

    def suffices(self, rows: int, labels: int = 2) -> bool:
        """Tell whether so many texts have one of so many labels."""
        return len(self.ids) >= rows and len(self.counts) >= labels

    @property
    def hash_of(self) -> dict[str, str]:
        """The hash of each labelled text, by its id in the corpus."""
        return dict(zip(self.ids, self.text_hashes, strict=True))

    @property
    def fingerprint(self) -> str:
        """A fingerprint of the labelled texts: a corpus that changed elsewhere has the same."""
        return digest(sorted(zip(self.ids, self.text_hashes, self.labels, strict=True)))


def no_labels(name: str, classes: Sequence[str], few: LabelSet | None = None) -> LabelSet:
    """Return the labels of an instruction of which their names alone are learnt from.

    few: texts that have labels, too few to learn from; what was noted of them is.
    """
    counts: dict[str, int] = dict.fromkeys(classes, 0)
    if few is None:
        return LabelSet(name, 0, [], [], [], counts, {}, {}, [], {})
    notes = dict(few.notes) | ({WAITING: len(few.ids)} if few.ids else {})
    return replace(few, ids=[], text_hashes=[], labels=[], counts=counts, notes=notes)


def read_labels(
    file: LabelFile,
    keys: TextKeys,
    minimum_rows: int,
    minimum_labels: int = 2,
    separator: str | None = None,
    texts: Texts | None = None,
) -> LabelSet:
    """Read the labels in `file` that belong to the texts that `keys` looks up.

    Of the labels of one id in its parts a person's wins over a model's (see `precedence`).
    separator: stands between the labels of a text that has several. texts: the texts of the corpus,
    for those of the file that are there in other blanks or entities (see `matching`).
    InputError if the whole cannot be used: a part is unreadable or changing meanwhile, or there
    are fewer than `minimum_rows` usable rows or `minimum_labels` labels.
    """
    filled = _filled(file)
    read = [_steady_rows(part, file, separator) for part in filled]
    placed, every = _settled(read, keys, texts)
    rejects = _rejects(filled, read, every)
    used = every.filter(pl.col("reason").is_null())
    reasons = dict(sorted(Counter(each.reason for each in rejects).items()))
    each = [members(label) for label in used["label"].to_list()]
    counts = Counter(label for labels in each for label in labels)
    total = sum(len(rows) + len(rows.rejects) for rows in read)
    check_rows(file.shown, len(used), placed, reasons, total, minimum_rows)
    check_labels(file.shown, counts, len(used), minimum_labels)
    noted = decided(every)
    for rows, places in zip(read, placed, strict=True):
        noted += rows.notes + places.notes
    odd = odd_labels(counts)
    noted += Counter({note: len(names) for note, names in odd.items()})
    noted[SEVERAL] = sum(len(labels) > 1 for labels in each)
    noted[NOTHING] = len(file.labelled) - len(filled)
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
        noted_labels=odd | _joint(read),
        read_as=_read_as(filled, read),
    )


def standing_labels(
    file: LabelFile,
    keys: TextKeys,
    separator: str | None = None,
    texts: Texts | None = None,
    known: KnownParts | None = None,
    corpus: str = "",
) -> dict[str, str]:
    """Return the label of each text by its id as `read_labels` would, however few there are.

    known: has the files that were read before, by `corpus`: what names the texts that `keys` looks
    up. InputError where a part is none of labels.
    """

    def judge(part: Part) -> pl.DataFrame:
        rows = _steady_rows(part, file, separator)
        return judged(rows, place(rows, keys, texts), keys)

    filled = [part for part in file.labelled if not is_blank(part.path)]
    if not filled:
        return {}
    known, by = known or KnownParts(), (file.instruction, file.own, separator, corpus)
    every = together([known.judged(part, by, judge) for part in filled])
    used = every.filter(pl.col("reason").is_null())
    return dict(used.select("id", "label").iter_rows())


def _settled(
    read: list[LabelRows], keys: TextKeys, texts: Texts | None
) -> tuple[list[Places], pl.DataFrame]:
    """Return where the rows of each file belong, and all rows by what is used of them."""
    placed = [place(rows, keys, texts) for rows in read]
    return placed, together([judged(*both, keys) for both in zip(read, placed, strict=True)])


def check_readable(file: LabelFile, separator: str | None = None) -> None:
    """Raise the InputError of `read_labels` that needs no corpus: a part is none of labels."""
    for part in file.labelled:
        if not is_blank(part.path):
            _steady_rows(part, file, separator)
    if file.classes is not None:
        read_taxonomy(file.classes)


def _joint(read: list[LabelRows]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for rows in read:
        for note, names in rows.joint.items():
            found[note] = list(dict.fromkeys([*found.get(note, []), *names]))
    return found


def labels_alone(file: LabelFile, minimum_rows: int, separator: str | None = None) -> list[Answer]:
    """Return what the rows with labels say, whichever texts they are about, if that can be learnt.

    InputError where it is too little, or nearly every text has a label of its own.
    """
    read = [_steady_rows(part, file, separator) for part in _filled(file)]
    answers = [answer for rows in read for answer in rows.answers]
    said = [answer for answer in answers if answer.labels]
    reasons = Counter(answer.reason for answer in answers if answer.reason)
    check_rows(file.shown, len(said), [], dict(reasons), len(answers), minimum_rows)
    counts = Counter(label for answer in said for label in answer.labels)
    check_labels(file.shown, counts, len(said), 2)
    check_shared(file.shown, [answer.labels for answer in said])
    return said


def _filled(file: LabelFile) -> list[Part]:
    if not file.labelled:
        raise InputError(
            f"{file.shown}: found names of labels, and no text that has one; expected labelled"
            " texts; label some, such as by 'refract explore'"
        )
    return [part for part in file.labelled if not is_blank(part.path)] or list(file.labelled)


def _read_as(parts: list[Part], read: list[LabelRows]) -> tuple[str, ...]:
    """Return what each export was read as; led by its name where there are several files."""
    lines = [(part.path.name, rows.read_as) for part, rows in zip(parts, read, strict=True)]
    return tuple(f"{name}: {line}" if len(parts) > 1 else line for name, line in lines if line)


def labelled_ids(file: LabelFile, keys: TextKeys, texts: Texts | None = None) -> set[str]:
    """Return the ids of all texts of the corpus that a row of `file` gives any label."""
    found: set[str] = set()
    for part in file.labelled:
        if not is_blank(part.path):
            rows = _steady_rows(part, file)
            frame = judged(rows, place(rows, keys, texts), keys)
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


def _steady_rows(part: Part, file: LabelFile, separator: str | None = None) -> LabelRows:
    path = part.changing
    before = _state(path)
    try:
        rows = read_rows(part, file.instruction, separator, file.own)
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


def _rejects(parts: list[Part], read: list[LabelRows], every: pl.DataFrame) -> list[Reject]:
    """List the rows of an instruction's files that are not used at all, each with the reason."""
    rejects: list[Reject] = []
    for at, (part, rows) in enumerate(zip(parts, read, strict=True)):
        gone = dropped(every.filter(pl.col("file") == at))
        rejects += rows.rejects + _listed(part.path, rows, gone)
    return rejects


def _listed(path: Path, rows: LabelRows, gone: pl.DataFrame) -> list[Reject]:
    listed = []
    for row, reason in gone.select("row", "reason").iter_rows():
        cells = {"id": rows.ids, "text": rows.texts}
        shown = {key: next(iter(c.values()))[row] for key, c in cells.items() if c}
        content = excerpt(dump(shown | {"label": rows.cells[row]}))
        listed.append(Reject(path, rows.positions[row], reason, content))
    return listed
