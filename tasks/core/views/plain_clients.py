"""What LanceDB's own clients need to ask a view by text, and where they find it.

LanceDB looks into a table's metadata for an embedding function, by its name and settings. Ours says
no more there than its name and the size of its vectors: the rest is found where the table lies, as
a view's folder knows its workspace. So a table names no machine, and one that was copied elsewhere
leads nowhere.
"""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa

from tasks.core.store import tables
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.paths import Paths
from tasks.core.workspace.user_state import SCHEME

FUNCTION = "refract"  # what LanceDB's registry of embedding functions calls ours
_KEY = b"embedding_functions"  # where LanceDB looks for them
_SUFFIX = ".lance"


def asked_by_text(schema: pa.Schema, size: int | None) -> pa.Schema:
    """Return a view's schema, by which LanceDB knows what makes a text its vector (size,)."""
    function = {
        "name": FUNCTION,
        "model": {"size": size},
        "source_column": "text",
        "vector_column": tables.VECTOR,
    }
    return schema.with_metadata({_KEY: json.dumps([function]).encode()})


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


def _homeless(address: str, expected: str) -> InputError:
    return InputError(
        f"{address}: found no workspace around this table; expected it where it was made, in"
        f" {expected}, since the encoder and the transform are found there; open it there, or ask"
        " it by a vector"
    )
