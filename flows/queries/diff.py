"""Two versions compared: scores, labels, rows, and the texts that moved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.checkout import version
from flows.runtime.lock import writer
from flows.state.trust import EXCHANGE, ask
from tasks.core.settings.params import load_params
from tasks.core.transforms.card import CARD
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.manifest import read_manifest
from tasks.core.workspace.manifests import Card, EmbedStamp, Scores, ViewStamp
from tasks.core.workspace.paths import Paths
from tasks.versioning import history
from tasks.versioning.worktree import laid_out

NEIGHBOURS = 10
MOVED = 10  # texts listed a view


@dataclass(frozen=True)
class _Side:
    rev: str
    commit: str | None
    paths: Paths

    @property
    def views(self) -> list[str]:
        stamps = self.paths.views.glob("*.json")
        return sorted(stamp.stem for stamp in stamps if self.paths.view_table(stamp.stem).is_dir())


def diff(root: Path, rev1: str, rev2: str | None, names: Sequence[str] = ()) -> dict[str, Any]:
    """Compare `rev1` with `rev2`, or with the workspace as it is, as a JSON value.

    Moved texts are counted for views that both have: another label, or other neighbours.
    """
    paths = Paths(root)
    ask(paths, *EXCHANGE)
    history.repository(root)
    with writer(paths), ExitStack() as stack:
        old = stack.enter_context(_side(paths, rev1, "from"))
        new = stack.enter_context(_side(paths, rev2, "to"))
        known = sorted({*old.views, *new.views})
        missing = [name for name in names if name not in known]
        if missing:
            raise InputError(
                f"view {missing[0]!r}: neither version has it; expected one of:"
                f" {', '.join(known) or 'none'}"
            )
        return {
            "from": _about(old),
            "to": _about(new),
            "views": {name: _view(old, new, name) for name in names or known},
        }


@contextmanager
def _side(paths: Paths, rev: str | None, end: str) -> Iterator[_Side]:
    if rev is None:
        yield _Side("workspace", None, paths)
        return
    commit = history.recorded(paths.root, rev)
    folders = (paths.vectors, paths.transforms, paths.views)
    only = tuple(folder.relative_to(paths.root).as_posix() for folder in folders)
    wanted = version(paths, rev, only)
    remote = load_params(paths.params).record.remote
    place = history.repository(paths.root)
    with laid_out(place, paths.root, paths.past / end, commit, wanted, remote) as then:
        yield _Side(rev, commit, Paths(then))


def _about(side: _Side) -> dict[str, Any]:
    stamp = read_manifest(side.paths.stamp("embed"), EmbedStamp)
    return {"rev": side.rev, "commit": side.commit, "texts": stamp and stamp.rows}


def _view(old: _Side, new: _Side, name: str) -> dict[str, Any]:
    sides = (old, new)
    found = {"sides": [_scores(side, name) for side in sides]}
    if name not in old.views or name not in new.views:
        return {"state": "new" if name in new.views else "gone", **found}
    stamps = [
        read_manifest(side.paths.view_stamp(name), ViewStamp) or ViewStamp() for side in sides
    ]
    if stamps[0] == stamps[1]:
        return {"state": "same", **found}
    other = stamps[0].transform != stamps[1].transform
    state = "new transform" if other else "new rows"
    return {"state": state, **found, "moved": _moved(old, new, name)}


def _scores(side: _Side, name: str) -> dict[str, Any]:
    scores = read_manifest(side.paths.metric(name), Scores) or Scores()
    card = read_manifest(side.paths.transform(name) / CARD, Card) or Card()
    return {
        "labels": scores.texts,
        "counts": card.counts,
        "method": scores.method,
        "after": scores.after,
        "transform": card.fingerprint,
    }


def _moved(old: _Side, new: _Side, name: str) -> dict[str, Any]:
    from tasks.core.store import tables
    from tasks.core.views.drift import movement

    views = (old.paths.view_table(name), new.paths.view_table(name))
    found = movement(*views, k=NEIGHBOURS, most=MOVED)
    ids = found.texts["id"].to_list()
    rows = tables.where_in(new.paths.base_table, "id", ids, ["id", "text"]).to_pylist()
    texts = {row["id"]: row["text"] for row in rows}
    return {
        "common": found.common,
        "compared": found.compared,
        "k": found.k,
        "labels_changed": found.labels_changed,
        "neighbours_kept": found.kept,
        "texts": [
            {
                "id": row["id"],
                "label": [row["label_old"], row["label_new"]],
                "neighbours_kept": row["kept"],
                "text": texts.get(row["id"]),
            }
            for row in found.texts.to_dicts()
        ],
    }
