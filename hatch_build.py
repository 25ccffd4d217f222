"""Lay `flows` and `tasks` below `refract` in a wheel, so that it takes one import name.

In the repository they are top-level folders. Many people have folders of these names, and Python
would find theirs first; so each import of ours is written anew where it stands.
"""

from __future__ import annotations

import ast
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

HOME = "refract"
MOVED = ("flows", "tasks")


class OneName(BuildHookInterface[Any]):
    """Hatch's hook: gathers what a wheel holds; an editable install stays as the repository is."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the package anew in a folder of its own, and have it included."""
        if version == "editable":
            return
        self._gathered = Path(tempfile.mkdtemp(prefix="refract-wheel-"))
        gather(Path(self.root), self._gathered)
        build_data["force_include"][str(self._gathered)] = HOME

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what was gathered."""
        if version != "editable":
            shutil.rmtree(self._gathered)


def gather(root: Path, into: Path) -> None:
    """Copy `refract`, `flows` and `tasks` from the repository, as one package named `refract`."""
    compiled = shutil.ignore_patterns("__pycache__", "*.pyc")
    for name, place in [(HOME, into), *((name, into / name) for name in MOVED)]:
        shutil.copytree(root / name, place, ignore=compiled, dirs_exist_ok=True)
    for file in into.rglob("*.py"):
        content = file.read_bytes()
        changed = moved(content, str(file.relative_to(into)))
        if changed != content:
            file.write_bytes(changed)


def moved(source: bytes, file: str) -> bytes:
    """Return `source` with every import of a moved package below `refract`; lines stay as many.

    ValueError for `import flows.embed` without `as`: it binds a name that would be another.
    """
    lines = source.splitlines(keepends=True)
    edits: list[tuple[int, int, bytes, bytes]] = []
    for node in ast.walk(ast.parse(source, file)):
        if isinstance(node, ast.ImportFrom) and not node.level and _is_moved(node.module):
            after = node.col_offset + len("from")
            at = lines[node.lineno - 1].index(str(node.module).encode(), after)
            edits.append((node.lineno - 1, at, b"", f"{HOME}.".encode()))
        elif isinstance(node, ast.Import):
            edits += [_import(name, file) for name in node.names if _is_moved(name.name)]
    for line, at, old, new in sorted(edits, reverse=True):
        text = lines[line]
        lines[line] = text[:at] + new + text[at + len(old) :]
    return b"".join(lines)


def _import(name: ast.alias, file: str) -> tuple[int, int, bytes, bytes]:
    """Return the edit of one name in an `import` statement, so that it binds the same."""
    if name.asname is None and "." in name.name:
        raise ValueError(
            f"{file}:{name.lineno}: found 'import {name.name}'; expected 'from … import …' or"
            f" '… as …', since {name.name.partition('.')[0]!r} lies below {HOME!r} in a wheel"
        )
    bound = f" as {name.name}" if name.asname is None else ""
    old = name.name.encode()
    return name.lineno - 1, name.col_offset, old, f"{HOME}.{name.name}{bound}".encode()


def _is_moved(module: str | None) -> bool:
    return module is not None and module.partition(".")[0] in MOVED
