"""Where a label lies in a view: the direction that leads to its texts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tasks.core.numerics.rows import unit_rows
from tasks.core.query.transform import POSTERIOR, chosen
from tasks.core.text.discretion import shown
from tasks.core.text.near_names import meant
from tasks.core.transforms.card import read_artifact, read_card, refuse
from tasks.core.workspace.errors import InputError

_NAMED = 12  # labels that a refusal lists
_CENTROIDS = "centroids"


def label_place(folder: Path, label: str) -> NDArray[np.float32]:
    """Return the unit vector (m,) of a label in the view of the transform in `folder`.

    Where vectors begin with a posterior, [√(1-ν) p, g r], that of a text which has this label
    beyond doubt: p = 1 there, ν = 0 and no residual; so its cosine with a text is √(1-ν) p / ‖z‖.
    Of other methods the mean of the unit vectors of its labelled texts. InputError where the
    transform knows no such label.
    """
    card = read_card(folder)
    if label not in card.labels:
        raise InputError(
            f"label {shown(label)}: the view tells no such label apart; expected one of:"
            f" {listed_labels(label, card.labels)}"
        )
    at = card.labels.index(label)
    if chosen(card)[0] in POSTERIOR:
        place = np.zeros(card.size, np.float32)
        place[at] = 1
        return place
    return _centroid(folder, at)


def _centroid(folder: Path, at: int) -> NDArray[np.float32]:
    from safetensors.numpy import load

    found = load(read_artifact(folder)[0]).get(_CENTROIDS)
    if found is None or found.ndim != 2 or len(found) <= at:
        raise refuse(folder, "no centroid of each label", "one")
    place: NDArray[np.float32] = unit_rows(found[at : at + 1])[0]
    return place


def listed_labels(wanted: str, labels: Sequence[str]) -> str:
    """Return the labels that a view tells apart, and which of them is near the one `wanted`."""
    more = f" and {len(labels) - _NAMED:,} more" if len(labels) > _NAMED else ""
    return ", ".join(shown(each) for each in labels[:_NAMED]) + more + meant(wanted, labels)
