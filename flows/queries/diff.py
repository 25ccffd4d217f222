"""Two versions compared: scores, labels, rows, and the texts that moved."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TypeVar

from flows.checkout import version
from flows.runtime.lock import comparing, writer
from flows.state.live_transform import live_rows
from flows.state.trust import EXCHANGE, ask, ask_for
from tasks.core.settings.params import load_params
from tasks.core.store.layout import exists
from tasks.core.text.near_names import listed
from tasks.core.transforms.card import CARD
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.manifest import read_manifest
from tasks.core.workspace.manifests import (
    ByMeasure,
    Card,
    Counts,
    EmbedStamp,
    Scores,
    ViewStamp,
)
from tasks.core.workspace.paths import Paths
from tasks.versioning import history
from tasks.versioning.worktree import laid_out

NEIGHBOURS = 10
MOVED = 10  # texts listed a view
TRIES = 2  # without the lock: a fit follows another after seconds, and may end in each try

Found = TypeVar("Found")


@dataclass(frozen=True)
class End:
    """A version that is compared: as it was named, its commit, and how many texts it has."""

    rev: str
    commit: str | None
    texts: int | None


@dataclass(frozen=True)
class ViewOfEnd:
    """A view in one of two versions: texts with a label in all and by label, scores, transform."""

    labels: int | None
    counts: Counts
    method: str | None
    after: ByMeasure
    transform: str | None


@dataclass(frozen=True)
class MovedText:
    """A text that moved: its label before and after, and the share of neighbours that stayed."""

    id: str
    label: tuple[str, str]
    neighbours_kept: float | None
    text: str | None


@dataclass(frozen=True)
class MovedTexts:
    """What became of the texts that both versions of a view hold; see `Movement`."""

    common: int
    compared: int
    k: int
    labels_changed: int
    neighbours_kept: float | None
    texts: list[MovedText]


@dataclass(frozen=True)
class ViewDifference:
    """A view of two versions; moved: None where one lacks it, or both are the same."""

    state: str
    sides: tuple[ViewOfEnd, ViewOfEnd]
    moved: MovedTexts | None = None

    def to_json(self) -> dict[str, object]:
        """Return this as a JSON object, without what is not known to have moved."""
        return {key: value for key, value in asdict(self).items() if key != "moved" or value}


@dataclass(frozen=True)
class Difference:
    """Two versions compared, and each of their views."""

    old: End
    new: End
    views: dict[str, ViewDifference]

    def to_json(self) -> dict[str, object]:
        """Return what `refract diff --json` prints."""
        views = {name: about.to_json() for name, about in self.views.items()}
        return {"from": asdict(self.old), "to": asdict(self.new), "views": views}


@dataclass(frozen=True)
class _Side:
    rev: str
    commit: str | None
    paths: Paths

    @property
    def views(self) -> list[str]:
        stamps = self.paths.views.glob("*.json")
        return sorted(stamp.stem for stamp in stamps if exists(self.paths.view_table(stamp.stem)))


def diff(
    root: Path, rev1: str, rev2: str | None, names: Sequence[str] = (), most: int = MOVED
) -> Difference:
    """Compare `rev1` with `rev2`, or with the workspace as it is.

    Moved texts are counted for views that both have: another label, or other neighbours. most: how
    many of them are listed.
    """
    paths = Paths(root)
    ask(paths, *EXCHANGE)
    history.repository(root)
    with comparing(paths), ExitStack() as stack:
        old = stack.enter_context(_side(paths, rev1, "from"))
        new = stack.enter_context(_side(paths, rev2, "to"))
        find = partial(_difference, old, new, names, most)
        return undisturbed(paths, find) if rev2 is None else find()


def undisturbed(paths: Paths, find: Callable[[], Found]) -> Found:
    """Return what `find` finds of a workspace in which nothing was made anew meanwhile.

    Who reads holds no lock: tables and tensors are whole at any moment, but scores, transform and
    rows may be of two makings. So it is found again, the last time as the one writer.
    """
    for _ in range(TRIES):
        before = _made(paths)
        if before is None:
            break
        try:
            found = find()
        except Exception:
            if _made(paths) == before:
                raise
        else:
            if _made(paths) == before:
                return found
    with writer(paths):
        return find()


def _made(paths: Paths) -> dict[Path, tuple[int, ...]] | None:
    """Return which notes there are of what was made; None while some are exchanged for others."""
    if paths.exchange.is_file() or paths.unfinished_checkout.is_file():
        return None
    found: dict[Path, tuple[int, ...]] = {}
    notes = (paths.views.glob("*.json"), paths.metric_folder.glob("*"))
    for note in (paths.stamp("embed"), *chain(*notes), *paths.transforms.glob(f"*/{CARD}")):
        with suppress(FileNotFoundError):
            about = note.stat()
            found[note] = (about.st_ino, about.st_size, about.st_mtime_ns)
    return found


def _difference(old: _Side, new: _Side, names: Sequence[str], most: int) -> Difference:
    known = sorted({*old.views, *new.views})
    missing = [name for name in names if name not in known]
    if missing:
        raise InputError(
            f"view {missing[0]!r}: neither version has it; expected one of:"
            f" {listed(missing[0], known)}"
        )
    views = {name: _view(old, new, name, most) for name in names or known}
    return Difference(_about(old), _about(new), views)


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
        ask_for(paths, Paths(then), "store")
        yield _Side(rev, commit, Paths(then))


def _about(side: _Side) -> End:
    stamp = read_manifest(side.paths.stamp("embed"), EmbedStamp)
    return End(side.rev, side.commit, None if stamp is None else stamp.rows)


def _view(old: _Side, new: _Side, name: str, most: int) -> ViewDifference:
    sides = (_scores(old, name), _scores(new, name))
    if name not in old.views or name not in new.views:
        return ViewDifference("new" if name in new.views else "gone", sides)
    was, now = (_stamp(side, name) for side in (old, new))
    state = "new rows"
    if was.transform != now.transform:
        state = "new transform"
    elif was == now or (now.lazy != was.lazy and was.base == now.base):
        return ViewDifference("same", sides)
    return ViewDifference(state, sides, _moved(old, new, name, most))


def _stamp(side: _Side, name: str) -> ViewStamp:
    """Return the stamp of a view; a lazy one is of the base vectors there are."""
    stamp = read_manifest(side.paths.view_stamp(name), ViewStamp) or ViewStamp()
    base = read_manifest(side.paths.stamp("embed"), EmbedStamp) or EmbedStamp()
    return stamp.changed(base=base.digest) if stamp.lazy else stamp


def _scores(side: _Side, name: str) -> ViewOfEnd:
    scores = read_manifest(side.paths.metric(name), Scores) or Scores()
    card = read_manifest(side.paths.transform(name) / CARD, Card) or Card()
    return ViewOfEnd(
        labels=scores.texts,
        counts=card.counts,
        method=scores.method,
        after=scores.after,
        transform=card.fingerprint,
    )


def _moved(old: _Side, new: _Side, name: str, most: int) -> MovedTexts:
    from tasks.core.store import tables
    from tasks.core.views.drift import movement

    was, now = (live_rows(side.paths, name) for side in (old, new))
    found = movement(was, now, k=NEIGHBOURS, most=most)
    ids = found.texts["id"].to_list()
    rows = tables.where_in(new.paths.base_table, "id", ids, ["id", "text"]).to_pylist()
    texts = {row["id"]: row["text"] for row in rows}
    columns = ("id", "label_old", "label_new", "kept")
    return MovedTexts(
        common=found.common,
        compared=found.compared,
        k=found.k,
        labels_changed=found.labels_changed,
        neighbours_kept=found.kept,
        texts=[
            MovedText(key, (was, now), kept, texts.get(key))
            for key, was, now, kept in found.texts.select(columns).iter_rows()
        ],
    )
