"""Keep DVC from what it cannot read: one pipe or broken link would stop or hang every record."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from tasks.core.workspace.files import write_text

_HEAD = (
    "# Written by Refract, and removed when it is empty: what lies here and cannot be recorded.\n"
)
_PLAIN = re.compile(r"[^\w./-]", re.ASCII)


def is_recordable(path: Path) -> bool:
    """Tell whether git and DVC can take `path`: a readable file with a name in UTF-8."""
    try:
        os.fspath(path).encode()
        return path.is_file() and os.access(path, os.R_OK)
    except (UnicodeEncodeError, PermissionError):
        return False


def keep_out(data: Path, folders: Iterable[Path]) -> list[Path]:
    """Let DVC pass over what cannot be recorded in `folders` below `data`; return what that is."""
    found = sorted(path for folder in folders for path in _unrecordable(folder))
    file = data / ".dvcignore"
    known = file.read_text("utf-8") if file.is_file() else ""
    own, _, _ = known.partition(_HEAD)
    wanted = own + _HEAD + "".join(f"{_pattern(path, data)}\n" for path in found) if found else own
    if wanted and wanted != known:
        write_text(file, wanted)
    elif not wanted:
        file.unlink(missing_ok=True)
    return found


def _unrecordable(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(folder):
        for name in files:
            path = Path(place, name)
            if not is_recordable(path):
                yield path
        for name in folders:
            if not os.access(Path(place, name), os.R_OK | os.X_OK):
                yield Path(place, name)


def _pattern(path: Path, data: Path) -> str:
    """Return the line of a .dvcignore for `path`; `?` stands for any character with a meaning."""
    return "/" + _PLAIN.sub("?", path.relative_to(data).as_posix())
