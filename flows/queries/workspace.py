"""A workspace from Python: open it, open a view, search."""

from __future__ import annotations

from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.state.staleness import fitted
from flows.state.trust import ask
from tasks.core.settings.params import load_params
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.instruction_name import BASE, check_name
from tasks.core.workspace.paths import Paths

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

    from tasks.core.encoding.encoder import Encoder
    from tasks.core.views.search import Space


class Workspace:
    """The corpus, vectors and views below one root."""

    def __init__(self, root: str | Path = ".") -> None:
        """Open the workspace at `root`; InputError if params.yaml is missing or mistaken."""
        self.paths = Paths(Path(root))
        self.params = load_params(self.paths.params)

    @property
    def views(self) -> list[str]:
        """The instructions that have a view."""
        return [name for name in fitted(self.paths) if self.paths.view_stamp(name).is_file()]

    def view(self, name: str = BASE) -> View:
        """Open the view of instruction `name`; 'base' is the generic space."""
        if name != BASE and check_name(name) not in self.views:
            known = ", ".join([BASE, *self.views])
            raise InputError(
                f"view {name!r}: there is none; expected one of: {known};"
                f" put labels at data/labels/{name}.csv and run 'refract run'"
            )
        return View(self, name)


class View:
    """One way of seeing the corpus. Cheap to open; the encoder is loaded at the first search."""

    def __init__(self, workspace: Workspace, name: str) -> None:
        self.name = name
        self._workspace = workspace

    @cached_property
    def _space(self) -> Space:
        from tasks.core.encoding.vector_space import fingerprint
        from tasks.core.query.encoder import load_query_encoder
        from tasks.core.views.search import Space

        paths, name = self._workspace.paths, self.name
        settings = self._workspace.params.embed

        def encoder(precision: str) -> Encoder:
            ask(paths, "model")
            auto = settings.precision == "auto"
            exact = settings.model_copy(update={"precision": precision})
            return load_query_encoder(exact if auto else settings)

        view = None if name == BASE else paths.view_table(name)
        kept = None if name == BASE else partial(paths.kept_transform, name)
        known = fingerprint(settings)
        return Space(paths.base_table, view, kept, encoder, known, paths.reduction)

    def hits(self, text: str, k: int = 10, where: str | None = None) -> list[dict[str, Any]]:
        """Return the `k` texts closest to `text` as dictionaries, best first."""
        return self._space.search(text, k, where)

    def search(self, text: str, k: int = 10, where: str | None = None) -> pl.DataFrame:
        """Return the `k` texts closest to `text`: score (cosine), id, label, text, metadata."""
        import polars as pl

        return pl.DataFrame(self.hits(text, k, where), infer_schema_length=None)

    def similar(self, key: str, k: int = 10, where: str | None = None) -> list[dict[str, Any]]:
        """Return the `k` texts closest to the stored text with id `key`, itself left out."""
        return self._space.similar(key, k, where)

    def frame(self) -> pl.DataFrame:
        """Return every row: id, text, metadata, vector; for a view label, confidence, novelty."""
        from tasks.core.views import export

        paths = self._workspace.paths
        if self.name == BASE:
            return export.frame(paths.base_table, live=False)
        rows = export.frame(paths.view_table(self.name), live=True)
        texts = export.frame(paths.base_table, live=False, names=["id", "text"])
        others = [name for name in rows.columns if name != "id"]
        joined = rows.join(texts, on="id", how="left", maintain_order="left")
        return joined.select("id", "text", *others)

    def vectors(self) -> np.ndarray:
        """Return the vectors (n, d), in the order of `frame`."""
        return self.frame()["vector"].to_numpy()

    def suggest(self, many: int = 50, novel: float | None = None) -> pl.DataFrame:
        """Return at most `many` texts worth labelling next, as a label file to fill in.

        novel: the share that looks like no label, by default a fifth; the others lie near a
        boundary. Columns id, label (null), suggested, confidence, novelty, why, text.
        """
        from flows.queries.suggest import suggest

        return suggest(self._workspace.paths, self.name, many, novel)

    def evaluate(self, truth: Path | None = None) -> dict[str, Any]:
        """Score the view on labels it has not seen, with intervals, as a JSON value."""
        from flows.queries.evaluate import evaluate

        return evaluate(self._workspace.paths, self._workspace.params, self.name, truth)

    def export(self, file: Path) -> int:
        """Write the view to `file` (.parquet, or .npy with ids beside it); return its rows."""
        from tasks.core.views import export

        if file.suffix not in (".parquet", ".npy"):
            raise InputError(f"{file}: expected a name ending in .parquet or .npy")
        frame = self.frame()
        if file.suffix == ".parquet":
            export.export_parquet(frame, file)
        else:
            export.export_npy(frame, file)
        return len(frame)
