"""What is noted of a label file: rows placed otherwise than they seem to ask for, odd labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from tasks.core.text.discretion import shown

BY_TEXT = "placed by text: its id is not the corpus's"
LOOSELY = "placed by text but for blanks, entities or an end cut off"
RESPELLED = "id spelled otherwise in the corpus"
REMARKS = "remark that is no text of the corpus"
PLACED = (BY_TEXT, LOOSELY, RESPELLED, REMARKS)

SINGLE = "label with a single text"
CASES = "label that another spells in other capitals"
WAITING = "labelled text that waits until there are enough to fit on"
BARE = "named label that no text has, learnt by its name"
NAMED = 4  # labels that a note names


def odd_labels(counts: Mapping[str, int]) -> dict[str, list[str]]:
    """Return the labels that deserve a look, of all that have so many texts each, by the note."""
    forms = Counter(name.casefold() for name in counts)
    alike = [name for name in counts if forms[name.casefold()] > 1]
    found = {
        SINGLE: [name for name in counts if counts[name] == 1],
        CASES: sorted(alike, key=lambda name: (name.casefold(), name)),
    }
    return {note: names for note, names in found.items() if names}


def with_names(notes: Mapping[str, int], labels: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Return counted notes, each with the first of the `labels` that it is about."""
    return {f"{note}{_listed(labels.get(note, ()))}": n for note, n in notes.items()}


def _listed(labels: Sequence[str]) -> str:
    named = [*map(shown, labels[:NAMED]), *(["…"] if len(labels) > NAMED else [])]
    return f" ({', '.join(named)})" if named else ""
