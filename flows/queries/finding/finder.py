"""What is found by meaning, in the forms that programs and notebooks take it in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

    from tasks.core.views.snapshot import Hit


class Finder(ABC):
    """Finds the texts that are closest to a text, as one view or several together see it.

    Everywhere k: how many. where: a condition that rows meet, such as "channel = 'email'".
    distinct: of texts that say the same, the closest alone.
    """

    @abstractmethod
    def closest(
        self, text: str, k: int = 10, where: str | None = None, *, distinct: bool = False
    ) -> list[Hit]:
        """Return the `k` texts closest to `text`, best first.

        A `refract explore` that runs in the workspace is asked for them: the same, sooner.
        """

    @abstractmethod
    def nearest(
        self, key: str, k: int = 10, where: str | None = None, *, distinct: bool = False
    ) -> list[Hit]:
        """Return the `k` texts closest to the stored text `key`, as `closest` does."""

    def hits(
        self, text: str, k: int = 10, where: str | None = None, *, distinct: bool = False
    ) -> list[dict[str, Any]]:
        """Return the `k` texts closest to `text` as dictionaries, best first."""
        return [hit.to_json() for hit in self.closest(text, k, where, distinct=distinct)]

    def search(
        self, text: str, k: int = 10, where: str | None = None, *, distinct: bool = False
    ) -> pl.DataFrame:
        """Return the `k` texts closest to `text`: score, text, id, metadata, label and the like."""
        return _frame(self.hits(text, k, where, distinct=distinct))

    def neighbours(
        self, key: str, k: int = 10, where: str | None = None, *, distinct: bool = False
    ) -> list[dict[str, Any]]:
        """Return the `k` texts closest to the stored text `key` as dictionaries, best first.

        key: an id, or a beginning that one id alone has; that text itself is left out.
        """
        return [hit.to_json() for hit in self.nearest(key, k, where, distinct=distinct)]

    def similar(
        self, key: str, k: int = 10, where: str | None = None, *, distinct: bool = False
    ) -> pl.DataFrame:
        """Return the `k` texts closest to the stored text `key` as a frame, as `search` does."""
        return _frame(self.neighbours(key, k, where, distinct=distinct))


def _frame(found: list[dict[str, Any]]) -> pl.DataFrame:
    from flows.queries.notebook import Results

    return Results(found, infer_schema_length=None)
