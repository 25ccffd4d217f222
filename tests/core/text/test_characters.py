import pytest

from tasks.core.labels.cells import understood
from tasks.core.labels.multilabel import joined
from tasks.core.text.characters import for_label, visible


def canonical(cell):
    """Return the labels of a cell as one string."""
    return joined(understood(cell).labels)


@pytest.mark.parametrize(
    "dirt", ["\x00", "\x01", "\x08", "\x1b", "\x7f", "\x9b", "\ufffe", "\uffff"]
)
def test_a_label_holds_no_control_character_and_no_noncharacter(dirt):
    assert canonical(f"fe{dirt}e{dirt}") == "fee"
    assert canonical(f'["a{dirt}", "b"]') == '["a", "b"]'
    assert canonical(dirt) == ""


@pytest.mark.parametrize("escape", [r"\u0000", r"\u001b", r"\ud800"])
def test_a_label_in_a_list_holds_none_that_was_escaped_either(escape):
    assert escape not in canonical(f'["a{escape}", "b"]').replace("[", "").split(",")


@pytest.mark.parametrize("blank", ["\x0b", "\x0c", "\x85"])
def test_a_vertical_tab_or_form_feed_in_a_label_is_a_blank(blank):
    assert canonical(f"late{blank}fee{blank}") == "late fee"


@pytest.mark.parametrize(
    "text", ["Gebühr", "料金", "עמלה", "👩‍👩‍👧", "ف\u200cی", "a\tb", "é", "e\u0301"]
)
def test_what_people_write_stays_in_a_label(text):
    assert for_label(text) == text


def test_what_moves_the_cursor_or_turns_a_line_round_is_written_out():
    assert visible("\x1b]0;x\x07 a\u202eb \x9b31m\n\ud800") == (
        r"\x1b]0;x\x07 a\u202eb \x9b31m\n\ud800"
    )
    assert visible("ü 料 👩‍👩‍👧 \u200eעמלה") == "ü 料 👩‍👩‍👧 עמלה"


def test_no_character_in_a_text_or_label_ends_the_renderer():
    from tasks.core.report.vega import png

    odd = "".join(
        map(chr, [*range(32), 0x7F, 0x9B, 0xFDD0, 0xFFFE, 0xFFFF, 0x1FFFE, 0xD800, 0x202E])
    )
    spec = {
        "title": odd,
        "data": {"values": [{"a": f"x{odd}", f"b{odd}": 1}]},
        "mark": "point",
        "encoding": {"x": {"field": "a", "type": "nominal", "scale": {"domain": [f"x{odd}"]}}},
    }
    assert png(spec).startswith(b"\x89PNG")
