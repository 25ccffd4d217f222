import pytest

from tasks.core.text.near_names import listed, meant

KNOWN = ("base", "emotion", "topic")


@pytest.mark.parametrize(
    ("wanted", "near"), [("topics", "topic"), ("emotin", "emotion"), ("bse", "base")]
)
def test_a_name_with_a_slip_is_known_again(wanted, near):
    assert meant(wanted, KNOWN) == f" (did you mean {near!r}?)"
    assert listed(wanted, KNOWN) == f"base, emotion, topic (did you mean {near!r}?)"


@pytest.mark.parametrize("wanted", ["topic", "urgency", "", "topic" * 100])
def test_a_name_that_is_known_or_like_none_is_no_slip(wanted):
    assert meant(wanted, KNOWN) == ""
    assert listed(wanted, KNOWN) == "base, emotion, topic"


def test_where_nothing_is_known_that_is_said():
    assert listed("topic", ()) == "none"
    assert listed("topic", [], "none yet") == "none yet"
