"""A view for other programs: a file by its ending, or a dataset in a folder."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from flows.queries.apart import check_apart
from flows.state.live_transform import live_card
from tasks.core.settings.params import Params
from tasks.core.store import tables
from tasks.core.views import export as files
from tasks.core.views.dataset_folder import export_dataset
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.instruction_name import BASE
from tasks.core.workspace.paths import Paths

ENDINGS = {
    ".parquet": files.export_parquet,
    ".csv": files.export_csv,
    ".npy": files.export_npy,
}
_COLUMNS = {
    "label": "the likeliest label, by the view; not by a person",
    "confidence": "the probability of that label",
    "novelty": "the probability that the text belongs to no label seen so far",
    tables.VECTOR: "where the view sees the text: a unit vector, compared by cosine",
    "x": "across, on the map of the view, from -1 to 1",
    "y": "up, on the map of the view, from -1 to 1",
}


def check_target(paths: Paths, file: Path, *, mapped: bool) -> None:
    """Refuse a target that no export can be, before any row is read."""
    check_apart(paths, file, "choose another folder")
    if file.suffix not in ("", *ENDINGS):
        raise InputError(
            f"{file}: expected a name ending in {', '.join(ENDINGS)}, or one without an ending"
            " for a folder with a Hugging Face dataset"
        )
    if mapped and file.suffix == ".npy":
        raise InputError(f"{file}: holds vectors alone; expected .parquet or .csv for a map")


def export(paths: Paths, params: Params, name: str, rows: pl.DataFrame, file: Path) -> None:
    """Write the rows of view `name` to `file`, whole or not at all."""
    if file.suffix:
        ENDINGS[file.suffix](rows, file)
        return
    labels, facts = _about(paths, params, name)
    facts |= {f"`{key}`": said for key, said in _COLUMNS.items() if key in rows.columns}
    export_dataset(rows, file, name, labels, facts)


def with_map(paths: Paths, params: Params, name: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Return `rows` with their places on the view's map as the columns x and y."""
    from flows.queries.maps import whole_map

    taken = sorted({"x", "y"} & set(rows.columns))
    if taken:
        raise InputError(
            f"export: found a column {taken[0]!r} among those of the documents; expected none of"
            " this name beside a map; rename it there, or export without the map"
        )
    made = whole_map(paths, params, name)
    ids = pl.Series(made.rows.ids, dtype=pl.String)
    places = pl.DataFrame({"id": ids, "x": made.places[:, 0], "y": made.places[:, 1]})
    return rows.join(places, on="id", how="left", maintain_order="left")


def _about(paths: Paths, params: Params, name: str) -> tuple[list[str], dict[str, str]]:
    """Return the labels of a view in the order of its transform, and how the view was made."""
    model = params.embed.model
    known = f"{Path(model).name}, a model of their own" if Path(model).exists() else model
    encoder = {"bundled": "sentence-transformers/all-MiniLM-L6-v2"}.get(model, known)
    if name == BASE:
        return [], {"encoder": encoder}
    card = live_card(paths, name)
    given = f"{sum(card.counts.values()):,} labelled texts" if card.counts else "labelled texts"
    return card.labels, {
        "instruction": card.wording or name,
        "encoder": encoder,
        "transform": f"{card.method}, fitted to {given} ({card.fingerprint or 'unknown'})",
    }
