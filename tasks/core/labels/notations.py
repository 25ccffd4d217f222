"""Values as JSON, Python, numpy, pandas and PostgreSQL write them into one cell."""

from __future__ import annotations

import ast
import json
import re
import warnings
from typing import Any

NOTHING: Any = object()  # no value: the cell is a word
LITERAL = 20_000  # characters of a cell that Python's own notation is tried on
_CALLS = "array|tensor|set|frozenset|list|tuple|dict|OrderedDict|dict_keys|dict_values"
_CALL = re.compile(
    rf"(?:np\.|numpy\.|torch\.)?(?:{_CALLS})\((.*?)(?:,\s*(?:dtype|device)=[^)]*)?\)", re.DOTALL
)
_SCALAR = re.compile(r"(?:np|numpy)\.(?:str_|bool_?|u?int\d*|float\d+)\(([^()]*)\)")
_BEGINS = re.compile(rf"[\[{{(\"']|(?:np|numpy|torch)\.\w+\(|(?:{_CALLS})\(")
_APART = re.compile(r"""(['"])\s+(['"])""")
_BITS = re.compile(r"[01](?:[ ,;|]\s*[01]){2,}")


def is_notation(text: str) -> bool:
    """Tell by its beginning whether a cell may hold a list or an object, and not just a word."""
    return bool(_BEGINS.match(text) or _BITS.fullmatch(text))


def parsed(text: str) -> Any:
    """Return the list or object that a cell holds, in whichever notation, or NOTHING."""
    if _BITS.fullmatch(text):
        return [bit == "1" for bit in re.findall(r"[01]", text)]
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    if len(text) > LITERAL:
        return NOTHING
    text = _SCALAR.sub(r"\1", text)
    inside = _CALL.fullmatch(text)
    if inside is not None:
        text = inside[1].strip() or "[]"
    if re.fullmatch(r"\{[^{}:'\[\]]+\}", text):
        return [one.strip().strip('"') for one in text[1:-1].split(",")]
    return _apart(text) if _APART.search(text) or _is_row(text) else _literal(text)


def looks_closed(text: str) -> bool:
    """Tell a container that cannot be read, or was cut off, from a name such as [urgent]."""
    if text[:2] in ('["', "['", "[[", "[{", '{"', "{'") or text.startswith(("np.", "numpy.")):
        return True
    pair = text[0] + text[-1]
    return pair == "{}" or (pair == "[]" and any(mark in text[1:-1] for mark in ",[{\"'"))


def _is_row(text: str) -> bool:
    """Tell a row of numbers or truths that numpy prints, such as [0. 1. 0.]."""
    return bool(re.fullmatch(r"\[\s*(?:(?:[-+.\deE]+|True|False|nan)\s*)+\]", text))


def _apart(text: str) -> Any:
    """Return the members of ['a' 'b'], which Python would read as one word, or of [0. 1.]."""
    if _is_row(text):
        return [_literal(one.rstrip(".") or "0") for one in text[1:-1].split()]
    if not re.fullmatch(r"""\[(?:\s*(?:'[^']*'|"[^"]*"))+\s*\]""", text):
        return NOTHING
    return [one[1:-1] for one in re.findall(r"'[^']*'|\"[^\"]*\"", text)]


def _literal(text: str) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes that Python does not know
            return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return NOTHING
