"""The texts of one instruction that are labelled, however few, and what a first fit still lacks."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from flows.state.label_sources import label_sources
from tasks.core.encoding import base_table
from tasks.core.encoding.known_keys import KnownKeys
from tasks.core.labels.files import LabelFile
from tasks.core.labels.inbox.posted_rows import is_posted
from tasks.core.labels.known_parts import KnownParts
from tasks.core.labels.multilabel import pairs
from tasks.core.labels.reader import standing_labels
from tasks.core.settings.params import Params, load_params
from tasks.core.store import layout
from tasks.core.store.layout import exists
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.instruction_name import check_name
from tasks.core.workspace.paths import Paths

CLASSES = 2  # labels that a fit tells apart at least


@dataclass(frozen=True)
class Labelled:
    """Which label stands for which text, by id, in the order of the label files.

    classes: texts by label, most frequent first; expected: texts that a fit needs at least; named:
    whether a file says what the labels are called, by which a fit does without any text.
    """

    label_of: dict[str, str]
    classes: dict[str, int]
    expected: int
    named: bool = False

    @property
    def needed(self) -> dict[str, int] | None:
        """How many texts and labels were found and how many texts are expected; None: enough."""
        if len(self.label_of) >= self.expected and len(self.classes) >= CLASSES:
            return None
        found = {"found": len(self.label_of), "classes": len(self.classes)}
        return found | {"expected": self.expected}


class LabelsRead:
    """What was read of a workspace's label files and texts, for one who reads them again."""

    def __init__(self, paths: Paths) -> None:
        self.keys, self.parts = KnownKeys(paths.base_table), KnownParts()


def labelled(paths: Paths, params: Params, name: str) -> Labelled:
    """Return the labelled texts of instruction `name`; none where it has no label file.

    InputError where a label file cannot be read.
    """
    files = label_sources(paths)
    if check_name(name) in files.errors:
        raise files.errors[name]
    return labelled_in(paths, params, files.get(name), LabelsRead(paths))


def labelled_in(
    paths: Paths, params: Params, file: LabelFile | None, before: LabelsRead
) -> Labelled:
    """Return the texts that are labelled in `file`; what was read `before` is not read again."""
    label_of: dict[str, str] = {}
    if file is not None and exists(paths.base_table):
        corpus, texts = layout.state(paths.base_table), base_table.texts(paths.base_table)
        by = params.fit.separator
        label_of = standing_labels(file, before.keys, by, texts, before.parts, corpus)
    counts = Counter(label for _, label in pairs(label_of))
    named = file is not None and file.classes is not None
    return Labelled(label_of, dict(counts.most_common()), params.fit.min_rows, named)


def still_few(paths: Paths, name: str) -> bool:
    """Tell whether an instruction has too few labels for a fit, all of them given one by one.

    More of these are on their way; whoever has laid a file there is told that it holds too few, or
    has a view of the names alone.
    """
    try:
        file = label_sources(paths).get(name)
        if file is None or not all(is_posted(part.path) for part in file.parts):
            return False
        return labelled(paths, load_params(paths.params), name).needed is not None
    except InputError:
        return False  # who fits says so
