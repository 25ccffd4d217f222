"""Which characters make up words, in any script: what is left of a text to be compared by these."""

from __future__ import annotations

import re
import unicodedata

_GAP = re.compile(r"[\W_]+")
_LETTER = re.compile(r"[^\W_]")
_BLANK = ord(" ")


def folded(text: str) -> str:
    """Return the words of `text` without case, punctuation and forms of accents, a blank between.

    Compatibility characters are composed (NFKC) and case is folded. Marks are part of a word: vowel
    signs of Thai and of the scripts of India, and accents that no composed letter has.
    """
    if text.isascii():
        return _GAP.sub(" ", text.lower()).strip()
    whole = unicodedata.normalize("NFKC", text).casefold()
    words = whole.translate(_WRITTEN).split()
    return " ".join(word for word in words if _LETTER.search(word))


class _Written(dict[int, int]):
    """Letters, digits and marks as they are, a blank for other characters; kept once looked up."""

    def __missing__(self, code: int) -> int:
        character = chr(code)
        written = character.isalnum() or unicodedata.category(character)[0] == "M"
        return self.setdefault(code, code if written else _BLANK)


_WRITTEN = _Written()
