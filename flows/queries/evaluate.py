"""One view scored with intervals, beside the base vectors and its previous version."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from flows.queries.apart import check_apart
from flows.queries.evaluation import Evaluation, Figures, NotCompared, Previous
from flows.state.label_sources import aspect_files, label_sources
from flows.state.live_transform import live_transform
from flows.state.spoken_names import name_reader, named_labels
from flows.state.staleness import settings_fingerprint
from tasks.core.encoding import base_table
from tasks.core.encoding.featurizer import space_of
from tasks.core.evaluation import held_out
from tasks.core.evaluation.bootstrap import LEVEL, RESAMPLES
from tasks.core.evaluation.held_out import Recipe, Trial, Truth, Version
from tasks.core.labels.files import OwnColumns, label_file
from tasks.core.labels.multilabel import pairs
from tasks.core.labels.notes import PLACED
from tasks.core.labels.reader import LabelSet, read_labels
from tasks.core.settings.methods import METHODS
from tasks.core.settings.params import Params
from tasks.core.transforms.base import Transform
from tasks.core.transforms.card import experts_of, pool_of, read_card
from tasks.core.transforms.training_set import aspect_labels
from tasks.core.views.kept_versions import Seen, kept_versions, labels_of
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import write_json
from tasks.core.workspace.instruction_name import BASE
from tasks.core.workspace.manifests import Card, Gate
from tasks.core.workspace.paths import Paths

METHOD = f"{100 * LEVEL:.0f} % bootstrap over texts, {RESAMPLES} resamples"
MOST = 0.5  # share of the texts that may be left out for the sake of the previous version


def evaluate(paths: Paths, params: Params, name: str, truth: Path | None = None) -> Evaluation:
    """Score view `name` on labels its transform has not seen.

    Without a truth file these are the labels that its own fit holds out, and each version is
    fitted anew without them. With one, the published transforms are scored as they are, on the
    texts that they were not fitted on. InputError where nothing can be scored.
    """
    if name == BASE:
        raise InputError("view 'base': is what a view is held against; expected an instruction")
    return _Evaluation(paths, params, name).run(truth)


def write_evaluation(paths: Paths, file: Path, found: Evaluation) -> None:
    """Write what `evaluate` found; InputError where it may not lie."""
    instead = f"write it to a place such as {paths.inside(paths.evaluations / 'name.json')}"
    check_apart(paths, file, instead)
    if file.is_dir():
        raise InputError(f"{file}: found a folder; expected a file; {instead}")
    write_json(file, found.to_json())


class _Evaluation:
    """What the steps of one evaluation share."""

    def __init__(self, paths: Paths, params: Params, name: str) -> None:
        self._paths, self._params, self._name = paths, params, name
        self._keys = base_table.keys(paths.base_table)
        self._present = label_sources(paths).get(name)
        self._kept = live_transform(paths, name)
        self._noted: dict[str, int] = {}

    def run(self, truth: Path | None) -> Evaluation:
        rows = self._labels_of(self._kept)
        if rows is None:
            raise InputError(
                f"view {self._name!r}: the labels that it was made from are not known, its label"
                " file has changed since; expected the same one; run 'refract run'"
            )
        live = self._version(self._kept, rows)
        trial, previous = (
            self._on_held_out(live, rows) if truth is None else self._on_truth(live, truth)
        )
        found, right = held_out.scored(self._paths.base_table, trial, self._params.fit.seed)
        source = "held-out labels" if truth is None else self._paths.inside(truth)
        card = read_card(self._kept)
        pool = pool_of(self._kept, card)
        return Evaluation(
            view=self._name,
            on=source,
            method=card.method,
            experts=experts_of(self._kept),
            drawn_by_chance=pool.drawn_by_chance if pool else None,
            texts=len(trial.truth.labels),
            labels=len(set(trial.truth.labels.values())),
            left_out=trial.truth.left_out,
            noted=self._noted,
            interval=METHOD,
            previous=previous,
            scores={name: _rounded(one.figures) for name, one in found.items()},
            gains={name: _rounded(gain) for name, gain in found["view"].gains.items()},
            accuracy=right,
            gate=card.gate or Gate(),
        )

    def _on_held_out(self, live: Version, rows: LabelSet) -> tuple[Trial, Previous | NotCompared]:
        fit = self._params.fit
        if live.recipe is None:
            raise InputError(
                f"view {self._name!r}: its settings are no longer those of params.yaml; expected"
                " the same to fit it without the held-out labels; run 'refract run', or give a"
                " --truth file"
            )
        truth = held_out.held_out(rows, fit.held_out, fit.seed).sampled(fit.seed)
        held_out.check_scorable(truth, self._name)
        hashes = rows.hash_of
        spaces = {"view": self._refitted(live, truth, hashes)}
        about: Previous | NotCompared
        try:
            version, about = self._previous()
            hashes |= self._hashes(list(version.seen.labels))
            spaces = {"previous": self._refitted(version, truth, hashes)} | spaces
        except InputError as error:
            about = NotCompared(str(error))
        return Trial(truth, spaces), about

    def _refitted(self, version: Version, truth: Truth, hashes: dict[str, str]) -> Transform:
        method = version.recipe.method if version.recipe else ""
        reader = name_reader(self._paths, self._params, self._name, method)
        table, named = self._paths.base_table, named_labels(self._paths, self._name)
        aspects = aspect_files(self._paths, self._name, read_card(version.kept).aspects)
        known = aspect_labels(table, aspects, self._params.fit)
        return held_out.refitted(table, version, truth, hashes, reader, known, named)

    def _on_truth(self, live: Version, file: Path) -> tuple[Trial, Previous | NotCompared]:
        texts = base_table.texts(self._paths.base_table)
        own = OwnColumns(self._params.ingest.id, self._params.ingest.text)
        given = replace(label_file(file, self._name), own=own)
        rows = read_labels(given, self._keys, 1, 1, self._params.fit.separator, texts)
        self._noted = {what: n for what, n in rows.notes.items() if what in PLACED}
        known = {name for _, name in pairs(live.seen.labels)} or {*read_card(live.kept).labels}
        if known.isdisjoint(rows.counts):
            raise InputError(
                f"{file}: none of its labels ({_some(rows.counts)}) is one of the view's"
                f" ({_some(sorted(known))}); expected labels of the same aspect; correct the file"
            )
        truth = held_out.unseen(rows, live.seen)
        held_out.check_scorable(truth, str(file))
        spaces = {"view": held_out.as_it_is(live)}
        about: Previous | NotCompared
        try:
            version, about = self._previous()
            truth = self._unseen_by(version, rows, truth)
            spaces = {"previous": held_out.as_it_is(version)} | spaces
        except InputError as error:
            about = NotCompared(str(error))
        return Trial(truth.sampled(self._params.fit.seed), spaces), about

    def _unseen_by(self, version: Version, rows: LabelSet, truth: Truth) -> Truth:
        """Leave out what the previous version has seen, unless little would be left."""
        left = held_out.unseen(rows, version.seen).labels
        gone = {key: held_out.LABELLED_BEFORE for key in truth.labels if key not in left}
        both = truth.without(gone)
        if len(gone) > MOST * len(truth.labels):
            raise InputError(f"it has seen {len(gone)} of the {len(truth.labels)} texts")
        held_out.check_scorable(both, "unseen by both")
        return both

    def _previous(self) -> tuple[Version, Previous]:
        """Return the version that was live before; InputError says why there is none to compare."""
        others = kept_versions(self._kept.parent, self._kept.name)
        if not others:
            raise InputError("none is kept beside the view")
        card, rows = read_card(others[0]), self._labels_of(others[0])
        if card.encoder != space_of(base_table.note_of(self._paths.base_table)):
            raise InputError("it reads vectors of another encoder")
        if rows is None:
            raise InputError("the labels that it was made from are not known any more")
        about = Previous(others[0].name, card.method, len(rows.ids))
        return self._version(others[0], rows), about

    def _labels_of(self, kept: Path) -> LabelSet | None:
        separator = self._params.fit.separator
        texts = base_table.texts(self._paths.base_table)
        return labels_of(kept, self._present, self._keys, separator, texts)

    def _version(self, kept: Path, rows: LabelSet) -> Version:
        return Version(kept, Seen.of(rows), _recipe(self._params, read_card(kept)))

    def _hashes(self, ids: list[str]) -> dict[str, str]:
        frames = self._keys("id", ids) if ids else ()
        return dict(pair for each in frames for pair in each.select("id", "text_hash").iter_rows())


def _recipe(params: Params, card: Card) -> Recipe | None:
    """Return method, settings and seed if those in params.yaml are what the card was made by.

    The card holds their fingerprint, so any method is tried; its own settings are no recipe: what
    was calibrated on all labels has seen the held-out ones.
    """
    asked = card.made_from.get("params")
    for method in METHODS:
        fit = params.fit.model_copy(update={"method": method})
        then = params.model_copy(update={"fit": fit})
        if settings_fingerprint(then, str(card.wording)) == asked:
            return Recipe(method, fit.method_settings(), fit.seed)
    return None


def _rounded(figures: Figures) -> Figures:
    return {measure: found and found.rounded(2) for measure, found in figures.items()}


def _some(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in list(names)[:3])
