"""The gate on labels that are right, on the wrong texts, few, lopsided, or hardly needed."""

from dataclasses import replace

import numpy as np
import pytest

from tasks.core.encoding.base_table import Rows
from tasks.core.evaluation import out_of_fold, quality_gate
from tasks.core.evaluation.bootstrap import Interval
from tasks.core.evaluation.gains import Gain
from tasks.core.evaluation.measures import BRIEF
from tasks.core.evaluation.metrics import Scores, score
from tasks.core.evaluation.out_of_fold import Evidence
from tasks.core.evaluation.proof import NOTHING, PROVEN, REFUSED, UNPROVEN, WORSE
from tasks.core.evaluation.quality_gate import Ruling, refuse, rule, weigh
from tasks.core.transforms.training_set import Labelled
from tasks.core.workspace.errors import InputError
from tests.clouds import unit_rows

METHOD, SETTINGS = "discriminant", {}


def points(n, k=3, seed=0, spread=1.0, size=24, shares=None):
    """Return n points of k classes, whose place says their class as well as `spread` lets it."""
    random = np.random.default_rng(seed)
    y = random.choice(k, n, p=shares)
    y[:k] = np.arange(k)
    x = 3 * np.eye(k, size)[y] + random.normal(scale=3, size=size)
    return unit_rows(x + spread * random.normal(size=(n, size)) * np.linspace(0.5, 2, size)), y


def labelled(x, y, several=None):
    names = tuple(f"c{c}" for c in range(int(y.max()) + 1))
    keys = [f"t{at}" for at in range(len(x))]
    if several is not None:
        rows = np.concatenate([np.arange(len(x)), several])
        keys, x = [keys[at] for at in rows], x[rows]
        y = np.concatenate([y, (y[several] + 1) % len(names)])
    return Labelled(Rows(keys, keys, x, None), y, names, x[:200])


def weighed(known, method=METHOD, settings=SETTINGS):
    train, held = known.split(0.2, 1)
    return weigh(known, held, train.fit(method, settings, 1), settings, 1, method)


def shuffled(y, seed):
    return np.random.default_rng(seed).permutation(y)


def test_labels_that_their_texts_explain_are_proven():
    ruling = weighed(labelled(*points(300)))
    assert (ruling.state, ruling.why) == (PROVEN, "")
    assert ruling.figures["lead_low"] > 0 < ruling.figures["gain_low"]


@pytest.mark.parametrize("n", [300, 1_000])
@pytest.mark.parametrize("seed", range(3))
def test_labels_on_the_wrong_texts_are_refused(n, seed):
    x, y = points(n, seed=seed)
    ruling = weighed(labelled(x, shuffled(y, seed)))
    assert (ruling.state, ruling.why) == (REFUSED, NOTHING)
    ruling = weighed(labelled(x, np.roll(y, 1)))
    assert ruling.state == REFUSED


@pytest.mark.parametrize("seed", range(3))
def test_right_labels_are_never_refused_and_wrong_ones_never_proven_where_they_are_few(seed):
    x, y = points(30, seed=seed, spread=1.5)
    assert weighed(labelled(x, y)).state in (PROVEN, UNPROVEN)
    assert weighed(labelled(x, shuffled(y, seed))).state in (REFUSED, UNPROVEN)


@pytest.mark.parametrize("seed", range(3))
def test_a_rare_class_is_seen_although_its_share_leaves_accuracy_no_room(seed):
    x, y = points(600, k=2, seed=seed, shares=[0.95, 0.05])
    assert weighed(labelled(x, y)).state == PROVEN
    assert weighed(labelled(x, shuffled(y, seed))).state in (REFUSED, UNPROVEN)


def test_many_classes_of_a_few_texts_each():
    x, y = points(200, k=40, size=60, spread=0.7)
    assert weighed(labelled(x, y)).state == PROVEN
    assert weighed(labelled(x, shuffled(y, 1))).state == REFUSED


def test_texts_with_several_labels_are_right_by_any_of_them():
    x, y = points(300)
    ruling = weighed(labelled(x, y, np.arange(0, 300, 3)))
    assert ruling.state == PROVEN
    assert ruling.figures["accuracy"] > 80


def test_a_base_space_that_parts_all_labels_needs_no_better_view():
    random = np.random.default_rng(1)
    y = random.choice(4, 300)
    x = unit_rows(np.eye(4, 8)[y] + 0.05 * random.normal(size=(300, 8)))
    ruling = weighed(labelled(x, y))
    assert ruling.state == PROVEN
    assert ruling.figures["gain"] < 1


def test_the_base_vectors_themselves_need_no_gain_but_labels_that_say_something():
    x, y = points(300, spread=0.8)
    assert weighed(labelled(x, y), "identity").state == PROVEN
    assert weighed(labelled(x, shuffled(y, 1)), "identity").state == REFUSED


def test_a_method_that_takes_minutes_is_not_fitted_for_the_gate(monkeypatch):
    asked = []
    fit = Labelled.fit
    monkeypatch.setattr(
        Labelled,
        "fit",
        lambda self, method, *rest: asked.append(method) or fit(self, method, *rest),
    )
    x, y = points(200)
    known = labelled(x, shuffled(y, 2))
    train, held = known.split(0.2, 1)
    trial = fit(train, METHOD, SETTINGS, 1)
    assert weigh(known, held, trial, {"hidden": 8}, 1, "gstransform").state == REFUSED
    assert set(asked) == {"discriminant"}


