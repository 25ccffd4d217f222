"""What is found by meaning, in the forms that programs and notebooks take it in."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

    from tasks.core.views.snapshot import Hit


class Finder(ABC):
    """Finds the texts that are closest to a text, as one view or several together see it.

    Everywhere k: how many. where: a condition that rows meet, such as "channel = 'email'".
    distinct: of texts that say the same, the closest alone. passages: of each text found the part
    that is closest to what was asked for, of some 64 word pieces; at most 100 texts get one.
    Where `where` names a label that the view has not, a UserWarning says so.
    """

    @abstractmethod
    def closest(
        self,
        text: str,
        k: int = 10,
        where: str | None = None,
        *,
        distinct: bool = False,
        passages: bool = False,
    ) -> list[Hit]:
        """Return the `k` texts closest to `text`, best first.

        A `refract explore` that runs in the workspace is asked for them: the same, sooner.
        """

    @abstractmethod
    def nearest(
        self,
        key: str,
        k: int = 10,
        where: str | None = None,
        *,
        distinct: bool = False,
        passages: bool = False,
    ) -> list[Hit]:
        """Return the `k` texts closest to the stored text `key`, as `closest` does."""

    @abstractmethod
    def remark(self, where: str | None) -> str:
        """Return a line about labels that `where` names and the view has not; mostly nothing."""

    def hits(
        self,
        text: str,
        k: int = 10,
        where: str | None = None,
        *,
        distinct: bool = False,
        passages: bool = False,
    ) -> list[dict[str, Any]]:
        """Return the `k` texts closest to `text` as dictionaries, best first."""
        self._warn(where)
        return _rows(self.closest(text, k, where, distinct=distinct, passages=passages))

    def search(
        self,
        text: str,
        k: int = 10,
        where: str | None = None,
        *,
        distinct: bool = False,
        passages: bool = False,
    ) -> pl.DataFrame:
        """Return the `k` texts closest to `text`: score, text, id, metadata, label and the like."""
        self._warn(where)
        return _frame(self.closest(text, k, where, distinct=distinct, passages=passages))

    def neighbours(
        self,
        key: str,
        k: int = 10,
        where: str | None = None,
        *,
        distinct: bool = False,
        passages: bool = False,
    ) -> list[dict[str, Any]]:
        """Return the `k` texts closest to the stored text `key` as dictionaries, best first.

        key: an id, or a beginning that one id alone has; that text itself is left out.
        """
        self._warn(where)
        return _rows(self.nearest(key, k, where, distinct=distinct, passages=passages))

    def similar(
        self,
        key: str,
        k: int = 10,
        where: str | None = None,
        *,
        distinct: bool = False,
        passages: bool = False,
    ) -> pl.DataFrame:
        """Return the `k` texts closest to the stored text `key` as a frame, as `search` does."""
        self._warn(where)
        return _frame(self.nearest(key, k, where, distinct=distinct, passages=passages))

    def _warn(self, where: str | None) -> None:
        if remark := self.remark(where):
            warnings.warn(f"where: {remark}", stacklevel=3)


def _rows(found: list[Hit]) -> list[dict[str, Any]]:
    return [hit.to_json() for hit in found]


def _frame(found: list[Hit]) -> pl.DataFrame:
    from flows.queries.notebook import Results

    return Results(_rows(found), infer_schema_length=None)
