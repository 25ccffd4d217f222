"""The labels of one instruction that are probably wrong."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from flows.queries.found_before import fit_on, found_before, keep
from flows.state.label_sources import label_sources
from flows.state.spoken_names import name_reader, named_labels
from flows.state.trust import ask
from tasks.core.encoding import base_table
from tasks.core.evaluation import doubts as learning
from tasks.core.evaluation.doubts import Doubt, DoubtedText
from tasks.core.labels.reader import LabelSet, read_labels
from tasks.core.settings.params import Params
from tasks.core.store.layout import exists
from tasks.core.text.discretion import shown
from tasks.core.text.near_names import listed
from tasks.core.transforms.training_set import labelled
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.instruction_name import check_name
from tasks.core.workspace.paths import Paths
from tasks.core.workspace.state_manifests import DoubtNote, DoubtsNote


@dataclass(frozen=True)
class DoubtedLabels:
    """The labels of an instruction that are in doubt.

    asked, not_asked: texts that could be left out, or not; doubted: how many are in doubt; rows:
    the first of them, the most doubtful first.
    """

    instruction: str
    asked: int
    not_asked: int
    doubted: int
    rows: list[DoubtedText]

    def to_json(self) -> dict[str, object]:
        """Return what `refract doubts --json` prints."""
        return asdict(self)


def doubts(paths: Paths, params: Params, name: str, limit: int) -> DoubtedLabels:
    """Return labelled texts that fits without them would label otherwise, `limit` at most.

    InputError where the instruction has no labels, or no text could be left out.
    """
    ask(paths, "links", "store")  # what it finds is written down
    files = label_sources(paths)
    if check_name(name) in files.errors:
        raise files.errors[name]
    if name not in files or not exists(paths.base_table):
        missing = "no labels" if name not in files else "no base vectors"
        raise InputError(
            f"instruction {shown(name)}: found {missing}; expected labels and vectors; known:"
            f" {listed(name, files)}; put labels at data/labels/{name}.csv and run"
            " 'refract run'"
        )
    keys, texts = base_table.keys(paths.base_table), base_table.texts(paths.base_table)
    labels = read_labels(files[name], keys, 1, 2, params.fit.separator, texts)
    found = doubted(paths, params, labels)
    if not found.asked:
        raise InputError(
            f"{files[name].shown}: found no text that could be left out; expected two texts or more"
            " of two labels; label more"
        )
    return DoubtedLabels(
        instruction=name,
        asked=found.asked,
        not_asked=found.unasked,
        doubted=len(found.listed),
        rows=rows(paths, found, limit),
    )


def doubted(paths: Paths, params: Params, labels: LabelSet) -> learning.Doubts:
    """Return the labels that others beat by far, by fits without their texts.

    What was found of the same labels, settings and vectors is not found anew.
    """
    params = params.of(labels.name)
    fit, place = params.fit, paths.doubts(labels.name)
    reader = name_reader(paths, params, labels.name, learning.asked_instead(fit.method))
    made_from = fit_on(paths, params, labels, reader)
    known_before = found_before(place, DoubtsNote, made_from)
    if known_before is not None:
        return _read(known_before)
    named = named_labels(paths, labels.name)
    known = labelled(paths.base_table, labels.label_of, reader, named)
    found = learning.doubts(known, fit.method, fit.method_settings(), fit.seed)
    keep(place, _noted(found), made_from)
    return found


def _noted(found: learning.Doubts) -> DoubtsNote:
    listed = [DoubtNote(**asdict(each) | {"given": list(each.given)}) for each in found.listed]
    return DoubtsNote(asked=found.asked, unasked=found.unasked, listed=listed)


def _read(found: DoubtsNote) -> learning.Doubts:
    listed = [
        Doubt(each.id, tuple(each.given), each.likelier, each.p_given, each.p_likelier)
        for each in found.listed
    ]
    return learning.Doubts(found.asked, found.unasked, listed)


def rows(paths: Paths, found: learning.Doubts, limit: int) -> list[DoubtedText]:
    """Return the first `limit` doubts with their texts."""
    first = found.listed[:limit]
    read = base_table.texts(paths.base_table)
    ids = [doubt.id for doubt in first]
    parts = read(ids) if ids else ()
    texts = {key: text for part in parts for key, text in part.select("id", "text").iter_rows()}
    return [doubt.of(texts.get(doubt.id, "")) for doubt in first]
