"""JSON objects that do not stand one on a line: in one array, or written over several lines."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from tasks.core.readers.records import BLOCK_SIZE, ROW_LIMIT
from tasks.core.workspace.errors import InputError

BETWEEN = re.compile(r"[\s,]*")
SPACE = re.compile(r"\s*")
DECODER = json.JSONDecoder(parse_constant=lambda _: None)


def is_lines(handle: TextIO) -> bool:
    """Say whether `handle` holds JSON Lines, judged by how it begins.

    It does unless its first value is an array that holds an object, or an object that goes on
    beyond the first line.
    """
    text = handle.read(BLOCK_SIZE).lstrip()
    if text.startswith("["):
        return not SPACE.sub("", text[1:2_000], count=1).startswith("{")
    first = text.partition("\n")[0]
    if not text.startswith("{") or _value(first) is not None:
        return True
    while len(text) < ROW_LIMIT and _value(text) is None and (more := handle.read(len(text))):
        text += more
    return _value(text) is None


def _value(text: str, at: int = 0) -> tuple[Any, int] | None:
    """Return the value that begins at `at`, and where it ends; None where none is whole."""
    try:
        return DECODER.raw_decode(text, at)
    except (ValueError, RecursionError):
        return None


def objects(handle: TextIO, path: Path) -> Iterator[tuple[Any, str]]:
    """Yield each value of an array, or of a file of values, with its text.

    Memory is bounded by one value. InputError where the text breaks off or is no JSON: what comes
    behind can not be told from what is missing.
    """
    text, done = handle.read(BLOCK_SIZE).lstrip(), 0
    array = text.startswith("[")
    at = int(array)
    while True:
        at = _behind(text, at)
        if array and text[at : at + 1] == "]":
            if (text[at + 1 :] + handle.read(BLOCK_SIZE)).strip():
                raise _broken(path, done, "text behind the array")
            return
        found = _value(text, at)
        if found is not None:
            yield found[0], text[at : found[1]]
            done, at = done + 1, found[1]
            continue
        more = handle.read(max(BLOCK_SIZE, len(text) - at)) if len(text) - at < ROW_LIMIT else ""
        text, at = text[at:] + more, 0
        if not more:
            break
    if array or text:
        raise _broken(path, done, "no whole value")


def _behind(text: str, at: int) -> int:
    between = BETWEEN.match(text, at)
    return between.end() if between else at


def _broken(path: Path, done: int, found: str) -> InputError:
    return InputError(
        f"{path}: not readable ({found} behind value {done:,}); expected JSON Lines, or an array of"
        " objects; make or copy it again"
    )
