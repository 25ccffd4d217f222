"""What is there as pages for a browser: gathered from the workspace, which stays as it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import polars as pl

from flows.queries.check import Check, check
from flows.queries.doubts import doubted, rows
from flows.queries.maps import maps_of
from flows.queries.suggest import worth_labelling
from flows.queries.versions import view_versions
from flows.queries.workspace import Workspace
from flows.state import staleness
from flows.state.label_sources import label_sources
from flows.state.live_transform import live_card, live_rows, live_transform
from flows.state.trust import ask, is_agreed, keeping
from tasks.core.encoding import base_table
from tasks.core.evaluation.doubts import DoubtedText
from tasks.core.labels.multilabel import one_each
from tasks.core.labels.reader import LabelSet, read_labels
from tasks.core.report import page, vega
from tasks.core.report.maps import EXCERPT, atlas
from tasks.core.report.page import Story
from tasks.core.report.prediction_rows import likeliest
from tasks.core.settings.params import Params
from tasks.core.settings.table_sections import stored_as
from tasks.core.text.brief import short
from tasks.core.text.near_names import listed
from tasks.core.transforms.card import chosen_by
from tasks.core.views.active_learning import BOUNDARY, NOVEL
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import write_bytes, write_text
from tasks.core.workspace.instruction_name import check_name
from tasks.core.workspace.manifest import read_manifest
from tasks.core.workspace.manifests import Card, EmbedStamp
from tasks.core.workspace.paths import Paths
from tasks.versioning.run_git_and_dvc import place_of

LISTED = 10  # texts in each list of those worth labelling


def report(root: Path, name: str | None = None) -> list[Path]:
    """Write the page and the picture of view `name`, or of every view and an index of them.

    Returns what was written, what to open last. InputError where there is no such view.
    """
    workspace = Workspace(root)
    ask(workspace.paths, "links")
    names = [name] if name is not None else workspace.views
    _check(workspace, names)
    script = vega.script(_scripts(workspace.paths))
    stories = [_story(workspace, each) for each in names]
    return _write(workspace.paths, stories, script, index=name is None)


def _check(workspace: Workspace, names: list[str]) -> None:
    known = workspace.views
    if not known or set(map(check_name, names)) - set(known):
        asked = f"view {names[0]!r}: there is none" if names else "views: there are none"
        raise InputError(
            f"{asked}; expected one of: {listed(''.join(names[:1]), known, 'none yet')};"
            " put labels at data/labels/NAME.csv and run 'refract run'"
        )


def _scripts(paths: Paths) -> Path | None:
    place = keeping(paths)
    return None if place is None else place / paths.scripts.relative_to(paths.state)


def _write(paths: Paths, stories: list[Story], script: str, *, index: bool) -> list[Path]:
    paths.reports.mkdir(parents=True, exist_ok=True)
    write_text(paths.reports / ".gitignore", "*\n")
    written = []
    for story in stories:
        others = [other.name for other in stories if other is not story]
        write_bytes(paths.report_picture(story.name), vega.png(page.picture(story)))
        write_text(paths.report(story.name), page.view_page(story, script, others, index=index))
        written += [paths.report_picture(story.name), paths.report(story.name)]
    if index:
        write_text(paths.report_index, page.index_page(stories))
        written.append(paths.report_index)
    return written


def _story(workspace: Workspace, name: str) -> Story:
    paths, params = workspace.paths, workspace.params
    card = live_card(paths, name)
    labels, unchecked = _labels(paths, params, name)
    known = one_each(labels.label_of) if labels else {}
    checked = None
    if labels is not None:
        checked, unchecked = _checked(paths, params, card, labels)
    view = live_rows(paths, name)
    wanted, unlisted = _wanted(paths, name)
    return Story(
        name=name,
        wording=name if card.wording is None else card.wording,
        known=known,
        counts=labels.counts if labels else {},
        labels=card.labels,
        atlas=atlas(paths.base_table, view, maps_of(paths, params, name), known, params.fit.seed),
        likeliest=likeliest(view),
        wanted=wanted,
        unlisted=unlisted,
        doubted=_doubted(paths, params, labels),
        scores=checked.scores if checked else {},
        held_out=checked.confusion.texts if checked else 0,
        confusion=checked.confusion if checked else None,
        unchecked=unchecked,
        notice=_notice(paths, params, name),
        facts=_facts(paths, name, card),
    )


def _labels(paths: Paths, params: Params, name: str) -> tuple[LabelSet | None, str]:
    """Return the labels that people gave, or None and why there are none."""
    file = label_sources(paths).get(name)
    if file is None:
        return None, "Its label file is gone, so no text is left to check the view on."
    try:
        table, separator = paths.base_table, params.fit.separator
        keys, texts = base_table.keys(table), base_table.texts(table)
        return read_labels(file, keys, 1, separator=separator, texts=texts), ""
    except InputError as error:
        return None, f"Not checked: {error}."


def _checked(
    paths: Paths, params: Params, card: Card, labels: LabelSet
) -> tuple[Check | None, str]:
    """Return how the view reads held-out texts, or None and why that is not known."""
    try:
        found = check(paths, params, card, labels)
    except InputError as error:  # of what it is without there are no labels any more
        return None, f"Not checked: {error}."
    return found, "" if found else "Not checked: the labels are too few to hold any out."


def _wanted(paths: Paths, name: str) -> tuple[dict[str, pl.DataFrame], str]:
    """Return the texts worth labelling next, shortened, by why; or none, and why there are none."""
    try:
        rows = worth_labelling(paths, name, 2 * LISTED, 0.5)
    except InputError as error:
        return {}, f"Not listed: {error}."
    brief = pl.col("text").map_elements(lambda text: short(text, EXCERPT), return_dtype=pl.String)
    shortened = rows.with_columns(brief)
    return {why: shortened.filter(pl.col("why") == why) for why in (BOUNDARY, NOVEL)}, ""


def _doubted(
    paths: Paths, params: Params, labels: LabelSet | None
) -> tuple[int, list[DoubtedText]]:
    """Return how many labels are in doubt, and the first of them with their texts, shortened."""
    if labels is None:
        return 0, []
    found = doubted(paths, params, labels)
    first = rows(paths, found, LISTED)
    return len(found.listed), [replace(row, text=short(row.text, EXCERPT)) for row in first]


def _notice(paths: Paths, params: Params, name: str) -> str:
    """Say what on the page is out of date, or nothing."""
    file = label_sources(paths).get(name)
    verdicts = [staleness.view_verdict(paths, params, name)]
    if file is not None:
        made_from = staleness.fit_fingerprints(paths, params, name, file)
        verdicts.insert(0, staleness.fit_verdict(paths, name, made_from))
    said = [verdict.reason for verdict in verdicts if verdict.stale or verdict != staleness.FRESH]
    if not said:
        return ""
    advice = "; 'refract run' brings it up to date" if any(v.stale for v in verdicts) else ""
    return f"This view is not what its files ask for: {said[0]}{advice}."


def _facts(paths: Paths, name: str, card: Card) -> dict[str, str]:
    encoder = read_manifest(paths.stamp("embed"), EmbedStamp) or EmbedStamp()
    method, settings, tried = _method(live_transform(paths, name), card)
    ruling = (card.gate.state, card.gate.why) if card.gate else ()
    features = f" and {card.features} features of its layers" if card.features else ""
    return {
        "Method": method,
        **tried,
        "Settings": ", ".join(f"{key} {_short(value)}" for key, value in settings.items())
        or "none",
        "Gate": ": ".join(filter(None, ruling)) or "not asked",
        "View": f"{card.dimensions} dimensions{features} → {card.size}",
        **_erased(card),
        "Encoder": f"{encoder.model} in {encoder.precision}, vectors stored as"
        f" {stored_as(encoder.storage, features=bool(card.features))}",
        "Labels not used": _counted(card.reasons),
        "Seed": str(card.seed),
        "Transform": str(card.fingerprint),
        "Version": _version(paths, name),
        "Refract": version("refract"),
    }


def _erased(card: Card) -> dict[str, str]:
    """Return what the view is without, if anything."""
    found = card.erased
    if found is None:
        return {}
    beside = " beside its labels" if found.start else ""
    share = f"{found.dimensions} of {found.of} dimensions{beside}"
    return {"Without": f"{', '.join(found.aspects)} ({share} are erased)"}


def _method(folder: Path, card: Card) -> tuple[str, dict[str, object], dict[str, str]]:
    """Return the method with what it chose, its settings, and what it was chosen from."""
    found = chosen_by(folder, card)
    if found is None:
        return card.method, _flat(card.settings), {}
    said = ", ".join(f"{each.method} {_short(each.log_loss)}" for each in found.tried)
    tried = {"Tried": f"{said} (log-loss on labels left out, the least is best)"}
    return f"{card.method}: {found.chosen}", _flat(card.settings["settings"]), tried


def _flat(settings: object) -> dict[str, object]:
    """Return settings in the order of the card, those of the discriminant behind them first."""
    own = dict(settings) if isinstance(settings, Mapping) else {}
    behind = own.pop("gate", None)
    return {**(behind if isinstance(behind, Mapping) else {}), **own}


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _counted(reasons: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {reason}" for reason, count in reasons.items()) or "none"


def _version(paths: Paths, name: str) -> str:
    """Return the tag, commit and date that recorded the view as it is."""
    if not is_agreed(paths, "git") or place_of(paths.root) is None:
        return "not in git"
    try:
        rows = view_versions(paths, name)
    except InputError:
        return "not recorded yet; 'refract run --commit' does"
    here = next((row for row in rows if row.here), None)
    if here is None:
        return "newer than the last recorded one; 'refract run --commit' records it"
    return ", ".join(str(part) for part in (here.tag, here.commit[:8], here.date) if part)
