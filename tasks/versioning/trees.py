"""The files of one version, where DVC's notes are looked for: in git, or in the workspace."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from tasks.core.workspace.paths import Paths
from tasks.versioning.links import links_of_outputs
from tasks.versioning.run_git_and_dvc import RepoLocation, git, git_contents, place_of

_LINKS = ("120000", "160000")  # git's modes of symbolic links and of submodules


def _is_note(path: str) -> bool:
    return path.endswith(".dvc") or path.rpartition("/")[2] in ("dvc.yaml", "dvc.lock")


def _modes(said: str) -> list[tuple[str, str]]:
    """Return mode and path of each file that git lists."""
    parted = (row.split("\t", 1) for row in said.split("\0") if row)
    return [(about.split(" ", 1)[0], path) for about, path in parted]


class Recorded:
    """The workspace as git holds it at a commit."""

    def __init__(self, root: Path, place: RepoLocation, commit: str) -> None:
        self._root, self._place, self._commit = root, place, commit
        self.name = f"{commit[:7]}:"

    @cached_property
    def _rows(self) -> list[tuple[str, str]]:
        return _modes(git(self._root, "ls-tree", "-r", "-z", self._commit))

    def notes(self) -> list[str]:
        """Return the paths of DVC's notes that are files."""
        return [path for mode, path in self._rows if mode not in _LINKS and _is_note(path)]

    def contents(self, paths: Sequence[str]) -> list[bytes | None]:
        """Return what git holds of each path; None where there is no such file."""
        asked = [f"{self._commit}:{self._place.name(path)}" for path in paths]
        return git_contents(self._root, asked)

    def links(self) -> set[str]:
        """Return the paths of links and submodules."""
        return {path for mode, path in self._rows if mode in _LINKS}


class Present:
    """The files of a workspace as they lie on disk now, rather than in git."""

    name = ""

    def __init__(self, root: Path) -> None:
        self._root = root
        # Documents and labels may lie elsewhere: DVC is not given what is behind a link.
        inside = Paths(Path())
        self._allowed = {path.as_posix() for path in (inside.raw, inside.labels)}

    @cached_property
    def _tracked(self) -> list[tuple[str, str]]:
        if place_of(self._root) is None:
            return []
        return _modes(git(self._root, "ls-files", "--stage", "-z"))

    def notes(self) -> list[str]:
        """Return the paths of the notes of Refract's stages, and of others that git tracks."""
        paths = Paths(Path())
        own = [path.as_posix() for path in (paths.pipeline, paths.lock, paths.raw_note)]
        tracked = [path for _, path in self._tracked if _is_note(path)]
        return list(dict.fromkeys([*own, *tracked]))

    def contents(self, paths: Sequence[str]) -> list[bytes | None]:
        """Return what the files at `paths` hold; None where there is none."""
        files = [self._root / path for path in paths]
        return [file.read_bytes() if file.is_file() else None for file in files]

    def links(self) -> set[str]:
        """Return the links where Refract writes, those that git tracks, and those at the top."""
        paths = Paths(self._root)
        apart = (paths.state, paths.dvc)  # on another disk, if their owner likes
        linked = [*links_of_outputs(paths), *filter(Path.is_symlink, self._root.iterdir())]
        found = {
            path.relative_to(self._root).as_posix()
            for path in linked
            if path not in apart and not any(folder in path.parents for folder in apart)
        }
        found |= {path for mode, path in self._tracked if mode in _LINKS}
        return found - self._allowed
