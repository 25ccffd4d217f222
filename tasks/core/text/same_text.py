"""Texts that are the same but for what tools do to them on the way.

Blanks and line ends, composed characters, HTML entities, invisible characters, the quote that
spreadsheets put before a formula, and an end that was cut off.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence

import polars as pl

Texts = Callable[[Sequence[str] | None], Iterator[pl.DataFrame]]
"""Given ids, or None for all, yield frames with columns id, text and text_hash."""

TextKeys = Callable[[str, Iterable[str] | None], Iterator[pl.DataFrame]]
"""Given "id" or "text_hash" and values of it, or None for all, yield frames of both columns."""

SEVERAL = "text that several of the corpus could be"
CUT_OFF = ("…", "...")
LONG = 100  # characters from which the beginning of one text only is taken for that text
SHORT = 16  # characters that a text cut off by '…' must have left
WORDS = 0.8  # share of the words of both that two versions of one text have in common
FEW = 4  # words below which that share says nothing
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]{2,31});")
_UNSEEN = dict.fromkeys([*range(0x20), 0x7F, *range(0x80, 0xA0), 0xAD, 0xFFFD])
_UNSEEN |= dict.fromkeys([*range(0x200B, 0x2010), 0x2060, 0xFEFF, *range(0x202A, 0x202F)])


def loosened(text: str) -> str:
    """Return what all versions of a text that tools write have in common."""
    for _ in range(2):  # some escape what was escaped before
        if "&" in text and _ENTITY.search(text):
            text = html.unescape(text)
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    text = " ".join(text.split())
    if not text.isprintable():
        text = text.translate(_UNSEEN)
    if text[:1] == "'" and text[1:2] in ("=", "+", "-", "@"):
        text = text[1:]
    return text


def alike(one: str, other: str) -> bool:
    """Tell whether two texts that stand under one id are versions of one text."""
    a, b = loosened(one), loosened(other)
    if a == b or _begins(a, b) or _begins(b, a):
        return True
    words = [set(re.findall(r"\w+", text.casefold())) for text in (a, b)]
    both, either = words[0] & words[1], words[0] | words[1]
    return len(both) >= FEW and len(both) >= WORDS * len(either)


def _begins(part: str, whole: str) -> bool:
    stem = _stem(part)
    return stem is not None and whole.startswith(stem)


def _stem(text: str) -> str | None:
    """Return the part of a text that is left of one that was cut off, if it may be one."""
    for mark in CUT_OFF:
        if text.endswith(mark):
            stem = text.removesuffix(mark).rstrip()
            return stem if len(stem) >= SHORT else None
    return text if len(text) >= LONG else None


class TextFinder:
    """Find texts of the corpus by versions of them: each by one text only, or by none."""

    def __init__(self, wanted: Iterable[str], corpus: Iterator[pl.DataFrame]) -> None:
        """Read the corpus once; memory is that of the wanted texts."""
        forms = {text: loosened(text) for text in wanted}
        self._forms = forms
        self._whole: dict[str, set[str]] = {form: set() for form in forms.values()}
        self._begun: dict[str, set[str]] = {}
        starts: dict[str, list[str]] = defaultdict(list)
        for form in set(forms.values()):
            stem = _stem(form)
            if stem is not None:
                self._begun[stem] = set()
                starts[stem[:SHORT]].append(stem)
        for frame in corpus:
            for text, text_hash in frame.select("text", "text_hash").iter_rows():
                self._see(loosened(text), text_hash, starts)

    def _see(self, form: str, text_hash: str, starts: dict[str, list[str]]) -> None:
        if form in self._whole:
            self._whole[form].add(text_hash)
        for stem in starts.get(form[:SHORT], ()):
            if form.startswith(stem):
                self._begun[stem].add(text_hash)

    def hashes(self, text: str) -> set[str]:
        """Return the hashes of the texts that `text` may be; one where it is clear."""
        form = self._forms[text]
        whole = self._whole[form]
        return whole or self._begun.get(_stem(form) or "", set())
