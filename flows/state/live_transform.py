"""The transform that made the view which readers see: a copy that stays beside the view."""

from __future__ import annotations

from pathlib import Path

from tasks.core.transforms.card import read_card
from tasks.core.workspace.manifest import read_manifest
from tasks.core.workspace.manifests import Card, ViewStamp
from tasks.core.workspace.paths import Paths


def live_transform(paths: Paths, name: str) -> Path:
    """Return the folder of the transform that made view `name`; there is none before a view."""
    stamp = read_manifest(paths.view_stamp(name), ViewStamp) or ViewStamp()
    return paths.kept_transform(name, stamp.transform)


def live_card(paths: Paths, name: str) -> Card:
    """Return the card of the transform that made view `name`; InputError where there is none."""
    return read_card(live_transform(paths, name))
