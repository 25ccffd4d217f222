"""Which columns could hold the texts."""

from tasks.core.documents.text_columns import text_columns


def test_texts_of_several_words_count_and_the_longest_come_first():
    columns = {
        "id": ["a-rather-long-identifier-without-blanks"] * 3,
        "state": ["CA", "NY", "TX"],
        "title": ["my card was charged twice", None, "a fee that nobody explained"],
        "story": ["it began in the spring of last year, when " * 3, "", "then they called me"],
        "nothing": [None, None, None],
    }
    assert text_columns(columns) == ["story", "title"]


def test_no_more_than_five_are_named():
    columns = {f"c{n}": [f"{'a word or two ' * (n + 2)}"] for n in range(8)}
    assert text_columns(columns) == ["c7", "c6", "c5", "c4", "c3"]
