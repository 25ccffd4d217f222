"""A search of the small table that conditions select rows of; a workspace of others."""

import numpy as np
import pyarrow as pa
import pytest

from tasks.core.store import arrow, tables
from tasks.core.store.searcher import Searcher
from tests.attacks.conditions import ROWS
from tests.strangers import origin, others, strangers, victim

__all__ = ["origin", "others", "strangers", "victim"]


@pytest.fixture(scope="session")
def selected(tmp_path_factory):
    table = tmp_path_factory.mktemp("where") / "t.lance"
    vectors = arrow.vector_array(np.ones((len(ROWS), 2)), "float32")
    rows = ROWS.to_arrow().append_column("vector", vectors)
    schema = pa.schema([field.remove_metadata() for field in rows.schema])
    tables.commit_whole(table, schema, {}, tables.write_fragments(table, rows, {}, fresh=True))
    searcher = Searcher(table, live=False)

    def ask(where):
        hits = searcher.nearest(np.ones(2), len(ROWS), where, ["id"])
        return sorted(hit.row["id"] for hit in hits)

    return ask
