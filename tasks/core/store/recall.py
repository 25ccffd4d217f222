"""How much of its index a search looks at: measured against exact search, and noted with it.

The note lies in the table's configuration, which each version carries: whoever searches a version
looks at the same partitions, and a rollback brings back the number that belongs to its rows.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from tasks.core.remote.driving import driving
from tasks.core.store import arrow
from tasks.core.store.tables import READ_AHEAD, VECTOR, open_table
from tasks.core.workspace.exhaustion import naming_table
from tasks.core.workspace.manifest import object_of, parse_manifest
from tasks.core.workspace.manifests import IndexNote

ENOUGH = 0.98  # recall@10 that searches are to reach
MASK = 100  # one row in so many is kept where a filter is measured
_NOTE = "refract.index"
_QUERIES = 100  # stored rows that are asked for; their mean recall is known to about 0.01
_K = 10
_FIRST = 10  # partitions that are tried first, and then twice as many
_SEED = 7
_SAME = 1e-5  # cosine distances that differ by less are one: texts that are there twice
_REFINE = 4  # candidates per hit whose true distance is taken; recall 1.0 at 50,000 x 384
_REFINE_2_BITS = 8  # 0.9985 at 4, and 0.94 of vectors that lie in no clusters; 1.0 and 0.98 at 8
_NUMBER = "query_index"  # what Lance calls the number of a query among several
_CACHE = 64 << 20  # bytes of the index held while it is measured
_READING = {"io_buffer_size": READ_AHEAD, "batch_size": 2_048}  # 130 MB less than Lance's own


def vector_index(dataset: Any) -> Any:
    """Return Lance's description of the index of the vectors, or None."""
    indices = dataset.describe_indices()
    return next((made for made in indices if VECTOR in made.field_names), None)


def probes(dataset: Any) -> IndexNote | None:
    """Return how much of the vectors' index is to be looked at; None where there is no index.

    An index that nobody has measured, since an earlier version made it, gets what was enough in a
    hard case: a third of the partitions, at least 20; with a filter all of them.
    """
    made = vector_index(dataset)
    if made is None:
        return None
    noted = dataset.config().get(_NOTE, "").encode()
    found = parse_manifest(noted, IndexNote, "a table's index")
    first = str(made.segments[0].uuid)
    if found is not None and found.index == first and _sound(found):
        return found
    many = _partitions(dataset, made)
    guess = min(many, max(20, -(-many // 3)))
    return IndexNote(index=first, partitions=many, nprobes=guess, nprobes_filtered=many)


def measured(dataset: Any) -> bool:
    """Tell whether the index of the vectors, if there is one, was measured as it is."""
    found = probes(dataset)
    return found is None or found.recall is not None


def enough(note: IndexNote) -> bool:
    """Tell whether searches through the index were measured to find `ENOUGH`."""
    return min(note.recall or 0, note.recall_filtered or 0) >= ENOUGH


def noted(table: Path, version: int | str | None = None) -> IndexNote | None:
    """Return `probes` of a version of a table, by default the latest."""
    return probes(open_table(table, version))


@naming_table
def measure(table: Path) -> IndexNote:
    """Measure the vectors' index, and note with the table how many partitions are enough.

    A hundred stored rows are asked for, once among all rows and once among a hundredth of them.
    Exact search streams the vectors twice: 2 to 4 s of a processor at a million rows.
    """
    dataset = open_table(table, cache=_CACHE)
    made = vector_index(dataset)
    at = np.unique(np.random.default_rng(_SEED).integers(dataset.count_rows(), size=_QUERIES))
    queries = arrow.vectors_of(dataset.take(at, columns=[VECTOR]).column(VECTOR))
    queries = queries.astype(np.float32)
    many = _partitions(dataset, made)
    plain, recall = _enough(dataset, queries, None, many)
    masked, recall_filtered = _enough(dataset, queries, f"_rowid % {MASK} = 0", many)
    note = IndexNote(
        index=str(made.segments[0].uuid),
        partitions=many,
        nprobes=plain,
        recall=recall,
        nprobes_filtered=max(plain, masked),
        recall_filtered=recall_filtered,
        queries=len(queries),
    )
    with driving(table):
        open_table(table).update_config({_NOTE: json.dumps(object_of(note), sort_keys=True)})
    return note


def nearest(
    dataset: Any, queries: np.ndarray, k: int, nprobes: int | None, *, rough: bool = False
) -> dict[str, object]:
    """Return Lance's question for the `k` rows nearest to `queries` (d,) or (n, d), by cosine.

    nprobes: partitions of the index that are looked at; None: every row is, without the index.
    rough: by the rounded vectors of the index; of thousands of rows, four times as many would be
    read to have their true distance.
    """
    asked = {"column": VECTOR, "q": queries, "k": k, "metric": "cosine"}
    if nprobes is None:
        return asked | {"use_index": False}
    asked["nprobes"] = nprobes
    made = vector_index(dataset)
    if rough or made is None or made.index_type == "IVF_FLAT":
        return asked
    few = made.index_type == "IVF_RQ"
    return asked | {"refine_factor": _REFINE_2_BITS if few else _REFINE}


def _sound(note: IndexNote) -> bool:
    """Tell whether the numbers may be those of an index: a table that was cloned notes anything."""
    return 0 < note.nprobes <= note.nprobes_filtered <= note.partitions < 1 << 31


def _partitions(dataset: Any, made: Any) -> int:
    found = dataset.stats.index_stats(made.name)["indices"]
    return max(int(each["num_partitions"]) for each in found)


def _enough(
    dataset: Any, queries: np.ndarray, where: str | None, partitions: int
) -> tuple[int, float]:
    """Return the least of the numbers of partitions tried with `ENOUGH` recall, and its recall."""
    exact = _distances(dataset, queries, where, None)
    nprobes = min(_FIRST, partitions)
    while True:
        recall = _recall(exact, _distances(dataset, queries, where, nprobes))
        if recall >= ENOUGH or nprobes >= partitions:
            return nprobes, round(recall, 4)
        nprobes = min(2 * nprobes, partitions)


def _recall(exact: list[np.ndarray], found: list[np.ndarray]) -> float:
    """Return the share of the true neighbours of all queries that were found, by distance."""
    true = sum(len(far) for far in exact)
    pairs = zip(exact, found, strict=True)
    hits = sum(int((got <= far[-1] + _SAME).sum()) for far, got in pairs if len(far))
    return hits / true if true else 1.0


def _distances(
    dataset: Any, queries: np.ndarray, where: str | None, nprobes: int | None
) -> list[np.ndarray]:
    """Return the distances of the rows found for each query, ascending.

    Without a filter, the nearest is the query's own row, and left out.
    """

    def ask(question: np.ndarray) -> Any:
        return dataset.to_table(
            columns=["_distance"],
            nearest=nearest(dataset, question, _K + 1, nprobes),
            filter=where,
            prefilter=True,
            **_READING,
        )

    # Together, exact queries stream the vectors once; through the index, they hold more of it.
    # A document's column may have the name that Lance gives the number of a query.
    if nprobes is not None or _NUMBER in dataset.schema.names:
        each = [ask(query)["_distance"].to_numpy() for query in queries]
    else:
        found = ask(queries)
        number, far = found[_NUMBER].to_numpy(), found["_distance"].to_numpy()
        each = [far[number == at] for at in range(len(queries))]
    own = 1 if where is None else 0
    return [np.sort(far[~np.isnan(far)])[own:][:_K] for far in each]
