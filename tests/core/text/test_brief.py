"""Texts and figures where room is short."""

from tasks.core.text.brief import figure, percent, shift, short


def test_a_text_is_one_line_of_so_many_characters():
    assert short("a  b\n\tc", 9) == "a b c"
    assert short("abcdef", 4) == "abc…"
    assert short("abcd", 4) == "abcd"
    assert short(None, 4) == ""


def test_a_figure_that_is_not_defined_is_a_dash():
    assert (figure(None), percent(None)) == ("–", "–")
    assert shift(None, 1.0) == shift(1.0, None) == "–"


def test_figures_have_one_decimal_and_shares_none():
    assert (figure(0.0), percent(91.5), shift(0.04, 99.96)) == ("0.0", "92 %", "0.0 → 100.0")
