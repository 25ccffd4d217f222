"""Search a view, or the generic space, by text or by a stored text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from tasks.core.encoding.features import LayerPca, load_layer_pca
from tasks.core.encoding.featurizer import Featurizer, space_of
from tasks.core.encoding.windows import Cutter
from tasks.core.numerics.threads import one_thread
from tasks.core.query.asked import Asked
from tasks.core.query.label_place import label_place
from tasks.core.query.passages import PIECES, WINDOWS, Wanted, check_many, passages
from tasks.core.query.transform import load_map
from tasks.core.readers.records import encodable
from tasks.core.store.searcher import Searcher
from tasks.core.text.discretion import shown
from tasks.core.views.lazy_search import LazySearcher, Point
from tasks.core.views.snapshot import Found, Hit, Snapshot, best, nearest, stored_text
from tasks.core.views.transforming import reader_of
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.manifest import manifest_of
from tasks.core.workspace.manifests import BaseNote, ViewNote

OTHER_ENCODER = (
    "search: this table was made by another encoder than params.yaml names now;"
    " set 'embed' back, or run 'refract embed --rebuild' and 'refract run'"
)


def check_query(text: str) -> None:
    """Refuse a text that there is nothing to look for in."""
    if not text.strip():
        raise InputError("search: the text is blank; expected some words to look for")
    check_utf8(text)


def check_utf8(text: str) -> None:
    """Refuse what the terminal could not decode."""
    if not encodable(text):
        raise InputError("search: found bytes that are no UTF-8; expected text")


class Space:
    """A searchable space: the base vectors, or one instruction's view of them.

    Threads may share it. Each question is answered by one snapshot from its beginning to its end.
    """

    def __init__(
        self,
        base: Path,
        view: Path | None,
        kept: Callable[[str], Path] | None,
        asked: Asked,
        reductions: Callable[[str], Path],
    ) -> None:
        """Open `base`, or `view` with its transforms found by fingerprint through `kept`.

        reductions: where the map of features with a fingerprint is.
        """
        self._kept = kept
        self._asked = asked
        self._reductions = reductions
        self._reduction: LayerPca | None = None
        self._snapshot = self._steady(partial(self._opened, base, view))

    def _opened(self, base: Path, view: Path | None) -> Snapshot:
        texts = Searcher(base, live=False)
        rows = texts if view is None else Searcher(view, live=True)
        return self._taken(texts, rows, None)

    def _steady(self, look: Callable[[], Snapshot]) -> Snapshot:
        """Return what `look` does; where that fails, once more when no turn is under way."""
        try:
            return look()
        except InputError:
            self._asked.wait_turned()
            return look()

    def search(
        self,
        text: str,
        k: int = 10,
        where: str | None = None,
        *,
        distinct: bool = False,
        passages: bool = False,
    ) -> list[Hit]:
        """Return the `k` texts closest to `text`: score (cosine, −1 to 1), id, text, metadata.

        distinct: of texts that say the same, the closest alone. passages: see `with_passages`.
        """
        return self.closest(text, k, where, distinct=distinct, passages=passages).hits

    def closest(
        self,
        text: str,
        k: int = 10,
        where: str | None = None,
        *,
        distinct: bool = False,
        passages: bool = False,
    ) -> Found:
        """Return what `search` does, and which transform answered."""

        def ask(now: Snapshot) -> list[Hit]:
            point = self.point(now, text)

            def find(many: int) -> list[Hit]:
                return nearest(now, point, many, where)

            hits = best(now, find, k, distinct=distinct)
            return with_passages(hits, [(self, now, point, 1.0)]) if passages else hits

        check_query(text)
        return self._answered(ask)

    def vector(self, now: Snapshot, text: str) -> np.ndarray:
        """Return where `text` lies in this space (d,), as one snapshot has it."""
        return self.point(now, text).vector

    def point(self, now: Snapshot, text: str) -> Point:
        """Return where `text` lies in this space and in the generic one, as one snapshot has it."""
        seen, generic = self._read(now, [text])
        return Point(seen[0], None if now.transform is None else generic[0])

    def vectors(self, now: Snapshot, texts: Sequence[str]) -> np.ndarray:
        """Return where `texts` lie in this space (n, d), as one snapshot has it."""
        return self._read(now, texts)[0]

    def _read(self, now: Snapshot, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        with one_thread():
            (vectors, *more), *_ = self._coder(now).code(texts, lambda _: None)
            if now.transform is None:
                return vectors, vectors
            return now.transform(vectors, more[0] if more else None, texts), vectors

    def cutter(self, now: Snapshot) -> Cutter:
        """Return what cuts texts into passages."""
        return self._coder(now).encoder.cutter(WINDOWS, PIECES)

    def place(self, now: Snapshot, label: str) -> np.ndarray:
        """Return where a label of this view lies (m,), as one snapshot has it; see `label_place`.

        InputError where there is no such label, as there is none in the generic space.
        """
        if self._kept is None or now.made_by is None:
            raise InputError(
                f"label {shown(label)}: the base vectors tell no labels apart; expected a view"
            )
        return label_place(self._kept(now.made_by), label)

    def _coder(self, now: Snapshot) -> Featurizer:
        note = _base_note(now.texts)
        encoder, features = self._asked.encoder(note.settings.precision), note.features
        if features is None or now.transform is None:
            return Featurizer(encoder)
        reduction = self._reduction
        if reduction is None or reduction.fingerprint != features.fingerprint:
            reduction = load_layer_pca(self._reductions(features.fingerprint))
            self._reduction = reduction
        return Featurizer(encoder, reduction)

    def similar(
        self,
        key: str,
        k: int = 10,
        where: str | None = None,
        *,
        distinct: bool = False,
        passages: bool = False,
    ) -> list[Hit]:
        """Return the `k` texts closest to the stored text `key`, itself left out.

        key: an id, or a beginning that one id alone has. distinct: of texts that say the same, the
        closest alone. passages: see `with_passages`.
        """
        return self.neighbours(key, k, where, distinct=distinct, passages=passages).hits

    def neighbours(
        self,
        key: str,
        k: int = 10,
        where: str | None = None,
        *,
        distinct: bool = False,
        passages: bool = False,
    ) -> Found:
        """Return what `similar` does, and which transform answered."""

        def ask(now: Snapshot) -> list[Hit]:
            whole, point = stored_text(now, key)

            def find(many: int) -> list[Hit]:
                return nearest(now, point, many, where)

            found = best(now, find, k + 1, distinct=distinct)
            hits = [hit for hit in found if hit.id != whole][:k]
            return with_passages(hits, [(self, now, point, 1.0)]) if passages else hits

        check_utf8(key)
        return self._answered(ask)

    def _answered(self, ask: Callable[[Snapshot], list[Hit]]) -> Found:
        """Ask the newest snapshot; where that fails and there is a newer one by now, ask it too."""
        now = self.now()
        try:
            return Found(ask(now), now.made_by)
        except InputError:
            self._asked.wait_turned()
            newer = self.now()
            if newer is now:
                raise
            return Found(ask(newer), newer.made_by)

    def now(self) -> Snapshot:
        """Return the live version, and the transform that made it, as of now: it never changes."""
        return self._steady(self._newest)

    def _newest(self) -> Snapshot:
        seen = self._snapshot
        texts = seen.texts.newest()
        stored = texts if seen.stored is seen.texts else seen.stored.newest()
        if texts is seen.texts and stored is seen.stored:
            return seen
        self._snapshot = now = self._taken(texts, stored, seen)
        return now

    def _taken(self, texts: Searcher, stored: Searcher, seen: Snapshot | None) -> Snapshot:
        self._check_encoder(texts, stored)
        if self._kept is None:
            return Snapshot(texts, stored, stored, None)
        note, rows = _view_note(stored), stored
        kept = self._kept(note.transform)
        same = seen is not None and seen.made_by == note.transform
        transform = seen.transform if seen is not None and same else load_map(kept)
        if note.lazy:
            rows = LazySearcher(stored, texts, reader_of(kept, light=True), note)
        return Snapshot(texts, stored, rows, transform, note.transform)

    def _check_encoder(self, texts: Searcher, rows: Searcher) -> None:
        base, space = _base_note(texts), space_of(_base_note(texts))
        view_of = space if rows is texts else _view_note(rows).encoder
        if not self._asked.names(base.fingerprint) or view_of not in (None, space):
            raise InputError(OTHER_ENCODER)


def with_passages(
    hits: Sequence[Hit], asked: Sequence[tuple[Space, Snapshot, Point, float]]
) -> list[Hit]:
    """Return the hits, each with its passage: the part that is closest to what was asked for.

    asked: each view as it is now, what its texts are to be near there, and its weight.
    """
    check_many(len(hits))
    wanted = [
        Wanted(partial(space.vectors, now), point.vector, weight)
        for space, now, point, weight in asked
    ]
    space, now, *_ = asked[0]
    told = [hit for hit in hits if hit.text is not None]
    found = passages([str(hit.text) for hit in told], space.cutter(now), wanted) if told else []
    by_id = dict(zip((hit.id for hit in told), found, strict=True))
    return [replace(hit, passage=by_id.get(hit.id)) for hit in hits]


def _base_note(texts: Searcher) -> BaseNote:
    return manifest_of(texts.note, BaseNote, "the base table") or BaseNote()


def _view_note(rows: Searcher) -> ViewNote:
    return manifest_of(rows.note, ViewNote, "the view's table") or ViewNote()
