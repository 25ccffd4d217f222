"""The texts of one view that are worth labelling next."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from flows.state.label_sources import label_sources
from flows.state.live_transform import live_rows, live_transform
from tasks.core.encoding import base_table
from tasks.core.labels.files import NO_NAMES, LabelFile
from tasks.core.labels.reader import labelled_ids
from tasks.core.store.layout import exists
from tasks.core.views import active_learning, covering
from tasks.core.views.active_learning import NOVELTY
from tasks.core.views.kept_versions import copies
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.instruction_name import BASE, check_name
from tasks.core.workspace.paths import Paths


def suggest(
    paths: Paths, name: str, many: int, novel: float | None = None, *, random: bool = False
) -> pl.DataFrame:
    """Return `worth_labelling` as a label file to fill in; InputError where it is empty.

    Of an instruction without a view these are texts that together cover the corpus. novel: NOVELTY
    if None. random: texts drawn at random instead. A column that has the instruction's own name
    gets a '_' behind it: `label` is to be the label.
    """
    if name == BASE:
        raise InputError("view 'base': has no labels; expected an instruction")
    if not exists(paths.base_table):
        raise InputError("data/vectors: no base vectors yet; expected some; run 'refract run'")
    if random and novel is not None:
        raise InputError(
            "suggest: found --random and --novel; expected one of them: drop the other"
        )
    rows = worth_labelling(paths, name, many, novel, random=random)
    if not len(rows):
        raise InputError(f"view {name!r}: every text of it is labelled; expected some that are not")
    own = {column for column in rows.columns if column in (name, name.replace("-", "_"))}
    return rows.rename({column: f"{column}_" for column in own - {"label"}})


def worth_labelling(
    paths: Paths, name: str, many: int, novel: float | None = None, *, random: bool = False
) -> pl.DataFrame:
    """Return at most `many` texts of view `name` that nobody has labelled.

    novel: the share of texts that look like no label; the others lie near a boundary. random: each
    text is as likely as any other. Labelled is what the label file names as it is now, or what the
    view was made from.
    """
    if random:
        return covering.draw(paths.base_table, sorted(_known(paths, name)), many)
    if not paths.view_stamp(name).is_file():
        return covering.cover(paths.base_table, sorted(_known(paths, name)), many)
    tables = paths.base_table, live_rows(paths, name)
    share = NOVELTY if novel is None else novel
    return active_learning.suggest(*tables, _known(paths, name), many, share)


def _known(paths: Paths, name: str) -> set[str]:
    keys, texts = base_table.keys(paths.base_table), base_table.texts(paths.base_table)
    found: set[str] = set()
    for file in _label_files(paths, name):
        found |= labelled_ids(file, keys, texts)
    return found


def _label_files(paths: Paths, name: str) -> Iterator[LabelFile]:
    present = label_sources(paths).get(check_name(name))
    own = present.own if present else NO_NAMES
    if paths.view_stamp(name).is_file():
        yield from copies(live_transform(paths, name), own)
    if present is not None:
        yield present
