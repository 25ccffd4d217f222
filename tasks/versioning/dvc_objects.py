"""What DVC's cache says a folder consists of: looked at before DVC lays it out.

DVC joins the names in such a list to the folder as they are, so that `../../.bashrc` leaves it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

from tasks.core.text.discretion import cut
from tasks.core.workspace.errors import InputError

_DIGEST = re.compile(r"[0-9a-f]{32}")
_FOLDER = ".dir"


def lists_are_there(cache: Path, digests: Sequence[str]) -> bool:
    """Tell whether the cache has the list of each folder; InputError for one that leads out."""
    found = [_check(cache, digest) for digest in digests if digest.endswith(_FOLDER)]
    return all(found)


def _check(cache: Path, digest: str) -> bool:
    name = Path(digest[:2]) / digest[2:]
    files = [place for place in (cache / "files" / "md5" / name, cache / name) if place.is_file()]
    for file in files:
        _check_list(digest, file.read_bytes())
    return bool(files)


def _check_list(digest: str, content: bytes) -> None:
    try:
        entries = json.loads(content)
        pairs = [(entry["relpath"], entry["md5"]) for entry in entries]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise InputError(
            f"DVC's cache: {digest} is no list of files; expected one; remove it there and fetch"
            " it again ('dvc fetch')"
        ) from error
    for path, content_digest in pairs:
        if not (_is_below(path) and _is_digest(content_digest)):
            raise InputError(
                f"DVC's cache: {digest} lists {cut(str(path))!r}, which would be written outside"
                " of its folder; expected names below it; nothing was written; do not use this"
                " version"
            )


def _is_below(path: object) -> bool:
    if not isinstance(path, str) or "\\" in path or "\0" in path:
        return False
    return not {"", ".", ".."} & set(path.split("/")) and not re.match(r"[A-Za-z]:", path)


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None
