"""What may name an instruction, and who labels: files and folders are called so."""

from __future__ import annotations

import re
import unicodedata

from tasks.core.text.discretion import may_be_secret, shown
from tasks.core.workspace.errors import InputError

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
ANNOTATOR = re.compile(r"[A-Za-z0-9_-]{1,40}")
BASE = "base"  # the generic space; no instruction may take its name


def check_name(name: str) -> str:
    """Return `name` if it may name an instruction, so that no path ever leaves the root."""
    if not NAME.fullmatch(name):
        raise InputError(
            f"instruction {shown(name)}: expected 1 to 63 of a-z, 0-9, '_' and '-', starting with a"
            f" letter or digit{_suggested(name)}; rename it"
        )
    if name == BASE:
        raise InputError(
            f"instruction {name!r}: this name is kept for the untransformed vectors; rename it"
        )
    return name


def check_annotator(name: str) -> str:
    """Return `name` if one who labels may be called so; InputError otherwise."""
    if not ANNOTATOR.fullmatch(name):
        raise InputError(
            f"annotator {shown(name)}: expected 1 to 40 of A-Z, a-z, 0-9, '_' and '-'; rename it"
        )
    return name


def _suggested(name: str) -> str:
    """Return the nearest name that may be used, if there is one: `Été 2` could be `ete_2`."""
    bare = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    near = re.sub(r"[^a-z0-9-]+", "_", bare).strip("_-")[:63]
    fits = sum(map(str.isalnum, near)) * 2 > len(name) and NAME.fullmatch(near) and near != BASE
    return f", such as {near!r}" if fits and not may_be_secret(name) else ""
