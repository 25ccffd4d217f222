"""Conditions put together by chance: they select what Polars selects, or are refused."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars import col

from tasks.core.workspace.errors import InputError
from tests.attacks.conditions import ROWS, WORDS

pytestmark = pytest.mark.attack


NUMBERS = st.integers(-3, 6)
TEXTS = st.sampled_from([*WORDS, "mail", "Mail", "re", "x"])


def sql(text):
    return "'" + text.replace("'", "''") + "'"


@st.composite
def comparison(draw):
    kind = draw(st.sampled_from(["text", "stars", "price", "list", "null", "open", "sum", "like"]))
    name = draw(st.sampled_from(["word", "channel", "order"]))
    said = draw(st.sampled_from([name, f'"{name}"', f"`{name}`", name.upper()]))
    sign = draw(st.sampled_from(["=", "<>", "<", "<=", ">", ">="]))
    compare = {
        "=": lambda a, b: a == b,
        "<>": lambda a, b: a != b,
        "<": lambda a, b: a < b,
        "<=": lambda a, b: a <= b,
        ">": lambda a, b: a > b,
        ">=": lambda a, b: a >= b,
    }[sign]
    if kind == "text":
        text = draw(TEXTS)
        return f"{said} {sign} {sql(text)}", compare(col(name), pl.lit(text))
    if kind == "stars":
        number = draw(NUMBERS | st.sampled_from([0.5, 1.5, -0.5]))
        return f"stars {sign} {number}", compare(col("stars"), pl.lit(number))
    if kind == "price":
        number = draw(st.sampled_from([-1.5, 0, 0.25, 3, 1e6]))
        return f"{number} {sign} price", compare(pl.lit(number), col("price"))
    if kind == "list":
        some = draw(st.lists(TEXTS, min_size=1, max_size=5))
        turned = draw(st.booleans())
        same = col(name).is_in(some)
        listed = ", ".join(map(sql, some))
        return f"{said} {'NOT ' * turned}IN ({listed})", ~same if turned else same
    if kind == "null":
        turned = draw(st.booleans())
        same = col(name).is_not_null() if turned else col(name).is_null()
        return f"{said} IS {'NOT ' * turned}NULL", same
    if kind == "open":
        return "open", col("open")
    if kind == "like":
        text = draw(TEXTS.filter(lambda text: not set(text) & set("%_\\")))
        return f"{said} LIKE {sql('%' + text + '%')}", col(name).str.contains(text, literal=True)
    first, second = draw(NUMBERS), draw(st.integers(1, 4))
    return (
        f"(stars + {first}) * {second} {sign} price",
        compare((col("stars") + first) * second, col("price")),
    )


def joined(parts):
    word = st.sampled_from(["AND", "OR"])

    def both(drawn):
        (one, a), (other, b), how = drawn
        return f"({one}) {how} ({other})", (a & b) if how == "AND" else (a | b)

    def turned(part):
        return f"NOT ({part[0]})", ~part[1]

    return st.tuples(parts, parts, word).map(both) | parts.map(turned)


@settings(max_examples=500, deadline=None, derandomize=True)
@given(st.recursive(comparison(), joined, max_leaves=8))
def test_any_condition_selects_what_polars_selects(selected, made):
    where, same = made
    assert selected(where) == ROWS.filter(same)["id"].to_list()


@settings(max_examples=1_000, deadline=None, derandomize=True)
@given(
    st.lists(
        st.sampled_from(
            [
                *("stars", "open", "word", '"order"', "1", "2.5", "'a'", "''", "=", "<", "(", ")"),
                *("AND", "OR", "NOT", "IN", "BETWEEN", "LIKE", "IS", "NULL", "TRUE", ",", "+", "-"),
                *("*", "/", "%", "||", "::", "int", "CAST(", "AS", "lower(", "date", ";", '"', "'"),
            ]
        ),
        max_size=14,
    ).map(" ".join)
    | st.text(max_size=60)
)
def test_words_in_any_order_select_rows_or_are_refused(selected, where):
    try:
        assert set(selected(where)) <= set(ROWS["id"])
    except InputError as error:
        assert str(error).isprintable()
