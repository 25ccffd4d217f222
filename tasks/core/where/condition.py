"""The grammar of a condition: read by recursive descent, written anew for Lance as it is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from tasks.core.where import values
from tasks.core.where.names import listed
from tasks.core.where.terms import Terms
from tasks.core.where.values import BOOLEAN, TEXT, Value
from tasks.core.where.words import refusal, words
from tasks.core.workspace.errors import InputError

LISTED = 10_000  # values of IN lists, all together: 0.03 s
DEPTH = 20  # levels that are written: from 25 on Lance's own parser falters

_COMPARED = {
    "=": "=",
    "==": "=",
    "<>": "<>",
    "!=": "<>",
    "<": "<",
    "<=": "<=",
    ">": ">",
    ">=": ">=",
}


def condition(where: str, columns: Mapping[str, str]) -> str:
    """Return `where` as a filter for Lance; InputError for what is no condition on `columns`.

    columns: name → Arrow type. Names stand as they are or in double quotes (or backticks), texts
    in single quotes. Integers divide as integers, and by zero to null; products are taken in
    double precision. `\\` escapes in a LIKE pattern.
    """
    return _read(where, columns)[0].sql


def sought(where: str, columns: Mapping[str, str], column: str) -> list[str]:
    """Return the texts that a condition compares `column` with by =, <> or IN, each once."""
    compared = _read(where, columns)[1].compared
    return list(dict.fromkeys(text for name, text in compared if name == f"`{column}`"))


def _read(where: str, columns: Mapping[str, str]) -> tuple[Value, _Reader]:
    reader = _Reader(where, columns)
    try:
        return reader.whole(), reader
    except InputError:
        raise
    except ValueError as error:
        raise refusal(where, f"{error}; columns are: {listed(list(columns))}") from error


class _Reader(Terms):
    """Reads a condition; compared: which column, as SQL has it, is to be which text, or not."""

    def __init__(self, where: str, columns: Mapping[str, str]) -> None:
        super().__init__(words(where), columns)
        self._listed = 0
        self.compared: list[tuple[str, str]] = []

    def _note(self, left: Value, *right: Value) -> None:
        texts = [each.plain for each in right if each.kind == TEXT and each.plain is not None]
        self.compared += [(left.sql, text) for text in texts]

    def whole(self) -> Value:
        """Return the condition that the words are, all of them; ValueError where one is left."""
        made = self._any()
        if self._word.kind != "end":
            raise ValueError(self._unexpected("AND, OR or the end"))
        if made.kind != BOOLEAN:
            raise ValueError(
                f"{values.shown(made)} is {values.a(made.kind)}, expected something true or false"
            )
        if made.depth > DEPTH:
            raise ValueError(f"nested {made.depth} deep, expected at most {DEPTH}; simplify it")
        return made

    def _any(self) -> Value:
        return self._chain("or", lambda: self._chain("and", self._negated))

    def _chain(self, word: str, one: Callable[[], Value]) -> Value:
        parts = [one()]
        while self._take(word):
            parts.append(one())
        if len(parts) > 1:
            for part in parts:
                self._true_or_false(part, word.upper())
        return _balanced(parts, word.upper())

    def _true_or_false(self, part: Value, word: str) -> None:
        if part.kind != BOOLEAN:
            raise ValueError(
                f"{values.shown(part)} beside {word} is {values.a(part.kind)}, expected something"
                " true or false"
            )

    def _negated(self) -> Value:
        turns = 0
        while self._take("not"):
            turns += 1
        made = self._predicate()
        if turns:
            self._true_or_false(made, "NOT")
        return _turned(made) if turns % 2 else made

    def _predicate(self) -> Value:
        self._count()
        left = self._sum()
        if sign := self._take(*_COMPARED):
            return self._compared(left, _COMPARED[sign], self._sum())
        if self._take("is"):
            return self._is(left)
        turned = "NOT " if self._take("not") else ""
        for word, read in (("in", self._in), ("between", self._between)):
            if self._take(word):
                return read(left, turned)
        if word := self._take("like", "ilike"):
            return self._like(left, turned + word.upper())
        if turned:
            raise ValueError(self._unexpected("IN, BETWEEN, LIKE or ILIKE"))
        return left

    def _compared(self, left: Value, sign: str, right: Value) -> Value:
        if sign not in ("<", "<=", ">", ">="):
            self._note(left, right)
            self._note(right, left)
        one, other = values.alike([left, right])
        return _boolean(f"({one.sql} {sign} {other.sql})", one, other)

    def _is(self, left: Value) -> Value:
        turned = "NOT " if self._take("not") else ""
        if word := self._take("null", "true", "false"):
            if word != "null":
                self._true_or_false(left, "IS")
            return _boolean(f"({left.sql} IS {turned}{word.upper()})", left)
        if self._take("distinct"):
            self._need("from")
            return self._compared(left, f"IS {turned}DISTINCT FROM", self._sum())
        raise ValueError(self._unexpected("NULL, TRUE, FALSE or DISTINCT FROM"))

    def _in(self, left: Value, turned: str) -> Value:
        self._need("(")
        parts = [self._listed_value()]
        while self._take(","):
            parts.append(self._listed_value())
        self._need(")")
        self._note(left, *parts)
        one, *others = values.alike([left, *parts])
        return _boolean(f"({one.sql} {turned}IN ({', '.join(each.sql for each in others)}))", one)

    def _listed_value(self) -> Value:
        self._listed += 1
        if self._listed > LISTED:
            raise ValueError(f"found more than {LISTED:,} values in lists; ask in several parts")
        value = self._unary()
        if value.plain is None and value.sql not in ("TRUE", "FALSE"):
            raise ValueError(f"expected texts and numbers in a list, found {values.shown(value)}")
        return value

    def _between(self, left: Value, turned: str) -> Value:
        low = self._sum()
        self._need("and")
        one, least, most = values.alike([left, low, self._sum()])
        sql = f"({one.sql} {turned}BETWEEN {least.sql} AND {most.sql})"
        return _boolean(sql, one, least, most)

    def _like(self, left: Value, word: str) -> Value:
        if left.kind != TEXT:
            raise ValueError(f"{values.shown(left)} is {values.a(left.kind)}, expected a text")
        given, escape = self._sum(), "\\"
        if self._take("escape"):
            escape = self._word.text
            if self._word.kind != "text" or len(escape) > 1:
                raise ValueError(self._unexpected("one character in quotes after ESCAPE"))
            self._at += 1
        return _boolean(f"({left.sql} {word} {values.pattern(given, escape).sql})", left)


def _boolean(sql: str, *parts: Value) -> Value:
    return Value(sql, BOOLEAN, max(part.depth for part in parts) + 1)


def _balanced(parts: Sequence[Value], word: str) -> Value:
    """Join `parts` two by two: a thousand of them nest ten deep, not a thousand."""
    if len(parts) == 1:
        return parts[0]
    half = len(parts) // 2
    one, other = _balanced(parts[:half], word), _balanced(parts[half:], word)
    opposite = f"({_turned(one).sql} {'OR' if word == 'AND' else 'AND'} {_turned(other).sql})"
    return replace(_boolean(f"({one.sql} {word} {other.sql})", one, other), opposite=opposite)


def _turned(made: Value) -> Value:
    """Return what is true where `made` is false; null stays null."""
    opposite = made.opposite or f"(NOT {made.sql})"
    return Value(opposite, BOOLEAN, made.depth + (not made.opposite), opposite=made.sql)