def test_what_nobody_can_tell_is_said_in_words():
    x, y = points(12, spread=4)
    ruling = weighed(labelled(x, y))
    assert ruling.state == UNPROVEN
    assert "texts were left out" in ruling.why or "within chance" in ruling.why


def test_a_refusal_names_what_was_found_and_the_likely_reasons():
    x, y = points(300)
    scores = score(x, y)
    ruling = weighed(labelled(x, shuffled(y, 1)))
    with pytest.raises(
        InputError, match=r"^f.csv: found labels that have nothing to do with their"
    ):
        refuse("f.csv", ruling, scores, scores)
    with pytest.raises(InputError, match=r"ids are those of another table.*fit.gate: false"):
        refuse("f.csv", ruling, scores, scores)
    worse = Ruling(REFUSED, WORSE, {})
    with pytest.raises(InputError, match=r"on 300 held-out labels \(V-measure .*, triplets .* → –"):
        refuse("f.csv", worse, scores, Scores(None, None, None, None, 300))
    refuse("f.csv", Ruling(UNPROVEN, "few", {}), scores, scores)


def test_the_gate_draws_no_random_number_of_its_own():
    known = labelled(*points(100))
    assert weighed(known) == weighed(known)
    assert quality_gate.PROVEN == "proven"


def test_of_very_many_texts_some_are_asked_about(monkeypatch):
    monkeypatch.setattr(out_of_fold, "LIMIT", 50)
    ruling = weighed(labelled(*points(600)))
    assert ruling.state == PROVEN
    assert 30 < ruling.figures["texts"] <= 50


def test_labels_of_which_every_one_has_a_single_text_are_unproven():
    x, _ = points(30)
    assert weighed(labelled(x, np.arange(30))).state == UNPROVEN


def seen(texts=60, agreement=30.0, **by):
    """Return evidence of sure accuracy; by: what each measure gains, from, to."""
    gains = {
        measure: Gain(titled, texts, 50.0, Interval(50 + gain[0], 0.0, 90.0), Interval(*gain))
        for measure, titled in BRIEF.items()
        if (gain := by.get(measure))
    }
    sure = Interval(agreement, agreement - 10, agreement + 10)
    return Evidence(texts, 50.0, 30.0, sure, sure, gains)


BETTER, SAME, WORSE_NOW = (20.0, 10.0, 30.0), (-3.0, -9.0, 3.0), (-15.0, -20.0, -5.0)


def test_a_handful_of_texts_does_not_make_a_view_worse_than_the_base_vectors():
    assert rule(seen(6, triplets=WORSE_NOW), METHOD).state == UNPROVEN
    assert rule(seen(60, 5.0, triplets=WORSE_NOW), METHOD).why == WORSE
    few = seen(60, 5.0, triplets=WORSE_NOW)
    few = replace(few, gains={key: replace(one, texts=6) for key, one in few.gains.items()})
    assert rule(few, METHOD).why != WORSE


def test_a_view_that_surely_loses_one_figure_is_not_proven_by_the_others():
    found = seen(v_measure=SAME, triplets=BETTER, knn=WORSE_NOW)
    ruling = rule(found, METHOD)
    assert ruling.state == UNPROVEN
    assert ruling.why == "kNN@10 50.0 → 35.0 is worse than the base vectors"
    assert ruling.figures["gain_knn_high"] == -5
    assert rule(seen(v_measure=SAME, triplets=BETTER, knn=SAME), METHOD).state == PROVEN
    assert rule(found, "identity").state == PROVEN


@pytest.mark.parametrize("lost", BRIEF)
def test_one_sure_loss_is_told_and_refused_where_nothing_is_learnt_either(lost):
    gains = dict.fromkeys(BRIEF, SAME) | {lost: WORSE_NOW}
    ruling = rule(seen(**gains), METHOD)
    assert ruling.state == UNPROVEN
    assert "50.0 → 35.0 is worse than the base vectors" in ruling.why
    assert rule(seen(agreement=5.0, **gains), METHOD).why == WORSE


def test_two_sure_losses_are_refused_unless_the_third_figure_gains():
    lost = {"v_measure": WORSE_NOW, "knn": WORSE_NOW}
    ruling = rule(seen(triplets=SAME, **lost), METHOD)
    assert (ruling.state, ruling.why) == (REFUSED, WORSE)
    assert rule(seen(triplets=BETTER, **lost), METHOD).state == UNPROVEN


def test_a_loss_of_a_point_is_none():
    slight = (-0.5, -0.8, -0.1)
    assert rule(seen(v_measure=BETTER, triplets=BETTER, knn=slight), METHOD).state == PROVEN
    assert rule(seen(v_measure=SAME, triplets=SAME, knn=slight), METHOD).state == UNPROVEN


def test_what_a_view_loses_is_seen_out_of_fold(monkeypatch):
    """A view of six classes that lays out the probability of one of them alone."""
    read = Labelled.seen_by

    def flat(self, transform):
        found = read(self, transform)
        first = found.vectors[:, :1]
        return replace(found, vectors=unit_rows(np.hstack([first, 1 - first])))

    monkeypatch.setattr(Labelled, "seen_by", flat)
    ruling = weighed(labelled(*points(300, k=6, spread=0.3)))
    assert ruling.figures["texts"] == 300
    assert ruling.figures["gain_knn_high"] < 0
    assert ruling.state in (REFUSED, UNPROVEN)
