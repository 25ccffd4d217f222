"""Characters that do harm: which ones a label may hold, and how others are shown to a person."""

from __future__ import annotations

import re

# Unicode's noncharacters (23.7) and halves of surrogate pairs: no text that is interchanged.
_NONE = "\ud800-\udfff\ufdd0-\ufdef" + "".join(
    f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 0x10000)
)
_CONTROLS = "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f"  # C0 and C1 but for those that mean a blank
_BLANKS = re.compile("[\x0b\x0c\x85]+")
_NOT_IN_A_LABEL = re.compile(f"[{_CONTROLS}\ufeff{_NONE}]")

_MARKS = re.compile("[\u200e\u200f\u061c]")  # say which way a neighbour reads, and nothing else
_HARMFUL = re.compile(
    f"[{_CONTROLS}\t\n\x0b\x0c\r\x85\u2028\u2029\u202a-\u202e\u2066-\u206f\ufeff\ufff9-\ufffb{_NONE}]"
)


def for_label(text: str) -> str:
    """Return `text` without what no label may hold: control characters and noncharacters.

    They come with padding (`fee\\0`), broken exports and terminals' colours, never from a person,
    and some of them end the renderer of pictures. A vertical tab or form feed is a blank.
    """
    return _NOT_IN_A_LABEL.sub("", _BLANKS.sub(" ", text))


def visible(text: str) -> str:
    """Return `text` as it may go to a terminal: nothing moves the cursor or turns the line round.

    What would is written as Python writes it (`\\x1b`, `\\u202e`); line ends, too.
    """
    return _HARMFUL.sub(lambda found: ascii(found[0])[1:-1], _MARKS.sub("", text))
