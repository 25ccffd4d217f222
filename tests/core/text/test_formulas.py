import polars as pl
import pytest

from tasks.core.text.formulas import formulas, neutral, quoted


@pytest.mark.parametrize(
    "text",
    ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3", " =1", "\t=1", "\r\n=1", "-", "@user hi"],
)
def test_what_a_spreadsheet_would_compute_gets_a_quote_before_it(text):
    rows = pl.DataFrame({"id": [text], "text": [text], "score": [-1.5]})
    quoted = "'" + text.strip()
    assert neutral(rows).rows() == [(quoted, quoted, -1.5)]


@pytest.mark.parametrize("text", ["-5", "+3.5", "-1e9", "a=b", "'=1", "", None, "it's", "(=1)"])
def test_numbers_and_other_texts_stay(text):
    assert neutral(pl.DataFrame({"text": [text]}, schema={"text": pl.String})).item() == text


def test_a_tab_or_line_end_before_a_text_goes():
    assert neutral(pl.DataFrame({"text": ["\tfee"]})).item() == "fee"


def test_texts_that_get_a_quote_are_counted():
    texts = pl.Series("text", ["=1", "@user hi", "-5", "it's", None])
    assert formulas(texts) == 2
    assert formulas(texts[2:]) == 0


def test_texts_with_a_quote_are_counted_in_the_file_they_were_written_to(tmp_path):
    file = tmp_path / "x.csv"
    texts = ["=1", '@user, "hi"\nyou', "-5", "'tis", "5", None]
    neutral(pl.DataFrame({"id": ["@a"] * len(texts), "text": texts})).write_csv(file)
    assert quoted(file) == formulas(pl.Series("text", texts)) == 2
