"""What an endpoint says when it refuses: the words of any body, without the key."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

LOOKED_AT = 4_000  # characters of a refusal in which its cause is looked for
EXCERPT = 200  # characters of it that are repeated
PART = 8  # characters of a key that give it away
_FIRST = ("error", "message", "msg", "detail", "errors", "error_msg", "status_msg", "title")
_HIDDEN = re.compile(r"<(script|style)\b.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"<[^<>]{0,500}>")


def words_of(body: bytes | str | Any, key: str = "") -> str:
    """Return in one line what an error says: a string, an object, a list, a page or plain text."""
    if isinstance(body, bytes):
        body = body[: 1 << 20].decode("utf-8-sig", "replace")
    if isinstance(body, str):
        try:
            body = json.loads(body)
        except (ValueError, RecursionError):
            body = _page(body[: 16 * LOOKED_AT])
    words = "; ".join(dict.fromkeys(_strings(body)))[: 2 * LOOKED_AT]
    flat = "".join(each if each.isprintable() else " " for each in words)
    return " ".join(hide(flat, key).split())[:LOOKED_AT]


def excerpt(words: str) -> str:
    """Return as much of an endpoint's words as a message of ours may repeat."""
    return words if len(words) <= EXCERPT else words[: EXCERPT - 1] + "…"


def _page(text: str) -> str:
    if "<" not in text or not re.search(r"<(!doctype|html|head|body|title|h1|p)\b", text, re.I):
        return text
    return "an HTML page: " + " ".join(_TAG.sub(" ", _HIDDEN.sub(" ", text)).split())


def _strings(value: Any, depth: int = 0) -> Iterator[str]:
    """Yield the strings of a JSON value, those first that say what went wrong."""
    if isinstance(value, str) and value.strip():
        yield value.strip()[:LOOKED_AT]
    elif depth < 6 and isinstance(value, list):
        for each in value[:20]:
            yield from _strings(each, depth + 1)
    elif depth < 6 and isinstance(value, dict):
        for name in sorted(value, key=lambda name: name not in _FIRST)[:20]:
            yield from _strings(value[name], depth + 1)


def hide_whole(text: str, key: str) -> str:
    """Return a text without the key; one as short as 'none' is no secret."""
    return text.replace(key, "…") if len(key) >= PART else text


def hide(text: str, key: str) -> str:
    """Return a text without the key, nor any part of it that gives it away."""
    if len(key) < PART:
        return text
    text = re.sub(re.escape(key), "…", text, flags=re.IGNORECASE)
    kept, at = [], 0
    while at < len(text):
        length = PART if text[at : at + PART] in key and at + PART <= len(text) else 0
        while length and at + length < len(text) and text[at : at + length + 1] in key:
            length += 1
        kept.append("…" if length else text[at])
        at += length or 1
    return "".join(kept)
