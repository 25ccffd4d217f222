import pytest

from tasks.core.text.ids import number, respelled


@pytest.mark.parametrize(
    ("key", "found"),
    [
        ("1", "1"),
        ("1.0", "1"),
        ("1.", "1"),
        ("001", "1"),
        ("+1", "1"),
        (" 10.00 ", "10"),
        ("-07", "-7"),
        ("0", "0"),
        ("000", "0"),
        ("-0", "0"),
        ("1.5", None),
        ("1e3", None),
        ("a1", None),
        ("", None),
        (".0", None),
        ("\u0661", None),  # an Arabic one: a name like any other
    ],
)
def test_an_id_may_spell_a_whole_number(key, found):
    assert number(key) == found


def test_ids_of_another_spelling_are_found_where_none_is_found_as_written():
    assert respelled(["1.0", "2.0", "9.0"], ["1", "2", "3"]) == {"1.0": "1", "2.0": "2"}
    assert respelled([1 * "001", "002"], {"1", "2"}) == {"001": "1", "002": "2"}
    assert respelled(["'-5", "'=x"], {"-5", "=x"}) == {"'-5": "-5", "'=x": "=x"}


def test_one_id_that_is_known_as_it_is_written_says_that_all_are_meant_so():
    assert respelled(["1", "002"], {"1", "2"}) == {}


def test_a_number_that_two_ids_spell_is_neither_of_them():
    assert respelled(["1.0", "2.0"], {"1", "01", "2"}) == {"2.0": "2"}
