"""Labelled texts with all that is stored of them, and transforms fitted on a part of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tasks.core.encoding import base_table
from tasks.core.encoding.label_names import MOST, NameReader
from tasks.core.labels.files import LabelFile
from tasks.core.labels.multilabel import members, one_of
from tasks.core.labels.reader import LabelSet, read_labels
from tasks.core.labels.taxonomy import Label, plain
from tasks.core.numerics.erasure import fit_erasure
from tasks.core.numerics.split import stratified_split
from tasks.core.settings.fit_section import FitSettings
from tasks.core.transforms import base
from tasks.core.transforms.base import Prediction, Transform, fit
from tasks.core.transforms.experts.by_names import surest
from tasks.core.transforms.sample import Texts
from tasks.core.workspace.errors import InputError

BACKGROUND = 4_096  # texts for the mean and the residual's components: ten a dimension at 384


@dataclass(frozen=True)
class Concept:
    """What a view is to be without: aspects, and texts with the share of each of their labels.

    shares: (n, c) in [0, 1], the labels of all aspects side by side. Where a text has a label of an
    aspect it is that; of others, the posterior by those that have one.
    """

    aspects: tuple[str, ...]
    rows: base_table.Rows
    shares: np.ndarray

    def erased_from(self, made: Transform) -> Transform:
        """Return `made` with vectors that are without the aspects; see `fit_erasure`."""
        rows = self.rows
        vectors = made.apply(rows.vectors, rows.features, rows.texts).vectors
        start = len(made.labels) if made.begins_with_posterior else 0
        return made.without(fit_erasure(self.aspects, vectors, start, self.shares))


@dataclass(frozen=True)
class Labelled:
    """Labelled rows of the base table, y (n,) indexes `names`; and a sample of all its vectors.

    A text with several labels has a row for each. beside: features of the sample, if there are any.
    spoken: (k, t, d), what the encoder makes of the names, if it was asked. stand_ins: texts for
    labels that none of them has, chosen by their names: learnt from, and never scored. concept:
    what every view that is fitted is to be without, if anything.
    """

    rows: base_table.Rows
    y: np.ndarray
    names: tuple[str, ...]
    background: np.ndarray
    beside: np.ndarray | None = None
    spoken: np.ndarray | None = None
    stand_ins: Labelled | None = None
    concept: Concept | None = None

    @property
    def texts(self) -> int:
        """How many texts these rows are of."""
        return len(set(self.rows.ids))

    def part(self, at: np.ndarray) -> Labelled:
        """Return the rows at positions `at`."""
        return replace(self, rows=self.rows.part(at), y=self.y[at])

    def split(self, held_out: float, seed: int) -> tuple[Labelled, Labelled]:
        """Return the rows to learn from and those held out; a text is on one side by all its ids.

        See `stratified_split`.
        """
        train, held = stratified_split(self.y, held_out, seed, self.rows.hashes)
        return self.part(train), self.part(held)

    def once(self) -> Labelled:
        """Return one row a text, as the scores want it: of several labels the same one always.

        Of several ids it is the first.
        """
        at, first = defaultdict(list), first_ids(self.rows.ids, self.rows.hashes)
        for row, (key, text) in enumerate(zip(self.rows.ids, self.rows.hashes, strict=True)):
            if first[text] == key:
                at[key].append(row)
        return self.part(np.array([one_of(key, rows) for key, rows in at.items()], np.int64))

    def names_of(self) -> dict[str, set[str]]:
        """Return all labels of each text, by its id."""
        found: dict[str, set[str]] = defaultdict(set)
        for key, c in zip(self.rows.ids, self.y, strict=True):
            found[key].add(self.names[c])
        return dict(found)

    def fit(self, method: str, settings: Mapping[str, object], seed: int) -> Transform:
        """Fit a transform on all of these rows, and on texts that stand in for other labels."""
        rows, y = self.rows, self.y
        if self.stand_ins is not None:
            other = self.stand_ins.part(np.flatnonzero(~np.isin(self.stand_ins.y, y)))
            rows, y = _joined(rows, other.rows), np.concatenate([y, other.y])
        made = fit(
            method,
            rows.vectors,
            y,
            self.names,
            self.background,
            settings,
            seed,
            rows.features,
            beside=self.beside,
            names=self.spoken,
            texts=rows.texts,
        )
        return made if self.concept is None else self.concept.erased_from(made)

    def seen_by(self, transform: Transform) -> Prediction:
        """Return what a transform says of these rows."""
        return transform.apply(self.rows.vectors, self.rows.features, self.rows.texts)


def fit_by_names(
    table: Path,
    taxonomy: Sequence[Label],
    reader: NameReader | None,
    method: str,
    settings: Mapping[str, object],
) -> Transform:
    """Fit a transform by what labels are called, and by a sample of texts without labels.

    InputError where the names cannot be read, or by `method` not learnt from.
    """
    some = base_table.sample(table, BACKGROUND)
    names = [label.name for label in taxonomy]
    spoken = None
    if reader is not None:
        spoken = reader.read(names, some.vectors.shape[1], descriptions(taxonomy))
    if spoken is None:
        raise InputError(
            f"found {len(names):,} names of labels that cannot be read; expected {MOST} at most,"
            " fit.method: auto, and vectors by the encoder of params.yaml; name fewer, set the"
            " method, or run 'refract run'"
        )
    return base.fit_by_names(method, names, spoken, some.vectors, settings, beside=some.features)


def labelled(
    table: Path,
    label_of: Mapping[str, str],
    reader: NameReader | None = None,
    taxonomy: Sequence[Label] = (),
) -> Labelled:
    """Look up the texts of `label_of`, label or labels by id, in the base table.

    reader: reads the names of the labels, if they are to be read. taxonomy: what they are for,
    and which labels there are that no text has: texts stand in for these.
    """
    rows = base_table.lookup(table, list(label_of))
    each = [members(label_of[key]) for key in rows.ids]
    at = np.repeat(np.arange(len(each)), [len(labels) for labels in each])
    given = {name for labels in each for name in labels}
    spelled = {plain(name) for name in given}
    bare = {label.name for label in taxonomy if plain(label.name) not in spelled}
    names, spoken = tuple(sorted(given)), None
    if reader is not None:
        said, size = tuple(sorted(given | bare)), rows.vectors.shape[1]
        spoken = reader.read(said, size, descriptions(taxonomy, said))
        names = names if spoken is None else said
    code = {name: c for c, name in enumerate(names)}
    y = np.array([code[name] for labels in each for name in labels], np.int64)
    some = base_table.sample(table, BACKGROUND)
    known = Labelled(rows.part(at), y, names, some.vectors, some.features, spoken)
    wanted = [code[name] for name in names if name not in given]
    return replace(known, stand_ins=_stand_ins(some, known, wanted)) if wanted else known


def _stand_ins(some: base_table.Rows, known: Labelled, wanted: Sequence[int]) -> Labelled | None:
    """Choose texts of the corpus that are to stand for the labels `wanted`; None of none."""
    if known.spoken is None:
        return None
    at, y = surest(known.spoken, Texts(some.vectors, some.features), wanted)
    new = ~np.isin([some.hashes[row] for row in at], known.rows.hashes)
    return replace(known, rows=some.part(at[new]), y=y[new]) if new.any() else None


def descriptions(taxonomy: Sequence[Label], names: Sequence[str] = ()) -> dict[str, str]:
    """Return what labels are for by their name, and by those of `names` that mean the same."""
    found = {label.name: label.description for label in taxonomy if label.description}
    alike = {plain(name): said for name, said in found.items()}
    return found | {name: alike[plain(name)] for name in names if plain(name) in alike}


def aspect_labels(
    table: Path, files: Mapping[str, LabelFile | InputError], settings: FitSettings
) -> dict[str, LabelSet]:
    """Read the labels of what a view is to be without; InputError for an aspect that has none.

    files: those of each aspect, or why there are none.
    """
    keys, texts, found = base_table.keys(table), base_table.texts(table), {}
    for aspect, file in files.items():
        if isinstance(file, InputError):
            raise file
        found[aspect] = read_labels(
            file, keys, settings.min_rows, separator=settings.separator, texts=texts
        )
    return found


def concept_of(table: Path, aspects: Mapping[str, LabelSet], seed: int) -> Concept | None:
    """Return what views are to be without, by the labels of each aspect; None of no aspect.

    Beside the labelled texts it is told of a sample of the corpus: 300 labels alone leave a linear
    reader 52 % where chance is 27, with the sample 29 where it is 28 (airlines, in the generic part
    of a view by sentiment).
    """
    if not aspects:
        return None
    known = {name: labelled(table, each.label_of) for name, each in aspects.items()}
    given = {key for each in known.values() for key in each.rows.ids}
    rows = base_table.lookup(table, sorted({*given, *base_table.sample_ids(table, BACKGROUND)}))
    shares = [shares_of(rows, each, seed) for each in known.values()]
    return Concept(tuple(aspects), rows, np.concatenate(shares, axis=1))


def shares_of(rows: base_table.Rows, known: Labelled, seed: int) -> np.ndarray:
    """Return the share of each label, (n, k), of texts that have some or not.

    known: those of `rows` that have one or more.
    """
    from tasks.core.transforms.posterior_space import posterior  # torch

    trial = known.fit("discriminant", {}, seed)
    place = {name: c for c, name in enumerate(trial.labels)}
    found = posterior(trial.apply(rows.vectors, rows.features, rows.texts), len(place))
    at = {key: row for row, key in enumerate(rows.ids)}
    for key, names in known.names_of().items():
        found[at[key]] = [(name in names) / len(names) for name in place]
    return found


def first_ids(ids: Iterable[str], hashes: Iterable[str]) -> dict[str, str]:
    """Return the first id, in their order, of each text by its hash."""
    return dict(sorted(zip(hashes, ids, strict=True), reverse=True))


def _joined(one: base_table.Rows, two: base_table.Rows) -> base_table.Rows:
    features = texts = None
    if one.features is not None and two.features is not None:
        features = np.concatenate([one.features, two.features])
    if one.texts is not None and two.texts is not None:
        texts = one.texts + two.texts
    vectors = np.concatenate([one.vectors, two.vectors])
    return base_table.Rows(one.ids + two.ids, one.hashes + two.hashes, vectors, features, texts)
