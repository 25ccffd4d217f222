"""What the words of a text say of its label."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tasks.core.text.ngrams import READ
from tasks.core.transforms import base
from tasks.core.transforms.experts import words
from tasks.core.transforms.sample import Texts, make_sample
from tests.clouds import K, clouds

NAMES = ("calm", "cross", "glad")
TELLING = ("river lake", "storm gale", "sunny meadow")


def spoken(y: np.ndarray, seed: int = 0, telling: float = 0.8) -> list[str]:
    """Say of each text a word of its class, or of another, among words that say nothing."""
    random = np.random.default_rng(seed)
    said = np.where(random.random(len(y)) < telling, y, random.integers(0, K, len(y)))
    filler = random.integers(0, 500, (len(y), 3))
    return [
        f"the {TELLING[c].split()[n % 2]} {' '.join(f'w{m}' for m in row)}"
        for n, (c, row) in enumerate(zip(said, filler, strict=True))
    ]


def sampled(x: np.ndarray, y: np.ndarray, said: list[str]):
    return make_sample(Texts(x, None), y, NAMES, Texts(x, None), None, said)


def test_a_text_left_out_by_formula_is_left_out(monkeypatch) -> None:
    """With all its rows: a text with two labels has two."""
    monkeypatch.setattr(words, "RIDGES", (0.3,))
    x, y = clouds(40)
    said = spoken(y)
    x, y = np.concatenate([x, x[:5]]), np.concatenate([y, (y[:5] + 1) % K])
    sample = sampled(x, y, said + said[:5])
    made = words.read_words(sample)
    assert made is not None and sample.strings is not None
    alike = _likeness(made, sample.strings)
    left = made.left_out_of(torch.arange(len(y)))
    for row in range(len(y)):
        others = [n for n in range(len(y)) if sample.strings[n] != sample.strings[row]]
        own = torch.from_numpy(alike[np.ix_(others, others)]) + 0.3 * torch.eye(len(others))
        target = torch.nn.functional.one_hot(torch.from_numpy(sample.y[others]), K).float()
        f = torch.from_numpy(alike[row, others]) @ torch.linalg.solve(own, target)
        wanted = torch.log_softmax(made.words.sharpness * f, dim=0)
        torch.testing.assert_close(left[row], wanted, atol=1e-3, rtol=1e-3)


def _likeness(made: words.WordRidge, said: tuple[str, ...]) -> np.ndarray:
    """Return v vᵀ of the n-grams, by what the model holds: rarity by bucket."""
    rarity = np.full(2 * words.BUCKETS, float(made.words.usual), np.float32)
    rarity[made.words.buckets.numpy().astype(int)] = made.words.rarity.numpy()
    rows = np.zeros((len(said), 2 * words.BUCKETS), np.float32)
    for bags in words.ngrams(said):
        text = np.repeat(np.arange(len(said)), np.diff(bags.starts))
        lengths = np.bincount(text, rarity[bags.buckets] ** 2, minlength=len(said)) * 2
        np.add.at(rows, (text, bags.buckets), rarity[bags.buckets] / np.sqrt(lengths[text]))
    return rows @ rows.T


def test_weights_of_buckets_give_the_regression(monkeypatch) -> None:
    """f = K (K + λI)⁻¹ Y, of labelled texts themselves."""
    monkeypatch.setattr(words, "RIDGES", (0.3,))
    x, y = clouds(60)
    sample = sampled(x, y, spoken(y))
    made = words.read_words(sample)
    assert made is not None
    alike = torch.from_numpy(_likeness(made, made.strings))
    target = torch.nn.functional.one_hot(torch.from_numpy(sample.y), K).float()
    f = alike @ torch.linalg.solve(alike + 0.3 * torch.eye(60), target)
    wanted = torch.log_softmax(made.words.sharpness * f, dim=1)
    torch.testing.assert_close(made.words.log_p(made.strings), wanted, atol=1e-3, rtol=1e-3)


def test_of_many_texts_a_part_is_fitted_on_and_the_others_are_left_out(monkeypatch) -> None:
    monkeypatch.setattr(words, "LIMIT", 30)
    x, y = clouds(90)
    made = words.read_words(sampled(x, y, spoken(y)))
    assert made is not None and len(made.left) == 30
    said = made.left_out_of(torch.arange(90))
    others = np.flatnonzero(made.text < 0)
    read = made.words.log_p([made.strings[row] for row in others])
    torch.testing.assert_close(said[others], read)
    known = np.flatnonzero(made.text >= 0)
    torch.testing.assert_close(said[known], made.left[made.text[known]])


def test_nearly_as_many_texts_are_fitted_on_as_may_be(monkeypatch) -> None:
    """One text more than that costs one text, not every second; rows of one text count once."""
    x, y = clouds(41)
    sample = sampled(np.repeat(x, 2, 0), np.tile([0, 1], 41), [t for t in spoken(y) for _ in "ab"])
    monkeypatch.setattr(words, "LIMIT", 40)
    made = words.read_words(sample)
    assert made is not None and len(made.left) == 40
    assert (made.text >= 0).sum() == 80


TAILS = {
    "beyond what is read": [f"{'-' * READ} {n}" for n in range(3)],
    "marks": ["", "!", " ..."],
    "blanks": ["", "  ", "\n"],
}


@pytest.mark.parametrize("tails", TAILS.values(), ids=TAILS)
def test_twins_of_a_text_are_left_out_with_it(tails: list[str]) -> None:
    """Labels drawn at random, the same for all versions of a text, are not to be guessed."""
    random = np.random.default_rng(5)
    y = np.repeat(random.integers(0, K, 150), 3)
    x = random.standard_normal((450, 8)).astype(np.float32)
    begun = [" ".join(f"w{n}" for n in row) for row in random.integers(0, 900, (150, 12))]
    said = [text + tail for text in begun for tail in tails]
    sample = sampled(x, y, said)
    made = words.read_words(sample)
    assert made is not None
    guessed = made.left_out_of(torch.arange(450)).argmax(1).numpy()
    assert (guessed == sample.y).mean() < 0.5
    view = base.fit("auto", x, y, NAMES, x, {}, 1, texts=said)
    assert not view.reads_text


def test_texts_of_one_vector_are_left_out_together() -> None:
    """As the other experts leave them out, whatever their words: the encoder reads them alike."""
    x, y = clouds(60)
    x[1::2], y[1::2] = x[::2], y[::2]
    sample = sampled(x, y, [f"pair{n // 2} end{n}" for n in range(60)])
    made = words.read_words(sample)
    assert made is not None and len(made.left) == 30
    np.testing.assert_array_equal(np.bincount(made.text), 2)


def test_words_help_where_they_tell_what_vectors_do_not() -> None:
    x, y = clouds(600, spread=2.5)
    said = spoken(y)
    right = []
    for texts in (None, said[:300]):
        view = base.fit("auto", x[:300], y[:300], NAMES, x, {}, 1, texts=texts)
        assert view.reads_text == (texts is not None)
        right.append((view.apply(x[300:], None, said[300:]).label == y[300:]).mean())
    assert right[1] > right[0] + 0.1


def test_words_that_tell_nothing_are_given_no_weight() -> None:
    x, y = clouds(200)
    drawn = [spoken(y, seed, telling=0.0) for seed in range(6)]
    kept = [base.fit("auto", x, y, NAMES, x, {}, 1, texts=said).reads_text for said in drawn]
    assert sum(kept) <= 2


def test_the_order_of_texts_does_not_matter() -> None:
    """Nor where two have one vector: their words put them in order."""
    x, y = clouds(60, spread=1.5)
    x[1], y[1] = x[0], y[0]
    said, order = spoken(y), np.random.default_rng(2).permutation(60)
    one = base.fit("auto", x, y, NAMES, x, {}, 1, texts=said)
    turned = [said[row] for row in order]
    other = base.fit("auto", x[order], y[order], NAMES, x, {}, 1, texts=turned)
    assert one.reads_text and one.settings() == other.settings()
    np.testing.assert_array_equal(
        one.apply(x, None, said).vectors, other.apply(x, None, said).vectors
    )


def test_texts_that_are_missing_are_said_to_be() -> None:
    x, y = clouds(120, spread=2.5)
    view = base.fit("auto", x, y, NAMES, x, {}, 1, texts=spoken(y))
    with pytest.raises(ValueError, match="texts: found none, expected one for each of 120 rows"):
        view.apply(x)
    with pytest.raises(ValueError, match="texts: found 2, expected one for each of 120 rows"):
        view.apply(x, None, ["one", "two"])
    assert np.isfinite(view.apply(x[:2], None, ["", "?!"]).vectors).all()


def test_a_pool_with_words_comes_back_as_it_was(tmp_path) -> None:
    x, y = clouds(120, spread=2.5)
    said = spoken(y)
    made = base.fit("auto", x, y, NAMES, x, {}, 1, texts=said)
    base.save(tmp_path, made, base.Card(seed=1))
    again = base.load(tmp_path)[0]
    np.testing.assert_array_equal(
        again.apply(x, None, said).vectors, made.apply(x, None, said).vectors
    )


@pytest.mark.parametrize("bucket", [-1.0, 2.0 * words.BUCKETS, float("nan")])
def test_buckets_that_there_are_not_are_refused(bucket: float) -> None:
    one = torch.ones(1)
    with pytest.raises(ValueError, match="buckets"):
        words.Words(one * bucket, one, torch.ones(1, 2), one, 1.0)
