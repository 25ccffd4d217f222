"""The part of a text that speaks most for it."""

from pathlib import Path

import numpy as np
import pytest

from tasks.core.query.encoder import load_query_encoder
from tasks.core.query.passages import Passage, Wanted, check_many, passages
from tasks.core.settings.table_sections import EmbedSettings
from tasks.core.workspace.errors import InputError
from tests.world import make_layered_model, make_model

FILLER = "thank you so much you are lovely "
NEEDLE = "the refund never arrived please pay my money back"


@pytest.fixture(scope="module")
def encoder():
    return load_query_encoder(EmbedSettings(device="cpu", precision="float32"))


@pytest.fixture(scope="module", params=["static", "layered"])
def unread(request, tmp_path_factory):
    """An encoder that knows no meaning."""
    make = {"static": make_model, "layered": make_layered_model}[request.param]
    at = str(make(tmp_path_factory.mktemp("model") / "made"))
    return load_query_encoder(EmbedSettings(model=at, device="cpu", precision="float32"))


def read(encoder):
    return lambda texts: encoder.encode(texts, lambda _: None).vectors


@pytest.mark.encoder
@pytest.mark.parametrize("before", [0, 9, 40])
def test_the_part_that_says_what_was_asked_is_found_wherever_it_stands(encoder, before):
    text = FILLER * before + NEEDLE + " " + FILLER * (40 - before)
    wanted = Wanted(read(encoder), read(encoder)([NEEDLE])[0])
    [found] = passages([text], encoder.cutter(99, 12), [wanted])
    assert text[found.start : found.start + len(found.text)] == found.text
    assert len(set(found.text.split()) & set(NEEDLE.split())) > 4


@pytest.mark.encoder
def test_a_text_of_one_window_is_its_own_passage_and_is_not_encoded(unread):
    def refuse(_):
        raise AssertionError("encoded")

    wanted = Wanted(refuse, np.ones(3))
    assert passages([NEEDLE, ""], unread.cutter(99, 60), [wanted]) == [
        Passage(NEEDLE, 0),
        Passage("", 0),
    ]


@pytest.mark.encoder
def test_several_views_decide_together_by_their_weights(encoder):
    text = FILLER * 20 + NEEDLE
    one, other = read(encoder)([FILLER, NEEDLE])
    found = [
        passages(
            [text],
            encoder.cutter(99, 12),
            [Wanted(read(encoder), one, weight), Wanted(read(encoder), other, 1 - weight)],
        )[0]
        for weight in (0.05, 0.95)
    ]
    assert "money" in found[0].text and "lovely" in found[1].text


def test_so_many_texts_that_it_takes_minutes_are_refused():
    check_many(100)
    with pytest.raises(InputError, match="passages: found 101 texts to get one; expected at most"):
        check_many(101)


@pytest.mark.encoder
def test_of_a_page_no_other_part_is_closer_to_the_question_than_the_one_that_is_found(encoder):
    text = (Path(__file__).parents[3] / "docs" / "versions.md").read_text("utf-8")
    asked = read(encoder)(["how do I go back to an earlier version of a view"])[0]
    cutter = encoder.cutter(99, 64)
    [found] = passages([text], cutter, [Wanted(read(encoder), asked)])
    parts = [text[each.start : each.stop] for each in cutter.cut(text)[0]]
    near = {part: float(read(encoder)([part])[0] @ asked) for part in parts}
    assert len(parts) > 20 and near[found.text] >= max(near.values()) - 1e-5
    assert near[found.text] > 1.5 * float(read(encoder)([text])[0] @ asked)
