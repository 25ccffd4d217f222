"""Where a workspace keeps what the next encoder makes of it, until it turns over to that."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tasks.core.workspace.paths import Paths


@dataclass(frozen=True)
class NextPaths(Paths):
    """The paths of the same workspace as the next encoder sees it.

    Settings, documents and labels are those of the workspace. The corpus is a copy by hard links,
    which stays as it is while the workspace goes on; all that is made of it is apart, locks and
    checkpoints as well.
    """

    @cached_property
    def data(self) -> Path:
        """Everything that is made for the next encoder."""
        return self.next / "data"

    @property
    def raw(self) -> Path:
        """The documents: those of the workspace."""
        return Paths(self.root).raw

    @cached_property
    def labels(self) -> Path:
        """The label files: those of the workspace."""
        return Paths(self.root).labels

    @property
    def all_shards(self) -> Path:
        """The checkpoints of the verbs at work for the next encoder."""
        return self.next / "shards"

    def under_way(self, verb: str) -> Path:
        """Which instructions a verb makes anew for the next encoder."""
        return self.next / "under_way" / f"{verb}.json"

    @property
    def writer_lock(self) -> Path:
        """The lock of whoever writes for the next encoder; the workspace has its own."""
        return self.next / "writer.lock"

    @property
    def exchange(self) -> Path:
        """There while files that belong together are exchanged for the next encoder."""
        return self.next / "exchange.json"

    @property
    def bringing(self) -> Path:
        """Never there: documents are brought into the workspace alone."""
        return self.next / "bringing.json"

    @property
    def turning(self) -> Path:
        """Never there: the workspace turns over, not what the next encoder has made of it."""
        return self.next / "turning.json"

    @property
    def former(self) -> Path:
        """Never there, for the same reason."""
        return self.next / "removed"
