"""Label files that arrive while a corpus is embedded: their views need not wait for its end."""

from __future__ import annotations

import sys
from contextlib import suppress

from flows.fit import fit
from flows.materialise import materialise
from flows.state.label_changes import labels_fingerprint
from flows.state.label_sources import label_sources
from flows.state.staleness import fitted
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.paths import Paths


class Arrivals:
    """The label files of a workspace, and which of them have changed since one last looked."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._known = self._fingerprints()

    def take_in(self) -> None:
        """Make the views of label files that are new or changed, of the rows there are by now.

        What fails is told and left to the verbs that follow: the embedding goes on.
        """
        try:
            now = self._fingerprints()
            names = [name for name, found in now.items() if self._known.get(name) != found]
            self._known = now
            if names:
                fit(self._paths.root, names)
                materialise(self._paths.root, [n for n in names if n in fitted(self._paths)])
        except InputError as error:
            print(f"labels that arrived meanwhile: {error}", file=sys.stderr)

    def _fingerprints(self) -> dict[str, str]:
        found = {}
        for name, file in label_sources(self._paths).items():
            with suppress(InputError):  # of a file that cannot be read: the verb `fit` says so
                found[name] = labels_fingerprint(self._paths, file)
        return found
