"""Views asked by text by LanceDB's own clients: import this, then `table.search("…")`.

A view's table names the embedding function `refract`. It is registered here; LanceDB makes one for
each table that is asked, and gives it texts, and nothing else.
"""

from __future__ import annotations

import asyncio
import sys
from types import FrameType
from typing import Any

import numpy as np
from lancedb.embeddings import TextEmbeddingFunction, register
from lancedb.table import AsyncTable, LanceTable
from pydantic import PrivateAttr

from flows.queries.workspace import View, Workspace
from tasks.core.store.tables import noted
from tasks.core.views.plain_clients import FUNCTION, home_of
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.manifest import manifest_of
from tasks.core.workspace.manifests import ViewNote

__all__ = ["Refract"]


@register(FUNCTION)
class Refract(TextEmbeddingFunction):
    """A text's vector in a view, by the transform that made the rows of the table that is asked.

    size: how many numbers a vector of the view has.
    """

    size: int
    _table: Any = PrivateAttr(default=None)
    _opened: tuple[str, View] | None = PrivateAttr(default=None)

    def model_post_init(self, context: Any) -> None:
        """Look for the table that LanceDB makes this function for."""
        super().model_post_init(context)
        self._table = _table_that_asks()

    def ndims(self) -> int:
        """Return how many numbers a vector of the view has."""
        return self.size

    def compute_query_embeddings_with_retry(self, query: str, *_: Any, **__: Any) -> list[Any]:
        """Return a query's vector (size,) in a list; what fails would fail again, so only once."""
        return self.generate_embeddings([query])

    def generate_embeddings(self, texts: Any, *_: Any, **__: Any) -> list[Any]:
        """Return the vector (size,) of each text, as the transform of the table's version has it.

        InputError where the table does not lie in a workspace, or that no longer has the transform.
        """
        address, about = self._asked()
        if about.lazy:
            raise InputError(
                f"{address}: found a lazy view, whose table holds no row; expected a full one; set"
                " 'materialise: full' for its instruction in params.yaml and run 'refract run', or"
                " ask by Workspace(…).view(…).search(…)"
            )
        if self._opened is None or self._opened[0] != about.transform:
            root, name = home_of(address)
            self._opened = about.transform, Workspace(root).view(name)
        space = self._opened[1].space
        return [np.asarray(space.vector_at(text, about), np.float32) for text in texts]

    def compute_source_embeddings_with_retry(self, *_: Any, **__: Any) -> list[Any]:
        """Refuse to make rows: a view is written from the corpus."""
        raise InputError(
            "this table is a view of a corpus: found rows to be added by LanceDB; expected none,"
            " since Refract writes it; add documents: 'refract ingest', then 'refract run'"
        )

    def _asked(self) -> tuple[str, ViewNote]:
        """Return where the table lies, and what its version notes of itself."""
        table = self._table
        if table is None:
            raise InputError(
                f"embedding function {FUNCTION!r}: found no table that it is asked for; expected"
                " one of LanceDB's own clients; ask by table.search('…')"
            )
        if isinstance(table, AsyncTable):  # LanceDB asks in a thread of its own
            address, schema = asyncio.run(_both(table))
        else:
            address, schema = table.uri, table.schema
        return address, manifest_of(noted(schema), ViewNote, "the view's table") or ViewNote()


async def _both(table: Any) -> tuple[str, Any]:
    return await table.uri(), await table.schema()


def _table_that_asks() -> Any:
    """Return the table for which LanceDB is making a function, or None.

    It tells a function nothing of its table: the caller that has it open is looked for.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        table = frame.f_locals.get("self")
        if isinstance(table, (LanceTable, AsyncTable)):
            return table
        frame = frame.f_back
    return None
