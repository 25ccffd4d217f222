"""Views asked by text by LanceDB's own clients: import this, then `table.search("…")`.

A view's table names the embedding function `refract`, and no more (see `publishing`). It is
registered here; LanceDB makes one for each table that is asked, and gives it texts, and nothing
else: encoder and transform are found where the table lies, as a view's folder knows its workspace.
So a table names no machine, and one that was copied elsewhere leads nowhere.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
from lancedb.embeddings import TextEmbeddingFunction, register
from lancedb.table import AsyncTable, LanceTable
from pydantic import PrivateAttr

from flows.queries.workspace import Workspace
from tasks.core.encoding.featurizer import space_of
from tasks.core.query.transform import load_map
from tasks.core.store.tables import noted
from tasks.core.transforms.card import is_whole
from tasks.core.views.publishing import FUNCTION
from tasks.core.views.search import OTHER_ENCODER, Space, check_query
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.manifest import manifest_of
from tasks.core.workspace.manifests import BaseNote, ViewNote
from tasks.core.workspace.paths import Paths
from tasks.core.workspace.user_state import SCHEME

__all__ = ["Refract"]
_SUFFIX = ".lance"


@register(FUNCTION)
class Refract(TextEmbeddingFunction):
    """A text's vector in a view, by the transform that made the rows of the table that is asked.

    size: how many numbers a vector of the view has.
    """

    size: int
    _table: Any = PrivateAttr(default=None)
    _opened: tuple[str, Space, Path] | None = PrivateAttr(default=None)

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
            workspace = Workspace(root)
            kept = workspace.paths.kept_transform(name, about.transform)
            self._opened = about.transform, workspace.view(name).space, kept
        space, kept = self._opened[1:]
        return [vector_at(space, text, about, kept).astype(np.float32) for text in texts]

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


def home_of(address: str) -> tuple[str, str]:
    """Return the root of the workspace that a view's table lies in, and the view's name.

    address: a folder, or s3://BUCKET/FOLDER/views/NAME.lance. InputError where it is no view's.
    """
    if address.startswith(SCHEME):
        root, _, name = address.removesuffix(_SUFFIX).rpartition("/views/")
        if root and name and "/" not in name:
            return root, name
        raise _homeless(address, "s3://BUCKET/FOLDER/views")
    table = Path(address.removeprefix("file://")).resolve()
    if len(table.parents) > 2:
        paths, name = Paths(table.parents[2]), table.name.removesuffix(_SUFFIX)
        if table == paths.views / f"{name}{_SUFFIX}" and paths.params.is_file():
            return str(paths.root), name
    raise _homeless(str(table), "ROOT/data/views")


def vector_at(space: Space, text: str, about: ViewNote, kept: Path) -> np.ndarray:
    """Return the vector (m,) of `text` in a version of the view that `space` is, live or not.

    about: what that version notes of itself; kept: its transform, beside the view.
    """
    check_query(text)
    now = space.now()
    base = manifest_of(now.texts.note, BaseNote, "the base table") or BaseNote()
    if about.encoder not in (None, space_of(base)):
        raise InputError(OTHER_ENCODER)
    if about.transform != now.made_by:
        if not is_whole(kept):
            raise InputError(
                f"{kept}: found no whole transform, by which this version of the view was made;"
                " expected the latest version, or the tag 'live', where it was made; check that out"
            )
        now = replace(now, transform=load_map(kept))
    return space.vector(now, text)


def _homeless(address: str, expected: str) -> InputError:
    return InputError(
        f"{address}: found no workspace around this table; expected it where it was made, in"
        f" {expected}, since the encoder and the transform are found there; open it there, or ask"
        " it by a vector"
    )
