"""What several sources say of their columns, taken together."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.documents.metadata import TypeVote
from tasks.core.documents.tally import Tally, column_names, together

cells = st.sampled_from([None, "1", "-7", "2.5", "1e3", "true", "False", "word", "007"])


def shape(columns, unseen=()):
    tally = Tally(names=dict.fromkeys((*unseen, *columns)))
    for name, values in columns.items():
        tally.votes.setdefault(name, TypeVote()).see(pl.Series(values, dtype=pl.String))
    return tally.shape


@given(st.lists(st.lists(cells, min_size=1, max_size=4), min_size=1, max_size=4))
def test_votes_of_several_sources_are_those_of_all_their_values(sources):
    votes = together(shape({"a": values}) for values in sources)
    whole = TypeVote()
    whole.see(pl.Series([value for values in sources for value in values], dtype=pl.String))
    assert (votes["a"].kind, votes["a"].empty) == (whole.kind, whole.empty)


def test_columns_come_in_the_order_of_rows_that_were_kept():
    first = shape({"b": ["1"]}, unseen=["z"])
    second = shape({"a": ["x"], "z": [None], "b": ["w"]})
    assert list(together([first, second])) == ["b", "a", "z"]
    assert {name: vote.kind for name, vote in together([first, second, ""]).items()} == {
        "b": "string",
        "a": "string",
        "z": "string",
    }
    assert column_names([first, second, ""]) == {"a", "b", "z"}


def test_sources_of_one_kind_say_the_same():
    assert shape({"n": ["1"], "on": ["true"]}) == shape({"n": ["22"], "on": ["false"]})
    assert Tally().shape == ""
