"""Words and pieces of words, hashed."""

from __future__ import annotations

import re
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.text.folding import folded
from tasks.core.text.ngrams import BLOCK, BUCKETS, READ, NGrams, as_read, ngrams

texts = st.lists(st.text(max_size=30), max_size=6)


def at(found: NGrams, text: int) -> list[int]:
    """Return the buckets of one of the texts."""
    return sorted(
        int(bucket)
        for bags in found
        for bucket in bags.buckets[bags.starts[text] : bags.starts[text + 1]]
    )


def of(text: str) -> list[int]:
    return at(ngrams([text]), 0)


@given(texts)
def test_a_text_has_the_same_ngrams_beside_any_others(said: list[str]) -> None:
    found = ngrams(said)
    assert [len(bags.starts) for bags in found] == [len(said) + 1] * 2
    for number, text in enumerate(said):
        assert at(found, number) == of(text)


def test_words_pairs_and_pieces_are_counted() -> None:
    """Of 'red fox': red, fox, 'red fox'; ' red', 'red ', ' fox', 'fox '."""
    words, pieces = (bags.buckets for bags in ngrams(["red fox"]))
    assert (words < BUCKETS).all() and (pieces >= BUCKETS).all()
    assert (len(np.unique(words)), len(np.unique(pieces))) == (3, 4)


def test_each_stretch_has_the_hash_of_its_characters() -> None:
    """Σ c_l Bˡ, mixed: of 'red', of ' fox', and of the pair with one blank for several."""
    told = {chunk: hashed(chunk) for chunk in ("red", "fox", "red fox", " red", "red ", " fox")}
    words = [told["red"], told["fox"], told["red fox"]]
    pieces = [BUCKETS + told[" red"], BUCKETS + told["red "], BUCKETS + told[" fox"]]
    found = ngrams(["x", "Red, - fox"])
    assert set(at(found, 1)) == {*words, *pieces, BUCKETS + hashed("fox ")}


def hashed(chunk: str) -> int:
    h = sum(ord(c) * pow(0x01000193, at, 2**32) for at, c in enumerate(chunk)) % 2**32
    for shift, odd in ((15, 0x2C1B3C6D), (12, 0x297A2D39)):
        h = (h ^ h >> shift) * odd % 2**32
    return h * BUCKETS >> 32


def test_words_that_grow_as_they_are_composed_have_their_hash() -> None:
    """A ligature of three letters, as many as are read of a text: longer than that."""
    grown = "\ufb03" * (READ - 2) + " a"
    assert hashed(f"{'ffi' * (READ - 2)} a") in of(grown)


def test_case_marks_and_blanks_do_not_matter_but_words_do() -> None:
    assert of("Red  FOX!\n") == of("red fox") == of("#red_fox")
    assert of("red fax") != of("red fox")
    assert of("fox red") != of("red fox")


def test_a_text_of_marks_alone_has_none() -> None:
    assert [bags.starts.tolist() for bags in ngrams(["!?", "", "a"])] == [[0, 0, 0, 1], [0] * 4]
    assert [bags.starts.tolist() for bags in ngrams([])] == [[0], [0]]


def test_what_comes_after_the_beginning_is_not_read() -> None:
    assert of("ab " * READ) == of(("ab " * READ)[:READ])


def test_stretches_are_told_apart() -> None:
    """Of 20,000 words as many buckets are taken as balls thrown at random would take."""
    found = ngrams([f"word{number}" for number in range(20_000)]).words
    assert abs(len(np.unique(found.buckets)) - BUCKETS * (1 - np.exp(-20_000 / BUCKETS))) < 400


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
    assert [len(bags.starts) for bags in found] == [len(said) + 1] * 2
    for number in (0, BLOCK - 1, BLOCK, BLOCK + 2):
        assert at(found, number) == of(said[number])
