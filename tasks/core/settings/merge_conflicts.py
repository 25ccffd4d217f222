"""Files that git has left half merged: told at once, before a parser stumbles over the marks."""

from __future__ import annotations

import re

from tasks.core.workspace.errors import InputError

# At the start of a line neither YAML nor DVC's own notes can hold one of these.
_MARKS = re.compile(rb"^(<{7}|>{7}|\|{7})( |\r?$)", re.MULTILINE)


def refuse_conflict(name: str, content: bytes) -> None:
    """Raise InputError where `content` holds the marks of a merge that was not finished."""
    mark = _MARKS.search(content)
    if mark is None:
        return
    line = content.count(b"\n", 0, mark.start()) + 1
    raise InputError(
        f"{name}: line {line} holds a mark of a merge ({mark[1].decode()}); expected one version of"
        f" it; finish the merge ('git checkout --ours {name}' keeps yours, '--theirs' the other),"
        " then repeat"
    )
