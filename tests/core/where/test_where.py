import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from tasks.core.store import arrow, tables
from tasks.core.store.searcher import Searcher
from tasks.core.where.condition import condition, sought
from tasks.core.workspace.errors import InputError

ROWS = pl.DataFrame(
    {
        "id": ["a", "b", "c", "d"],
        "zip": ["02134", "123", None, "it's"],
        "My Place": ["x", "y", "x", None],
        "my_column": ["p", "q", "p", "q"],
        "order": ["1", "2", "3", "4"],
        "stars": [1, 2, None, 4],
        "price": [0.5, 1.5, -2.0, None],
        "open": [True, False, None, True],
    }
)


@pytest.fixture(scope="module")
def searcher(tmp_path_factory):
    table = tmp_path_factory.mktemp("where") / "t.lance"
    rows = ROWS.to_arrow().append_column("vector", arrow.vector_array(np.ones((4, 2)), "float32"))
    schema = pa.schema([field.remove_metadata() for field in rows.schema])
    tables.commit_whole(table, schema, {}, tables.write_fragments(table, rows, {}, fresh=True))
    return Searcher(table, live=False)


@pytest.fixture(scope="module")
def ids(searcher):
    def ask(where):
        found = searcher.nearest(np.ones(2), 9, where, ["id"])
        return "".join(sorted(hit.row["id"] for hit in found))

    return ask


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("\"zip\" = '02134'", "a"),
        ("`zip` = '02134'", "a"),
        ("ZIP = '02134'", "a"),
        ("\"My Place\" = 'x'", "ac"),
        ("\"my place\" = 'x'", "ac"),
        ("\"my.column\" = 'p'", "ac"),
        ("\"order\" IN ('1', '4') OR order = '2'", "abd"),
        ("zip = 'it''s'", "d"),
        ("zip LIKE '%''%' AND zip <> 'a\"b'", "d"),
        ("stars > 1.5", "bd"),
        ("stars = '2'", "b"),
        ("open = 'true'", "ad"),
        ("NOT (open OR stars = 2)", ""),
        ("price BETWEEN -2 AND 1", "ac"),
        ("7 / 2 = 3 AND stars / 0 IS NULL", "abcd"),
        ("substr(zip, 2, 2) = '21' AND length(zip) = 5", "a"),
        ("zip LIKE '12!%' ESCAPE '!'", ""),
        ("coalesce(zip, 'none') = 'none'", "c"),
        ("TRY_CAST(zip AS int) > 122", "ab"),
        ("TRY_CAST(zip AS date) < '2026-01-31'", ""),
    ],
)
def test_a_condition_selects_the_rows_that_it_is_true_for(ids, where, expected):
    assert ids(where) == expected


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ('"zap" = 1', r"no column 'zap'; a text .* columns are: id, zip, My Place, my_column"),
        ('zip = "02134"', r"no column '02134'; a text stands in single quotes: '02134'"),
        ("zip = 123", r"`zip` is a text and 123 an integer; write '123'"),
        ("zip = NULL", r"write 'name IS NULL'"),
        ("zip NOT IN ('a', NULL)", r"nothing equals NULL"),
        ("stars =", r"found the end; columns are: id"),
        ("1 = 1; DROP TABLE base", "a second statement or a comment; remove it"),
        ("zip = 'x' -- y", "a second statement or a comment; remove it"),
        ("zip = 'x", "without its closing '; add it"),
        ("repeat('a', 2000000000) = zip", "function 'repeat' may not be used; these may: lower"),
        ("CAST(zip AS int) = 1", r"Cannot cast string .* use TRY_CAST, which gives null$"),
        ("stars > 99999999999999999999", "found a number of 20 digits"),
        ("zip", "`zip` is a text, expected something true or false"),
        ("zip = 'a' AND stars", "`stars` beside AND is an integer"),
    ],
)
def test_a_condition_that_cannot_be_used_says_why_in_one_line(ids, where, message):
    with pytest.raises(InputError, match=message) as caught:
        ids(where)
    assert str(caught.value).startswith("--where ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "where",
    [
        " OR ".join(["stars = 1"] * 1_001),
        "CAST(" * 3_000 + "stars" + " AS int)" * 3_000 + " = 1",
        "(" * 100_000,
        "NOT " * 50_000 + "(" * 40 + "open" + ")" * 40,
        "zip IN (" + "'a'," * 10_000 + "'b')",
        "zip = '" + "a" * 1_000_000 + "'",
        "zip LIKE '" + "%a" * 500 + "'",
    ],
)
def test_a_condition_is_bounded_before_lance_sees_it(where):
    with pytest.raises(InputError, match=r"expected at most|found more than|nested more") as at:
        condition(where, {"zip": "string", "stars": "int64", "open": "bool"})
    assert len(str(at.value)) < 500


def test_two_columns_that_differ_in_capitals_alone_have_to_be_told_apart():
    columns = {"zip": "string", "Zip": "string", "a_b": "string", "a_b_2": "string"}
    assert condition("Zip = 'x'", columns) == "(`Zip` = 'x')"
    for name in ("ZIP", '"a.b"'):
        with pytest.raises(InputError, match="may mean"):
            condition(f"{name} = 'x'", columns)


@pytest.mark.parametrize(
    ("where", "texts"),
    [
        ("my_column = 'p'", ["p"]),
        ("'r' = MY_COLUMN OR \"my_column\" <> 'p'", ["r", "p"]),
        ("NOT (my_column IN ('p', 'it''s', 'p') AND stars > 1)", ["p", "it's"]),
        ("my_column IS NOT DISTINCT FROM 'q' AND my_column = 'q'", ["q"]),
        ("my_column > 'a' AND my_column LIKE 'b%' AND my_column BETWEEN 'c' AND 'd'", []),
        ("lower(my_column) = 'p' OR zip = 'p' OR 'my_column' = 'p' OR my_column = zip", []),
    ],
)
def test_the_texts_that_a_column_is_sought_by_are_told(where, texts):
    columns = {"my_column": "string", "zip": "string", "stars": "int64"}
    assert sought(where, columns, "my_column") == texts
