"""Search a view, or the generic space, by text or by a stored text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tasks.core import nearest, store
from tasks.core.coder import Coder, space_of
from tasks.core.encoder import Encoder
from tasks.core.errors import InputError
from tasks.core.features import Reduction, load_reduction
from tasks.core.records import encodable
from tasks.core.transform import Transform, load


def check_utf8(text: str) -> None:
    """Refuse what the terminal could not decode."""
    if not encodable(text):
        raise InputError("search: found bytes that are no UTF-8; expected text")


class Space:
    """A searchable space: the base vectors, or one instruction's view of them."""

    def __init__(
        self,
        base: Path,
        view: Path | None,
        kept: Callable[[str], Path] | None,
        encoder: Callable[[str], Encoder],
        encoder_fingerprint: str,
        reductions: Callable[[str], Path],
    ) -> None:
        """Open `base`, or `view` with its transforms found by fingerprint through `kept`.

        encoder: gives the encoder in the precision that the base vectors were encoded in.
        reductions: where the map of features with a fingerprint is.
        """
        self._texts = nearest.Searcher(base, live=False)
        self._rows = self._texts if view is None else nearest.Searcher(view, live=True)
        self._kept = kept
        self._encoder = encoder
        self._encoder_fingerprint = encoder_fingerprint
        self._reductions = reductions
        self._reduction: Reduction | None = None
        self._transform: Transform | None = None
        self._refresh()

    def search(self, text: str, k: int = 10, where: str | None = None) -> list[dict[str, Any]]:
        """Return the `k` texts closest to `text`: score (cosine, −1 to 1), id, text, metadata."""
        if not text.strip():
            raise InputError("search: the text is blank; expected some words to look for")
        check_utf8(text)
        self._refresh()
        codes, _ = self._coder().code([text], lambda _: None)
        vectors = codes[0]
        if self._transform is not None:
            vectors = self._transform.apply(*codes).vectors
        return self._nearest(vectors[0], k, where)

    def _coder(self) -> Coder:
        note = self._texts.note
        encoder = self._encoder(note.get("settings", {}).get("precision", "float32"))
        features = note.get("features")
        if features is None or self._transform is None:
            return Coder(encoder)
        if self._reduction is None or self._reduction.fingerprint != features["fingerprint"]:
            self._reduction = load_reduction(self._reductions(features["fingerprint"]))
        return Coder(encoder, self._reduction)

    def similar(self, key: str, k: int = 10, where: str | None = None) -> list[dict[str, Any]]:
        """Return the `k` texts closest to the stored text `key`, itself left out."""
        check_utf8(key)
        self._refresh()
        vector = self._rows.vector_of(key)
        if vector is None:
            raise InputError(f"id {key!r}: not in this view; expected an id of the corpus")
        found = self._nearest(vector, k + 1, where)
        return [hit for hit in found if hit["id"] != key][:k]

    def _refresh(self) -> None:
        """Follow the live version, and the transform that made it."""
        if self._rows.refresh():
            self._transform = None
        if self._rows is not self._texts:
            self._texts.refresh()
        self._check_encoder()
        if self._kept is not None and self._transform is None:
            self._transform, _ = load(self._kept(self._rows.note["transform"]))

    def _check_encoder(self) -> None:
        base = self._texts.note
        view_of = self._rows.note.get("encoder", space_of(base))
        if base["fingerprint"] != self._encoder_fingerprint or view_of != space_of(base):
            raise InputError(
                "search: this table was made by another encoder than params.yaml names now;"
                " set 'embed' back, or run 'refract embed --rebuild' and 'refract run'"
            )

    def _nearest(self, vector: np.ndarray, k: int, where: str | None) -> list[dict[str, Any]]:
        hidden = {store.VECTOR, store.FEATURES, "row_hash", "text_hash", "text"}
        names = [name for name in self._rows.names if name not in hidden]
        own = self._rows is self._texts
        hits = self._rows.nearest(vector, k, where, [*names, "text"] if own else names)
        if own:
            texts = {hit.row["id"]: hit.row.pop("text") for hit in hits}
        else:
            texts = self._texts.values([hit.row["id"] for hit in hits], "text")
        return [{"score": hit.score, "text": texts.get(hit.row["id"]), **hit.row} for hit in hits]
