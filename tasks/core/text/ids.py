"""Ids that several tools write differently: 1, 1.0 and 001 may be one number, or three names."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

_NUMBER = re.compile(r"([+-]?)0*([0-9]+?)(?:\.0*)?", re.ASCII)
_GUARDED = re.compile(r"'(?=[=+\-@])")  # what a spreadsheet export puts before a formula


def plain(key: str) -> str:
    """Return an id without surrounding blanks, as documents and labels compare it."""
    return key.strip()


def number(key: str) -> str | None:
    """Return the whole number that an id spells ("1" of 1, 1.0, 001, +1), or None for a name.

    Only to be asked where no id of a file is found as it is written: "007" and "7" may be two.
    """
    found = _NUMBER.fullmatch(plain(key))
    if found is None:
        return None
    sign, digits = found.groups()
    return ("-" if sign == "-" and digits != "0" else "") + digits


def loose(key: str) -> str:
    """Return what several spellings of one id have in common."""
    bare = _GUARDED.sub("", plain(key), count=1)
    return number(bare) or bare


def respelled(wanted: Iterable[str], known: Iterable[str]) -> Mapping[str, str]:
    """Return, by id of `wanted`, the id of `known` that spells it otherwise, where it is but one.

    Empty as soon as one of `wanted` is known as it is written: then the file means what it says.
    """
    asked = dict.fromkeys(wanted)
    forms: dict[str, set[str]] = defaultdict(set)
    sought = {loose(key) for key in asked}
    for key in known:
        if key in asked:
            return {}
        if (form := loose(key)) in sought:
            forms[form].add(key)
    return {key: next(iter(forms[f])) for key in asked if len(forms[f := loose(key)]) == 1}


_DIGEST = re.compile("[0-9a-f]{16,}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
SHORT = 8  # characters; one of a million digests shares them with another by a chance of 1 in 4,300


def short_id(key: str) -> str:
    """Return the beginning of a digest or UUID, which `similar` takes as well; other ids whole."""
    return key[:SHORT] if _DIGEST.fullmatch(key) else key
