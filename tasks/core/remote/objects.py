"""Small files in a store, each put whole: what readers elsewhere need beside the tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tasks.core.remote.manifests import StoreOptions
from tasks.core.remote.pointers import Location, answering, storage_options

VERSIONS = "_versions"  # Lance's folder of a table that has one at least


class Objects:
    """The files below one URL of a store; InputError where it does not answer."""

    def __init__(self, url: str, options: StoreOptions) -> None:
        from lance.file import LanceFileSession

        self._where = where = Location(url, storage_options(options))
        with answering(where):
            self._session: Any = LanceFileSession(url, storage_options=where.options)

    def has(self, name: str) -> bool:
        """Tell whether there is a file of this name."""
        with answering(self._where):
            return bool(self._session.contains(name))

    def put(self, name: str, file: Path) -> None:
        """Replace a file by the content of one here; readers see the old or the new."""
        with answering(self._where):
            self._session.upload_file(str(file), name)

    def get(self, name: str, file: Path) -> None:
        """Write a file of the store to one here."""
        with answering(self._where):
            self._session.download_file(name, str(file))

    def folders(self, name: str) -> list[str]:
        """Return the names of the folders in one folder, sorted."""
        with answering(self._where):
            found = self._session.list_with_delimiter(name).common_prefixes
        return sorted(path.rstrip("/").rpartition("/")[2] for path in found)

    def tables(self, name: str) -> list[str]:
        """Return the names of the tables in one folder: what a kill left before a version is none.

        Sorted.
        """
        return [each for each in self.folders(name) if VERSIONS in self.folders(f"{name}/{each}")]

    def files(self, name: str) -> list[str]:
        """Return the names of all files below a folder, as `get` takes them, sorted."""
        with answering(self._where):
            return sorted(self._session.list(name))

    def remove(self, name: str) -> None:
        """Remove a file."""
        with answering(self._where):
            self._session.delete_file(name)
