"""Windows of a text: parts of it that overlap, of so many word pieces each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from tasks.core.workspace.errors import InputError

MOST = 32  # windows of a text that is stored, some 7,000 pieces by 256; the rest is left out
OVERLAP = 8  # one piece in so many of a window is in the next one, too
WHOLE = 1 << 30  # pieces, of an encoder that reads texts of any length: then all is one window
_CHARACTERS = 16  # of a piece, far above the 4 to 6 of prose: so much of a huge text is looked at


class Window(NamedTuple):
    """Characters `start` to `stop` of a text, and how many word pieces they are."""

    start: int
    stop: int
    pieces: int


class Cutter:
    """Cuts texts into windows at the words that a tokenizer sees.

    What a text takes is bounded, however long it is: no more of it is looked at than `most`
    windows may hold.
    """

    def __init__(self, tokenizer: Any, pieces: int, most: int) -> None:
        """Take a `tokenizers.Tokenizer`, which stays as it is.

        pieces: of a window, at most; most: windows of a text. InputError where there is no room.
        """
        from tokenizers import Tokenizer

        if pieces < 1:
            raise InputError(
                "embed.prompt: it takes all the word pieces that the encoder reads; expected room"
                " for those of a text; shorten it, or raise embed.max_length"
            )
        self._tokenizer: Any = Tokenizer.from_str(tokenizer.to_str())
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._pieces, self._most = pieces, most

    def cut(self, text: str) -> tuple[list[Window], bool]:
        """Return the windows of `text`, and whether it goes on behind the last of them.

        A text that fits into one is one window, from its first to its last character.
        """
        head = text[: self._most * self._pieces * _CHARACTERS]
        found = self._tokenizer.encode(head, add_special_tokens=False)
        offsets, count = found.offsets, len(found.ids)
        if count <= self._pieces:
            return [Window(0, len(head), count)], len(head) < len(text)
        spans = list(_spans(found.word_ids, self._pieces))
        windows = [
            Window(offsets[first][0], offsets[last - 1][1], last - first)
            for first, last in spans[: self._most]
        ]
        return windows, len(spans) > self._most or len(head) < len(text)


def limit_pieces(model: Any, name: str, most: int) -> None:
    """Have a sentence encoder read at most so many word pieces; InputError for a static one."""
    try:
        model.max_seq_length = most
    except AttributeError:
        raise InputError(
            f"embed.max_length: found {most:,}, and {name!r} is a static encoder, which reads whole"
            " texts; expected none; set it to null"
        ) from None


def _spans(words: Sequence[int | None], pieces: int) -> Iterator[tuple[int, int]]:
    """Yield where windows of at most `pieces` pieces begin and end, at borders of words.

    words: (n,) to which word each piece belongs. One longer than half a window is cut.
    """
    first, n = 0, len(words)
    while n - first > pieces:
        last = _border(words, first + pieces, first + pieces // 2)
        yield first, last
        first = _border(words, last - pieces // OVERLAP, last - pieces // 4)
    yield first, n


def _border(words: Sequence[int | None], at: int, least: int) -> int:
    """Return the last place up to `at`, but above `least`, where a word begins; else `at`."""
    return next((i for i in range(at, least, -1) if words[i] != words[i - 1]), at)
