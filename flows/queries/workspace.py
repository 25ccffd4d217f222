"""A workspace from Python: open it, open a view, search."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from flows.migration.turning import wait_turned
from flows.queries.finding.finder import Finder
from flows.state.live_transform import live_card, live_rows
from flows.state.staleness import fitted
from flows.state.trust import ask
from flows.stores.mirror import mirror
from tasks.core.settings.params import load_params
from tasks.core.text.discretion import shown
from tasks.core.text.near_names import listed
from tasks.core.workspace.errors import MissingError
from tasks.core.workspace.instruction_name import BASE, check_name
from tasks.core.workspace.paths import Paths
from tasks.core.workspace.user_state import SCHEME

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

    from flows.explore.client import Client
    from flows.queries.evaluation import Evaluation
    from flows.queries.finding.together import Together
    from tasks.core.views.search import Space
    from tasks.core.views.snapshot import Hit


class Workspace:
    """The corpus, vectors and views below one root."""

    def __init__(self, root: str | Path = ".") -> None:
        """Open the workspace at `root`; InputError if params.yaml is missing or mistaken.

        root: a folder, or s3://BUCKET/FOLDER, where the tables of one lie that is written
        elsewhere: then it is for reading, as it was last recorded when a view is opened.
        """
        self._url = str(root) if str(root).startswith(SCHEME) else None
        self.paths = Paths(Path(root) if self._url is None else mirror(self._url))
        self.params = load_params(self.paths.params)
        ask(self.paths, "store")

    @property
    def local(self) -> bool:
        """Whether it is a folder that is written here, and no store that is read."""
        return self._url is None

    def __repr__(self) -> str:
        return f"Workspace({str(self.paths.root)!r}, views: {', '.join(self.views) or 'none'})"

    def _repr_html_(self) -> str:
        from flows.queries.notebook import workspace_html

        return workspace_html(self.paths, self.views)

    @property
    def views(self) -> list[str]:
        """The instructions that have a view."""
        return [name for name in fitted(self.paths) if self.paths.view_stamp(name).is_file()]

    def view(self, name: str = BASE) -> View:
        """Open the view of instruction `name`; 'base' is the generic space."""
        self._look_anew()
        if name != BASE and check_name(name) not in self.views:
            known = listed(name, [BASE, *self.views])
            raise MissingError(
                f"view {name!r}: there is none; expected one of: {known};"
                f" put labels at data/labels/{name}.csv and run 'refract run'"
            )
        return View(self, name)

    def together(
        self, weights: Mapping[str, float | str], towards: Mapping[str, str] | None = None
    ) -> Together:
        """Open several views as one: `together({"topic": 0.7, "emotion": 0.3}).search("…")`.

        weights: of each view in the ranking, a number above 0. towards: of further views the label
        that texts shall have there, such as {"emotion": "grateful"}: then `similar` finds texts
        that are like one in the first views, and of these labels.
        """
        from flows.queries.finding.together import Together

        return Together(self, weights, towards or {})

    def service(self) -> Client | None:
        """Return the `refract explore` that runs in this workspace; None where there is none."""
        if not self.local or not self.paths.explore_note.exists():
            return None
        from flows.explore.client import running

        return running(self.paths)

    def suggest(
        self, name: str, many: int = 50, novel: float | None = None, *, random: bool = False
    ) -> pl.DataFrame:
        """Return what `View.suggest` does; of an instruction without a view, texts to begin with.

        Together these cover the corpus: suggested, confidence and novelty are null.
        """
        from flows.queries.suggest import suggest

        self._look_anew()
        return suggest(self.paths, name, many, novel, random=random)

    def _look_anew(self) -> None:
        if self._url is not None:
            mirror(self._url)
            self.params = load_params(self.paths.params)
        wait_turned(self.paths)


class View(Finder):
    """One way of seeing the corpus. Cheap to open; the encoder is loaded at the first search."""

    def __init__(self, workspace: Workspace, name: str) -> None:
        self.name = name
        self._workspace = workspace

    def __repr__(self) -> str:
        return f"View({self.name!r}, of {str(self._workspace.paths.root)!r})"

    def _repr_html_(self) -> str:
        from flows.queries.notebook import view_html

        return view_html(self._workspace.paths, self.name)

    @cached_property
    def space(self) -> Space:
        """The view as something to search; what it finds are records, not dictionaries."""
        from flows.queries.finding.asked_encoder import AskedEncoder
        from tasks.core.views.search import Space

        paths, name = self._workspace.paths, self.name
        view = None if name == BASE else paths.view_table(name)
        kept = None if name == BASE else partial(paths.kept_transform, name)
        asked = AskedEncoder(paths, self._workspace.params.embed)
        return Space(paths.base_table, view, kept, asked, paths.reduction)

    @property
    def opened(self) -> bool:
        """Whether its space is open here, which answers sooner than another process does."""
        return "space" in vars(self)

    def closest(
        self,
        text: str,
        k: int = 10,
        where: str | None = None,
        *,
        distinct: bool = False,
        passages: bool = False,
    ) -> list[Hit]:
        """Return the `k` texts with the greatest cosine to `text`, best first.

        A `refract explore` that runs in the workspace is asked for them: the same, sooner.
        """
        service, found = self._service(), None
        if service is not None:
            found = service.search(self.name, text, k, where, distinct=distinct, passages=passages)
        if found is not None:
            return found
        return self.space.search(text, k, where, distinct=distinct, passages=passages)

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
        service, found = self._service(), None
        if service is not None:
            found = service.similar(self.name, key, k, where, distinct=distinct, passages=passages)
        if found is not None:
            return found
        return self.space.similar(key, k, where, distinct=distinct, passages=passages)

    def remark(self, where: str | None) -> str:
        """Return a line about labels that `where` names and the view has not; mostly nothing."""
        if self.name == BASE or "label" not in (where or "").lower():  # then it opens nothing
            return ""
        from tasks.core.query.label_place import listed_labels
        from tasks.core.where.condition import sought

        known = self.labels
        named = sought(where or "", self.space.now().rows.filterable(), "label")
        odd = [label for label in named if label not in known]
        if not odd:
            return ""
        return f"{self.name} has no label {shown(odd[0])}; it has {listed_labels(odd[0], known)}"

    def _service(self) -> Client | None:
        return None if self.opened else self._workspace.service()

    def frame(self) -> pl.DataFrame:
        """Return every row: id, text, metadata, vector; for a view label, confidence, novelty."""
        from tasks.core.views.export import frame
        from tasks.core.views.view_rows import StoredRows

        paths = self._workspace.paths
        base = StoredRows(paths.base_table, live=False)
        if self.name == BASE:
            return frame(base)
        rows, texts = frame(live_rows(paths, self.name)), frame(base, ["id", "text"])
        others = [name for name in rows.columns if name not in ("id", "text")]
        joined = rows.select("id", *others).join(texts, on="id", how="left", maintain_order="left")
        return joined.select("id", "text", *others)

    def vectors(self) -> np.ndarray:
        """Return the vectors (n, d), in the order of `frame`."""
        return self.frame()["vector"].to_numpy()

    def suggest(
        self, many: int = 50, novel: float | None = None, *, random: bool = False
    ) -> pl.DataFrame:
        """Return at most `many` texts worth labelling next, as a label file to fill in.

        novel: the share that looks like no label, by default a fifth; the others lie near a
        boundary. random: each text is as likely as any other instead. Columns id, label (null),
        suggested, confidence, novelty, why, text.
        """
        return self._workspace.suggest(self.name, many, novel, random=random)

    @property
    def labels(self) -> list[str]:
        """The labels that the view tells apart; none of the base vectors."""
        return [] if self.name == BASE else live_card(self._workspace.paths, self.name).labels

    def doubts(self, limit: int = 20) -> pl.DataFrame:
        """Return labelled texts whose label is probably wrong, the most doubtful first.

        Columns id, label, likelier, p_label, p_likelier, margin, text.
        """
        import polars as pl

        from flows.queries.doubts import doubts
        from tasks.core.labels.multilabel import joined

        found = doubts(self._workspace.paths, self._workspace.params, self.name, limit)
        rows = [asdict(row) | {"label": joined(row.label)} for row in found.rows]
        numbers = dict.fromkeys(("p_label", "p_likelier", "margin"), pl.Float64)
        names = ("id", "label", "likelier", *numbers, "text")
        return pl.DataFrame(rows, {name: numbers.get(name, pl.String) for name in names})

    def evaluate(self, truth: Path | None = None) -> Evaluation:
        """Score the view on labels it has not seen, with intervals."""
        from flows.queries.evaluate import evaluate

        return evaluate(self._workspace.paths, self._workspace.params, self.name, truth)

    def export(self, file: Path, *, mapped: bool = False) -> int:
        """Write the view to `file`; return its rows.

        .parquet; .csv without vectors; .npy with ids beside it; a name without an ending is a
        folder with a Hugging Face dataset. mapped: with columns x and y, the places on its map.
        """
        from flows.queries.export import check_target, export, with_map

        workspace = self._workspace
        check_target(workspace.paths, Path(file), mapped=mapped)
        rows = self.frame()
        if mapped:
            rows = with_map(workspace.paths, workspace.params, self.name, rows)
        export(workspace.paths, workspace.params, self.name, rows, Path(file))
        return len(rows)
