"""A view held against the base vectors and its earlier version, on texts that neither has seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tasks.core.encoding import base_table
from tasks.core.encoding.label_names import NameReader
from tasks.core.evaluation import metrics
from tasks.core.evaluation.bootstrap import ScoreReport, bootstrap_scores
from tasks.core.labels.multilabel import members, one_each, pairs
from tasks.core.labels.reader import LabelSet
from tasks.core.labels.taxonomy import Label
from tasks.core.numerics.split import stratified_split
from tasks.core.transforms.base import Transform, load
from tasks.core.transforms.training_set import concept_of, first_ids, labelled
from tasks.core.views.kept_versions import Seen
from tasks.core.workspace.errors import InputError

LIMIT = 10_000  # texts scored; of more, a seeded sample: k-means and neighbours cost their square

LABELLED = "labelled for the view"
SAME_TEXT = "the same text is labelled for the view"
TWIN = "the same text is scored by another id"
BEYOND = f"beyond a sample of {LIMIT:,}"
LABELLED_BEFORE = "labelled for the previous version"


@dataclass(frozen=True)
class Recipe:
    """How a transform was asked to be fitted."""

    method: str
    settings: Mapping[str, object]
    seed: int


@dataclass(frozen=True)
class Version:
    """A transform kept beside a view, and what it was made from.

    recipe: how it was fitted, or None where that is not known any more.
    """

    kept: Path
    seen: Seen
    recipe: Recipe | None


@dataclass(frozen=True)
class Truth:
    """Texts to score, one label each, and how many were left out why.

    every: by id what stands in the label file, where a text may have several labels.
    """

    labels: dict[str, str]
    left_out: dict[str, int]
    every: Mapping[str, str]

    def without(self, gone: Mapping[str, str]) -> Truth:
        """Leave out the ids in `gone`, each under its reason."""
        kept = {key: label for key, label in self.labels.items() if key not in gone}
        counts = Counter(self.left_out) + Counter(gone[key] for key in self.labels if key in gone)
        return Truth(kept, dict(sorted(counts.items())), self.every)

    def sampled(self, seed: int) -> Truth:
        """Keep LIMIT texts, the same ones whatever the order of the file."""
        ids = np.sort(np.array(list(self.labels), dtype=np.str_))
        over = np.random.default_rng(seed).permutation(len(ids))[LIMIT:]
        return self.without(dict.fromkeys(ids[over].tolist(), BEYOND))


@dataclass(frozen=True)
class Trial:
    """Texts to score, and the versions of the view to score them in, by name."""

    truth: Truth
    spaces: dict[str, Transform]


def held_out(rows: LabelSet, share: float, seed: int) -> Truth:
    """Return the texts that the fit of `rows` holds out, each under its first id."""
    label_of, hash_of = rows.label_of, rows.hash_of
    labelled_ids = pairs(label_of)
    ids = [key for key, _ in labelled_ids]
    y = np.unique([label for _, label in labelled_ids], return_inverse=True)[1]
    hashes = [hash_of[key] for key in ids]
    _, held = stratified_split(y, share, seed, hashes)
    first = first_ids(ids, hashes)
    truth = Truth(one_each({ids[row]: label_of[ids[row]] for row in held}), {}, label_of)
    return truth.without({key: TWIN for key in truth.labels if first[hash_of[key]] != key})


def unseen(rows: LabelSet, seen: Seen) -> Truth:
    """Return the labelled texts of a truth file that a transform has not seen."""
    truth = Truth(one_each(rows.label_of), dict(rows.reasons), rows.label_of)
    gone = {key: SAME_TEXT for key, found in rows.hash_of.items() if found in seen.text_hashes}
    return truth.without(gone | {key: LABELLED for key in rows.ids if key in seen.labels})


def refitted(
    table: Path,
    version: Version,
    truth: Truth,
    hashes: Mapping[str, str],
    reader: NameReader | None = None,
    aspects: Mapping[str, LabelSet] | None = None,
    taxonomy: Sequence[Label] = (),
) -> Transform:
    """Fit `version` anew by its own recipe on its own labels, without the texts of `truth`.

    hashes: text hash by id, of all that is scored or labelled; reader: reads the names of labels;
    aspects: the labels of what it is without; taxonomy: what its own are for.
    InputError if too few remain.
    """
    if version.recipe is None:
        raise InputError("its settings are no longer those of params.yaml; give a --truth file")
    hidden = {hashes[key] for key in truth.labels}
    label_of = {key: label for key, label in version.seen.labels.items() if key not in truth.labels}
    rest = {key: label for key, label in label_of.items() if hashes[key] not in hidden}
    if len({name for _, name in pairs(rest)}) < 2:
        raise InputError(f"without the held-out texts {len(rest)} of its own remain")
    recipe = version.recipe
    concept = concept_of(table, aspects or {}, recipe.seed)
    known = replace(labelled(table, rest, reader, taxonomy), concept=concept)
    return known.fit(recipe.method, recipe.settings, recipe.seed)


def as_it_is(version: Version) -> Transform:
    """Return the transform that was published."""
    return load(version.kept)[0]


def check_scorable(truth: Truth, source: str) -> None:
    """Raise InputError unless two labels are there, and one of them twice."""
    counts = Counter(truth.labels.values())
    if len(counts) > 1 and max(counts.values()) > 1:
        return
    detail = "; ".join(f"{count} {reason}" for reason, count in truth.left_out.items())
    names = ", ".join(f"'{name}'" for name in list(counts)[:3])
    labels = f" with {len(counts)} labels ({names})" if counts else ""
    raise InputError(
        f"{source}: found {len(truth.labels)} texts to score{labels}"
        f"{f'; left out: {detail}' if detail else ''}; expected two labels, one of them on two"
        " texts at least; label more texts"
    )


def scored(
    table: Path, trial: Trial, seed: int
) -> tuple[dict[str, ScoreReport], dict[str, float | None]]:
    """Score `identity` and each space of `trial` on its texts.

    Returns scores by space, and by space of `trial` the share in percent of the texts whose
    likeliest label is theirs.
    """
    rows = base_table.lookup(table, list(trial.truth.labels))
    true = np.array([trial.truth.labels[key] for key in rows.ids])
    own = [members(trial.truth.every[key]) for key in rows.ids]
    spaces = {"identity": rows.vectors}
    accuracy: dict[str, float | None] = {}
    for name, transform in trial.spaces.items():
        seen = transform.apply(rows.vectors, rows.features, rows.texts)
        spaces[name] = seen.vectors
        right = metrics.right(own, [transform.labels[at] for at in seen.label])
        accuracy[name] = metrics.accuracy(right)
    y = np.unique(true, return_inverse=True)[1]
    return bootstrap_scores(spaces, y, seed), accuracy
