"""The values of a condition: columns, texts, numbers, and what is made of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from tasks.core.where import functions, values
from tasks.core.where.names import find
from tasks.core.where.values import BOOLEAN, DATE, INTEGER, NUMBER, TEXT, TIME, Value
from tasks.core.where.words import Word

TERMS = 1_000  # comparisons, operators and functions: 0.04 s to plan (2 cores, lancedb 0.40)
BRACKETS = 32  # levels of brackets that are read

_OWN = ("and", "or", "not", "in", "between", "like", "ilike", "is")
_A_VALUE = "a name, a text in single quotes, or a number"


class Cursor:
    """Where the reading of a condition has come to."""

    def __init__(self, found: Sequence[Word], columns: Mapping[str, str]) -> None:
        self._words = found
        self._columns = columns
        self._at = self._terms = self._brackets = 0

    @property
    def _word(self) -> Word:
        return self._words[self._at]

    def _unexpected(self, wanted: str) -> str:
        word = self._word
        found = (
            "the end" if word.kind == "end" else f"{word.text[:20]!r} at character {word.at + 1}"
        )
        return f"expected {wanted}, found {found}"

    def _take(self, *wanted: str) -> str:
        """Take the next word and return it in lower case if it is one of `wanted`; else ''."""
        word = self._word
        if word.kind in ("sign", "name") and word.text.lower() in wanted:
            self._at += 1
            return word.text.lower()
        return ""

    def _need(self, wanted: str) -> None:
        if not self._take(wanted):
            raise ValueError(self._unexpected(wanted.upper()))

    def _count(self) -> None:
        self._terms += 1
        if self._terms > TERMS:
            raise ValueError(
                f"found more than {TERMS:,} comparisons and operators; say alternatives as"
                " name IN ('a', 'b', …)"
            )


class Terms(Cursor):
    """What may stand on either side of a comparison."""

    def _any(self) -> Value:
        """Return what stands in brackets: any condition."""
        raise NotImplementedError

    def _sum(self) -> Value:
        made = self._product()
        while sign := self._take("+", "-", "||"):
            self._count()
            made = _calculated(made, sign, self._product())
        return made

    def _product(self) -> Value:
        made = self._unary()
        while sign := self._take("*", "/", "%"):
            self._count()
            made = _calculated(made, sign, self._unary())
        return made

    def _unary(self) -> Value:
        turns, signs = 0, 0
        while sign := self._take("-", "+"):
            turns, signs = turns + (sign == "-"), signs + 1
        if signs and self._word.kind == "number":
            return self._number("-" * (turns % 2))
        made = self._typed()
        if not signs:
            return made
        if made.kind not in (INTEGER, NUMBER):
            raise ValueError(f"{values.shown(made)} is {values.a(made.kind)}, expected a number")
        return Value(f"(-{made.sql})", made.kind, made.depth + 1) if turns % 2 else made

    def _typed(self) -> Value:
        made = self._primary()
        while self._take("::"):
            self._count()
            made = functions.cast(made, self._type(), "CAST")
        return made

    def _type(self) -> str:
        if self._word.kind != "name":
            raise ValueError(self._unexpected("a type"))
        name = self._word.text
        self._at += 1
        if name.lower() == "double":
            self._take("precision")
        return name

    def _number(self, sign: str) -> Value:
        word = self._word
        self._at += 1
        return values.number(sign + word.text)

    def _primary(self) -> Value:
        word = self._word
        if word.kind == "number":
            return self._number("")
        if word.kind == "text":
            self._at += 1
            return values.text(word.text)
        if self._take("("):
            return self._bracketed(self._any)
        if word.kind == "quoted":
            self._at += 1
            return self._column(word.text, quoted=True)
        if word.kind == "name":
            return self._named(word)
        raise ValueError(self._unexpected(_A_VALUE))

    def _bracketed(self, read: Callable[[], Value]) -> Value:
        self._brackets += 1
        if self._brackets > BRACKETS:
            raise ValueError(f"nested more than {BRACKETS} deep; simplify it")
        made = read()
        self._need(")")
        self._brackets -= 1
        return made

    def _named(self, word: Word) -> Value:
        self._at += 1
        name = word.text.lower()
        if self._take("("):
            self._count()
            if name in ("cast", "try_cast"):
                return self._bracketed(lambda: self._cast(name.upper()))
            return self._bracketed(lambda: functions.call(word.text, self._arguments()))
        if name in (DATE, "timestamp") and self._word.kind == "text":
            self._at += 1
            return values.moment(self._words[self._at - 1].text, DATE if name == DATE else TIME)
        if name in ("true", "false"):
            return Value(name.upper(), BOOLEAN)
        if name == "null":
            raise ValueError("nothing equals NULL; write 'name IS NULL' or 'name IS NOT NULL'")
        if name in _OWN:
            self._at -= 1
            raise ValueError(self._unexpected(_A_VALUE))
        return self._column(word.text, quoted=False)

    def _cast(self, function: str) -> Value:
        made = self._sum()
        self._need("as")
        return functions.cast(made, self._type(), function)

    def _arguments(self) -> list[Value]:
        parts = [self._sum()]
        while self._take(","):
            parts.append(self._sum())
        return parts

    def _column(self, name: str, *, quoted: bool) -> Value:
        column = find(name, list(self._columns), quoted=quoted)
        if "`" in column:
            raise ValueError(f"column {column!r} cannot be asked for: Lance reads no ` in a name")
        return Value(f"`{column}`", values.kind_of(self._columns[column]))


def _calculated(left: Value, sign: str, right: Value) -> Value:
    depth = max(left.depth, right.depth) + 1
    if sign == "||":
        if (left.kind, right.kind) != (TEXT, TEXT):
            raise ValueError("|| joins texts; use CAST(… AS text)")
        return Value(f"({left.sql} || {right.sql})", TEXT, depth)
    if not {left.kind, right.kind} <= {INTEGER, NUMBER}:
        odd = right if left.kind in (INTEGER, NUMBER) else left
        raise ValueError(
            f"{values.shown(odd)} is {values.a(odd.kind)}, expected a number beside {sign}"
        )
    whole = left.kind == right.kind == INTEGER
    if sign in "/%" and whole:
        return Value(f"({left.sql} {sign} NULLIF({right.sql}, 0))", INTEGER, depth + 1)
    if sign in "+-" and whole:
        return Value(f"({left.sql} {sign} {right.sql})", INTEGER, depth)
    one, other = values.double(left), values.double(right)
    return Value(f"({one.sql} {sign} {other.sql})", NUMBER, max(one.depth, other.depth) + 1)
