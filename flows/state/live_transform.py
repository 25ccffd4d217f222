"""The view that readers see: its rows, and the copy of its transform that stays beside it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tasks.core.transforms.card import read_card
from tasks.core.workspace.manifest import read_manifest
from tasks.core.workspace.manifests import Card, ViewStamp
from tasks.core.workspace.paths import Paths

if TYPE_CHECKING:
    from tasks.core.views.view_rows import Rows


def live_transform(paths: Paths, name: str) -> Path:
    """Return the folder of the transform that made view `name`; there is none before a view."""
    stamp = read_manifest(paths.view_stamp(name), ViewStamp) or ViewStamp()
    return paths.kept_transform(name, stamp.transform)


def live_rows(paths: Paths, name: str) -> Rows:
    """Return the rows of view `name` that readers see; InputError where it has none."""
    from tasks.core.views.view_rows import ViewPlace, view_rows

    kept = paths.kept_transform(name, "any").parent
    return view_rows(ViewPlace(paths.base_table, paths.view_table(name), kept))


def live_card(paths: Paths, name: str) -> Card:
    """Return the card of the transform that made view `name`; InputError where there is none."""
    return read_card(live_transform(paths, name))
