"""The words of a condition: names, texts, numbers and signs."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tasks.core.workspace.errors import InputError

LENGTH = 1_000_000  # characters: 10,000 ids of 36 take half of it
SHOWN = 80  # characters of a condition that a message repeats
EXAMPLE = "\"channel = 'email' AND confidence > 0.8\""

_WORD = re.compile(
    r"""\s*(?:
    (?P<comment>--|/\*|\#)
  | (?P<prefixed>(?:[BbEeNnXx]|[Uu]&)'|\$)
  | (?P<text>'(?:[^']|'')*')
  | (?P<quoted>"(?:[^"]|"")*"|`(?:[^`]|``)*`)
  | (?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?(?![\w.]))
  | (?P<name>[^\W\d]\w*)
  | (?P<sign><>|!=|==|<=|>=|\|\||::|[-+*/%=<>(),])
  )""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Word:
    """One word: `kind` is text, quoted, number, name, sign or end; `text` without its quotes."""

    kind: str
    text: str
    at: int


def refusal(where: str, found: str) -> InputError:
    """Return the one line that refuses a condition, which is repeated as far as it is short."""
    begin = where if len(where) <= SHOWN else where[: SHOWN - 1] + "…"
    return InputError(f"--where {begin!r}: {found}")


def words(where: str) -> list[Word]:
    """Return the words of a condition, with an `end` behind them; InputError for anything else."""
    if len(where) > LENGTH:
        raise refusal(where, f"found {len(where):,} characters, expected at most {LENGTH:,}")
    found, at = [], 0
    end = len(where.rstrip())
    while at < end:
        match = _WORD.match(where, at)
        kind = match.lastgroup if match else None
        if match is None or kind is None or kind in ("comment", "prefixed"):
            raise refusal(where, _unknown(where, at))
        found.append(Word(kind, _plain(kind, match[kind]), match.start(kind)))
        at = match.end()
    return [*found, Word("end", "", end)]


def _unknown(where: str, at: int) -> str:
    rest = where[at:].lstrip()
    one = f"expected one SQL condition such as {EXAMPLE}"
    if rest.startswith((";", "--", "/*", "#")):
        return f"{one}, found a second statement or a comment; remove it"
    if rest[0] in "'\"`":
        return f"found {rest[:20]!r} without its closing {rest[0]}; add it"
    return f"{one}, found {rest[:20]!r} at character {at + 1}; remove it"


def _plain(kind: str, text: str) -> str:
    if kind in ("text", "quoted"):
        return text[1:-1].replace(text[0] * 2, text[0])
    return text
