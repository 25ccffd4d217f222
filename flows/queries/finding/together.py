"""Several views as one, from Python and for the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from flows.queries.finding.finder import Finder
from tasks.core.workspace.errors import InputError

if TYPE_CHECKING:
    from flows.explore.client import Client
    from flows.queries.workspace import View, Workspace
    from tasks.core.views.search import Space
    from tasks.core.views.snapshot import Hit


class Together(Finder):
    """Several views as one: what it finds is closest by all of them at once.

    What a found text says of itself, and what `where` reads, is what the first view has.
    """

    def __init__(
        self,
        workspace: Workspace,
        weights: Mapping[str, float | str],
        towards: Mapping[str, str],
    ) -> None:
        """Open the views; InputError where one is not there, or its weight is none.

        weights: of each view, above 0. towards: of further views, the label to be had there.
        """
        from tasks.core.views.together import check_weights

        self.weights, self.towards = check_weights(weights), dict(towards)
        if twice := [name for name in towards if name in weights]:
            raise InputError(
                f"view {twice[0]!r}: found it as one to be like, and as one to go towards a label;"
                " expected each view once"
            )
        self._workspace = workspace
        self._views = {name: workspace.view(name) for name in (*weights, *towards)}

    def __repr__(self) -> str:
        return f"Together({self.name!r}, of {str(self._workspace.paths.root)!r})"

    @property
    def name(self) -> str:
        """The views with their weights and labels, in words."""
        pairs = [(name, f"{weight:g}") for name, weight in self.weights.items()]
        kept = [name if self.towards else f"{name}={weight}" for name, weight in pairs]
        return ", ".join([*kept, *(f"{name}={label}" for name, label in self.towards.items())])

    def closest(
        self,
        text: str,
        k: int = 10,
        where: str | None = None,
        *,
        distinct: bool = False,
        passages: bool = False,
    ) -> list[Hit]:
        """Return the `k` texts with the greatest mean of cosines by the views' weights.

        InputError where there is a label to go towards: only a stored text is like others.
        """
        from tasks.core.views.together import closest_by_all

        if self.towards:
            raise InputError(
                "search: found a label to go towards; expected none; it is for neighbours of a"
                " stored text"
            )
        first, *_ = self.weights
        service, found = self._service(), None
        if service is not None:
            asked = (first, text, k, where, self.weights)
            found = service.search(*asked, distinct=distinct, passages=passages)
        if found is not None:
            return found
        spaces = self._spaces
        return closest_by_all(spaces, text, k, where, distinct=distinct, passages=passages).hits

    def nearest(
        self,
        key: str,
        k: int = 10,
        where: str | None = None,
        *,
        distinct: bool = False,
        passages: bool = False,
    ) -> list[Hit]:
        """Return the `k` texts closest to the stored text `key` by all views.

        Where there are labels to go towards, those that are like it in the other views and have
        these labels: see `tasks.core.views.together.similar_by_all`.
        """
        from tasks.core.views.together import similar_by_all

        asked = (key, k, where)
        first, *_ = self.weights
        service, found = self._service(), None
        if service is not None:
            more = (self.weights, self.towards)
            found = service.similar(first, *asked, *more, distinct=distinct, passages=passages)
        if found is not None:
            return found
        towards = [(self._views[name].space, label) for name, label in self.towards.items()]
        return similar_by_all(
            self._spaces, *asked, towards=towards, distinct=distinct, passages=passages
        ).hits

    def remark(self, where: str | None) -> str:
        """Return what the first view says of the labels in `where`."""
        return self._views[next(iter(self.weights))].remark(where)

    @property
    def _spaces(self) -> Sequence[tuple[Space, float]]:
        return [(self._views[name].space, weight) for name, weight in self.weights.items()]

    def _service(self) -> Client | None:
        views: Sequence[View] = list(self._views.values())
        return None if any(view.opened for view in views) else self._workspace.service()
