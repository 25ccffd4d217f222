"""Words and pieces of words, hashed."""

from __future__ import annotations

import re
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.text.folding import folded
from tasks.core.text.ngrams import BLOCK, BUCKETS, READ, as_read, ngrams

texts = st.lists(st.text(max_size=30), max_size=6)


def of(text: str) -> list[int]:
    return sorted(ngrams([text]).buckets.tolist())


@given(texts)
def test_a_text_has_the_same_ngrams_beside_any_others(said: list[str]) -> None:
    found = ngrams(said)
    assert len(found.starts) == len(said) + 1
    for text, begin, end in zip(said, found.starts[:-1], found.starts[1:], strict=True):
        assert sorted(found.buckets[begin:end].tolist()) == of(text)


def test_words_pairs_and_pieces_are_counted() -> None:
    """Of 'red fox': red, fox, 'red fox'; ' red', 'red ', ' fox', 'fox '."""
    found = ngrams(["red fox"]).buckets
    assert (found < BUCKETS).sum() == 3 and (found >= BUCKETS).sum() == 4
    assert len(np.unique(found)) == 7


def test_case_marks_and_blanks_do_not_matter_but_words_do() -> None:
    assert of("Red  FOX!\n") == of("red fox") == of("#red_fox")
    assert of("red fax") != of("red fox")
    assert of("fox red") != of("red fox")


def test_a_text_of_marks_alone_has_none() -> None:
    assert ngrams(["!?", "", "a"]).starts.tolist() == [0, 0, 0, 1]
    assert ngrams([]).starts.tolist() == [0]


def test_what_comes_after_the_beginning_is_not_read() -> None:
    assert of("ab " * READ) == of(("ab " * READ)[:READ])


def test_stretches_are_told_apart() -> None:
    """Of 20,000 words as many buckets are taken as balls thrown at random would take."""
    found = np.unique(ngrams([f"word{number}" for number in range(20_000)]).buckets)
    words = (found < BUCKETS).sum()
    assert abs(words - BUCKETS * (1 - np.exp(-20_000 / BUCKETS))) < 400


@given(texts)
def test_words_and_pieces_of_a_text_weigh_alike(said: list[str]) -> None:
    found = ngrams(said)
    rarity = np.linspace(1, 9, 2 * BUCKETS).astype(np.float32)
    squares = rarity[found.buckets] * found.weighed(rarity)
    kind = 2 * found.text + (found.buckets >= BUCKETS)
    lengths = np.bincount(kind, found.weighed(rarity) ** 2)
    np.testing.assert_allclose(lengths[lengths > 0], 0.5, rtol=1e-5)
    assert (squares > 0).all()


@given(st.text(st.characters(codec="ascii"), max_size=60))
def test_ascii_words_are_runs_of_letters_and_digits(said: str) -> None:
    assert folded(said) == re.sub(r"[\W_]+", " ", said.lower()).strip()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("กินข้าวที่บ้าน", ["กินข้าวที่บ้าน"]),
        ("İstanbul\u2019da", ["i\u0307stanbul", "da"]),
        ("Straße \uff21\uff22\uff23", ["strasse", "abc"]),
        ("love ❤️ you", ["love", "you"]),
    ],
)
def test_marks_are_part_of_words_in_every_script(said: str, words: list[str]) -> None:
    assert folded(said).split(" ") == words


def test_accents_count_alike_however_they_are_written() -> None:
    """A query typed on a Mac, or a name of its files, has them apart from their letters."""
    composed = "naïve café ở Việt Nam"
    assert of(unicodedata.normalize("NFD", composed)) == of(composed)


def test_texts_are_read_alike_if_what_is_read_of_them_is_the_same() -> None:
    long = "word and word " * 100
    for one, other in ((f"{long} one", f"{long} other"), ("NO, it is!", "no it is")):
        assert as_read(one) == as_read(other) and of(one) == of(other)


def test_many_texts_have_the_ngrams_that_each_has_alone() -> None:
    """More than are hashed together."""
    said = [f"text {n} of {n % 7} kinds" for n in range(BLOCK + 3)]
    found = ngrams(said)
    assert len(found.starts) == len(said) + 1
    for at in (0, BLOCK - 1, BLOCK, BLOCK + 2):
        own = found.buckets[found.starts[at] : found.starts[at + 1]]
        assert sorted(own.tolist()) == of(said[at])
