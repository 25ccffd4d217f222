"""About which share of a corpus is right, by confidences and by a few texts held out."""

from types import SimpleNamespace

import numpy as np
import pytest

from tasks.core.evaluation.proof import PROVEN, UNPROVEN
from tasks.core.evaluation.right import (
    DOUBT,
    FEW,
    PICKED,
    UNLIKE,
    USUAL,
    WIDE,
    Answers,
    share_right,
)
from tasks.core.evaluation.trial_scores import with_right
from tasks.core.workspace.manifests import TOLD_FROM, Gate, Scores


def answers(right, sure):
    return Answers(np.array(right, bool), np.array(sure, np.float32))


def drawn(n, seed, off=0.0):
    """Return n texts, each as often right as it is sure, and `off` more."""
    random = np.random.default_rng(seed)
    sure = random.uniform(0.3, 0.9, n)
    return answers(random.random(n) < sure + off, sure)


def test_where_no_text_is_held_out_it_is_what_the_view_expects():
    found = share_right(np.array([0.5, 0.9, 0.7]), answers([], []))
    assert found.value == pytest.approx(70)
    assert found.high - found.value == pytest.approx(100 * WIDE * DOUBT)


def test_of_two_texts_held_out_it_follows_by_hand():
    held = answers([True, True], [0.9, 0.1])
    mean, gap = 0.5, 0.4 - 0.5
    error = PICKED * (2 * 0.4**2 + FEW * USUAL) / (2 + FEW) / 2 + (UNLIKE * gap) ** 2
    found = share_right(np.array([0.4]), held)
    assert found.value == pytest.approx(40 + 100 * mean / (1 + error / DOUBT**2), abs=1e-4)
    spread = (1 / (1 / DOUBT**2 + 1 / error)) ** 0.5
    assert found.low == pytest.approx(found.value - 100 * WIDE * spread, abs=1e-4)


def test_few_texts_held_out_move_it_little_and_many_make_up_for_a_view_that_is_too_sure():
    corpus = np.random.default_rng(1).uniform(0.3, 0.9, 2_000)
    few, many = (share_right(corpus, drawn(n, 2, off=-0.2)) for n in (20, 4_000))
    assert abs(few.value - 60) < 10
    assert many.value == pytest.approx(40, abs=3)
    assert many.high - many.low < (few.high - few.low) / 4


def test_hard_texts_held_out_do_not_make_it_less_where_the_view_knows_that_they_are_hard():
    easy = np.full(500, 0.9)
    hard = answers([True, False] * 200, [0.5] * 400)
    assert share_right(easy, hard).value == pytest.approx(90, abs=0.1)


def test_texts_held_out_that_are_unlike_the_corpus_move_it_less_and_leave_it_in_doubt():
    corpus = np.full(500, 0.9)
    unlike = answers([True, False, False] * 1_000, [0.5] * 3_000)
    like = answers(([True] * 7 + [False] * 3) * 300, [0.9] * 3_000)
    hard, same = share_right(corpus, unlike), share_right(corpus, like)
    assert 90 - hard.value < 2 and 90 - same.value == pytest.approx(20, abs=1.5)
    assert hard.value - hard.low > 15 > 3 * (same.value - same.low)


def test_where_every_text_is_labelled_it_is_of_those_held_out():
    held = drawn(3_000, 4)
    found = share_right(np.empty(0), held)
    assert found.value == pytest.approx(100 * held.right.mean(), abs=1)


def test_it_is_a_share_and_nothing_where_no_text_is_asked():
    found = share_right(np.ones(3), answers([True] * 900, [0.5] * 900))
    assert found.low < found.value == found.high == 100
    assert share_right(np.empty(0), answers([], [])) is None


@pytest.mark.parametrize(("texts", "told"), [(TOLD_FROM - 1, False), (TOLD_FROM, True)])
def test_of_too_few_labels_it_is_not_told(texts, told):
    class Sure:
        def apply(self, vectors, *_):
            return SimpleNamespace(confidence=np.full(len(vectors), 0.8))

    others = SimpleNamespace(vectors=np.zeros((9, 2)), features=None, texts=None)
    found = with_right(Scores(texts=texts), Answers(np.ones(4, bool), np.ones(4)), others, Sure())
    assert (found.right is not None, "right" in found.intervals) == (told, told)


@pytest.mark.parametrize(
    ("state", "largest", "label", "said"),
    [
        (UNPROVEN, 40, [0, 1, 2, 0], "the commonest label for all would be right of 50 %"),
        (UNPROVEN, 55, [0, 1, 2, 0], "the commonest label for all would be right of 55 %"),
        (UNPROVEN, 40, [0, 0, 0, 1], ""),  # 75 %, which the interval of right has in it
        (UNPROVEN, 75, [0, 1, 2, 0], ""),
        (PROVEN, 40, [0, 1, 2, 0], ""),
    ],
)
def test_what_is_sure_of_all_texts_is_said_where_those_left_out_do_not_prove_it(
    state, largest, label, said
):
    class Sure:
        def apply(self, vectors, *_):
            return SimpleNamespace(confidence=np.full(len(vectors), 0.8), label=np.array(label))

    others = SimpleNamespace(vectors=np.zeros((4, 2)), features=None, texts=None)
    gate = Gate(state=state, why="few", largest_class=largest)
    held = Answers(np.arange(40) % 5 > 0, np.full(40, 0.8))
    found = with_right(Scores(texts=200, gate=gate), held, others, Sure())
    assert found.right == 80
    assert 60 < found.intervals["right"]["low"] < 75
    assert (found.gate.state, found.gate.why) == (state, "few")
    assert found.gate.beyond.endswith(said) and bool(found.gate.beyond) == bool(said)
    assert ("beyond" in found.gate.told()) == bool(said)
